import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecoderHarness } from './decoder-harness.ts';
import type { HarnessOptions } from './decoder-harness.ts';
import type { LineFormat } from './decoder-types.ts';
import { detectEncoding } from './encoding.ts';
import type { TextEncoding } from './encoding.ts';

const encoder = new TextEncoder();
const RUNS = 1500;

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    'panic: boom',
    'goroutine 1 [running]:',
    'main.main()',
    '\t/src/main.go:7 +0x1d',
    'java.lang.IllegalStateException: closed',
    '\tat com.example.Main.run(Main.java:7)',
    'Caused by: java.io.IOException: gone',
    'Traceback (most recent call last):',
    '  File "a.py", line 1, in f',
    'ValueError: bad',
    'TypeError: x is not a function',
    '    at f (/srv/a.js:1:2) {',
    '}',
    'fail: Shop.Orders[0]',
    '      It failed',
    '/srv/a.js:12',
    '\u00a0nbsp',
    'x'.repeat(70),
    'ü'.repeat(40),
    'y'.repeat(300),
    'z'.repeat(64),
  ),
);

const stamp = fc.oneof(
  {
    // Near enough to each other for traces, with some beyond the patience.
    weight: 16,
    arbitrary: fc
      .integer({ min: 0, max: 24 })
      .map((n) => `2026-11-23T04:30:0${Math.floor(n / 10)}.${n % 10}Z`),
  },
  {
    weight: 8,
    arbitrary: fc
      .integer({ min: 0, max: 3_599 })
      .map(
        (s) =>
          `2026-11-23T04:${String(Math.floor(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}.123456789Z`,
      ),
  },
  fc.constantFrom(
    '2026-11-23T04:30:00.5Z',
    '2026-11-23T04:30:00Z',
    '2026-11-23T06:30:00.25+02:00',
    '2026-13-23T04:30:00.5Z',
    '2026-11-23T04:30:61.5Z',
  ),
);

const criLine = fc
  .tuple(
    stamp,
    fc.constantFrom('stdout', 'stdout', 'stderr'),
    fc.constantFrom('F', 'F', 'F', 'P', 'F:x', 'Q'),
    text,
  )
  .map((parts) => parts.join(' '));
const dockerLine = fc
  .tuple(text, fc.boolean(), fc.constantFrom('stdout', 'stderr', undefined), stamp)
  .map(([log, isWhole, stream, time]) => JSON.stringify({ log: isWhole ? `${log}\n` : log, stream, time }));
const s6Line = fc
  .tuple(fc.constantFrom('@400000006b03c57539abfeef ', '2026-11-23 04:47:13.221084517  ', '', '@4000'), text)
  .map((parts) => parts.join(''));

const line = fc.oneof(
  { weight: 6, arbitrary: criLine.map((value) => encoder.encode(value)) },
  { weight: 2, arbitrary: dockerLine.map((value) => encoder.encode(value)) },
  { weight: 2, arbitrary: s6Line.map((value) => encoder.encode(value)) },
  { weight: 2, arbitrary: text.map((value) => encoder.encode(value)) },
  fc.uint8Array({ maxLength: 12 }),
);
const end = fc.constantFrom('\n', '\n', '\n', '\n', '\r\n', '\0\0\0\n', '\n\0\0\0', '\0\n', '');

const file = fc
  .array(fc.tuple(line, end), { maxLength: 14 })
  .map((lines) => Buffer.concat(lines.flatMap(([bytes, lineEnd]) => [bytes, encoder.encode(lineEnd)])));

const settings = fc.record({
  format: fc.constantFrom<LineFormat>('auto', 'cri', 'docker', 's6', 'plain'),
  stream: fc.constantFrom('file', 'stdout'),
  longLines: fc.constantFrom('truncate', 'split'),
  encoding: fc.constantFrom('auto', 'auto', 'auto', 'latin1', 'utf-16le'),
  lineBytesMax: fc.constantFrom(64, 100, 1024),
}) as fc.Arbitrary<{
  format: LineFormat;
  stream: 'file' | 'stdout';
  longLines: 'truncate' | 'split';
  encoding: 'auto' | TextEncoding;
  lineBytesMax: number;
}>;

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

