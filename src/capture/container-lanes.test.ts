import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerLanes } from './container-lanes.ts';
import { DecoderHarness, FILE_A, FILE_B } from './decoder-harness.ts';

const TIME = '2026-11-23T04:30:00.123456789Z';

const cri = (text: string, tag = 'F', stream = 'stdout'): string => `${TIME} ${stream} ${tag} ${text}\n`;

test('parts of a split line that goes on in the next file are told by that file and its offsets', () => {
  const lanes = new ContainerLanes();
  const options = { longLines: 'split', lineBytesMax: 100 } as const;
  const first = new DecoderHarness({ lanes, options }).push(cri('a'.repeat(90), 'P'));
  const second = new DecoderHarness({ lanes, options, file: { fileId: FILE_B, path: '/logs/b.log' } });
  second.push(cri('b'.repeat(150)));
  assert.deepEqual(
    second.documents.map(({ message, log, event }) => [
      message.length,
      log.offset,
      log.file.path,
      event.id.slice(0, 20),
    ]),
    [
      [100, 0, '/logs/a.log', FILE_A],
      [100, `${TIME} stdout F `.length + 10, '/logs/b.log', FILE_B],
      [40, `${TIME} stdout F `.length + 110, '/logs/b.log', FILE_B],
    ],
  );
  assert.equal(first.accountedBytes + second.accountedBytes, first.offset + second.offset);
});

test('a file that is held back for one record holds back what goes on in the file behind it', () => {
  const lanes = new ContainerLanes();
  const first = new DecoderHarness({ lanes }).push(cri('begin', 'P', 'stderr') + cri('a', 'P'));
  const second = new DecoderHarness({ lanes, file: { fileId: FILE_B } }).push(cri('b') + cri('c', 'P'));
  const third = new DecoderHarness({ lanes, file: { fileId: 'c'.repeat(20) } }).push(cri('d'));
  const safeOffsets = (): number[] => [first, second, third].map(({ decoder }) => decoder.safeOffset);
  assert.deepEqual([...second.messages, ...third.messages], ['ab', 'cd']);
  assert.deepEqual(safeOffsets(), [0, 0, 0]);
  third.push(cri('end', 'F', 'stderr'));
  assert.deepEqual(safeOffsets(), [first.offset, second.offset, third.offset]);
});