function harnessOptions(
  { format, stream, longLines, encoding, lineBytesMax }: Settings,
  isGeneralOnly: boolean,
): HarnessOptions {
  return {
    file: { format, stream },
    options: { longLines, encoding, lineBytesMax, s6LineBytes: 64, isGeneralOnly },
  };
}

function decodeInChunks(bytes: Uint8Array, cuts: readonly number[], options: HarnessOptions): DecoderHarness {
  const harness = new DecoderHarness(options);
  let at = 0;
  for (const cut of cuts.map((value) => value % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    harness.push(bytes.subarray(at, cut));
    at = cut;
  }
  return harness.push(bytes.subarray(at));
}

test('the output does not depend on how the bytes were cut into chunks', () => {
  fc.assert(
    fc.property(file, fc.array(fc.nat(), { maxLength: 12 }), settings, (bytes, cuts, setting) => {
      const whole = new DecoderHarness(harnessOptions(setting, false)).push(bytes).flush('gone');
      const pieces = decodeInChunks(bytes, cuts, harnessOptions(setting, false)).flush('gone');
      assert.equal(pieces.text, whole.text);
    }),
    { numRuns: RUNS },
  );
});

test('the hot path and the general path make the same bytes', () => {
  fc.assert(
    fc.property(file, fc.array(fc.nat(), { maxLength: 3 }), settings, (bytes, cuts, setting) => {
      const hot = decodeInChunks(bytes, cuts, harnessOptions(setting, false)).flush('gone');
      const general = decodeInChunks(bytes, cuts, harnessOptions(setting, true)).flush('gone');
      assert.equal(hot.text, general.text);
    }),
    { numRuns: RUNS },
  );
});

test('G1: every byte up to the safe offset is in a record or in a drop', () => {
  fc.assert(
    fc.property(file, fc.array(fc.nat(), { maxLength: 6 }), settings, (bytes, cuts, setting) => {
      const harness = decodeInChunks(bytes, cuts, harnessOptions(setting, false));
      assert.ok(harness.decoder.safeOffset <= bytes.length);
      harness.flush('gone');
      assert.equal(harness.decoder.safeOffset, bytes.length);
      assert.equal(harness.accountedBytes, bytes.length);
      assert.equal(harness.decoder.heldBytes, 0);
    }),
    { numRuns: RUNS },
  );
});

test('G4: a decoder that begins at a safe offset gives out the same records from there', () => {
  fc.assert(
    fc.property(file, fc.nat(), settings, (bytes, cut, setting) => {
      // A malformed line takes the time of a line before it, which the second decoder has not seen.
      fc.pre(setting.format !== 'cri' && setting.format !== 'docker');
      const at = cut % (bytes.length + 1);
      const first = new DecoderHarness(harnessOptions(setting, false)).push(bytes.subarray(0, at));
      const { safeOffset } = first.decoder;
      first.push(bytes.subarray(at)).flush('gone');
      // Only the first bytes tell of UTF-16.
      const encoding = setting.encoding === 'auto' ? detectEncoding(bytes) : setting.encoding;
      const second = new DecoderHarness(harnessOptions({ ...setting, encoding }, false), safeOffset);
      second.push(bytes.subarray(safeOffset)).flush('gone');
      const ids = new Set(first.text.split('\n'));
      for (const document of second.text.split('\n')) assert.ok(ids.has(document), document);
    }),
    { numRuns: RUNS },
  );
});

test('records of a lane are in the order of their offsets, no id is given twice, and all is valid JSON', () => {
  fc.assert(
    fc.property(file, settings, (bytes, setting) => {
      const harness = new DecoderHarness(harnessOptions(setting, false)).push(bytes).flush('gone');
      const last = [-1, -1, -1];
      for (const batch of harness.batches) {
        for (let i = 0; i < batch.count; i++) {
          const lane = batch.lanes[i] ?? 0;
          const offset = batch.offsets[i] ?? 0;
          assert.ok(offset > (last[lane] ?? -1), `lane ${lane}: ${offset} after ${last[lane]}`);
          last[lane] = offset;
        }
      }
      const ids = harness.documents.map(({ event }) => event.id);
      assert.equal(new Set(ids).size, ids.length);
    }),
    { numRuns: RUNS },
  );
});
