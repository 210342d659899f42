import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContainerLanes } from './container-lanes.ts';
import { DecoderHarness, DEFAULTS, FILE_A, FILE_B } from './decoder-harness.ts';

const RUNS = 1500;

const line = fc
  .tuple(
    fc.constantFrom('stdout', 'stderr'),
    fc.constantFrom('F', 'F', 'P'),
    fc.integer({ min: 0, max: 24 }),
    fc.constantFrom(
      'a',
      'bb',
      '',
      'panic: boom',
      'goroutine 1 [running]:',
      'main.main()',
      '\t/src/main.go:7 +0x1d',
      'last',
    ),
  )
  .map(
    ([stream, tag, tenths, text]) =>
      `2026-11-23T04:30:0${Math.floor(tenths / 10)}.${tenths % 10}Z ${stream} ${tag} ${text}\n`,
  );

const scenario = fc.record({
  lines: fc.array(line, { maxLength: 16 }),
  rotation: fc.nat(),
  stop: fc.nat(),
  linesMax: fc.constantFrom(500, 2),
});

/** Two files of one container, written one after the other. */
function createPair(
  linesMax: number,
  { offsetA = 0, offsetB = 0, isGeneralOnly = false } = {},
): { a: DecoderHarness; b: DecoderHarness } {
  const lanes = new ContainerLanes();
  const path = '/logs/0.log';
  const options = { isGeneralOnly, multiline: { ...DEFAULTS.multiline, linesMax } };
  return {
    a: new DecoderHarness({ lanes, options, file: { fileId: FILE_A, path } }, offsetA),
    b: new DecoderHarness({ lanes, options, file: { fileId: FILE_B, path } }, offsetB),
  };
}

function rotate(lines: readonly string[], rotation: number): { textA: string; textB: string } {
  const at = rotation % (lines.length + 1);
  return { textA: lines.slice(0, at).join(''), textB: lines.slice(at).join('') };
}

test('G8: records are the same whether the file was rotated between their pieces or not', () => {
  fc.assert(
    fc.property(scenario, ({ lines, rotation, linesMax }) => {
      const { textA, textB } = rotate(lines, rotation);
      const { a, b } = createPair(linesMax);
      a.push(textA);
      b.push(textB).flush('gone');
      a.flush('gone');
      const whole = createPair(linesMax)
        .a.push(textA + textB)
        .flush('gone');
      assert.deepEqual([...a.messages, ...b.messages].toSorted(), whole.messages.toSorted());
      assert.equal(a.accountedBytes + b.accountedBytes, textA.length + textB.length);
      assert.equal(a.decoder.safeOffset, textA.length);
      assert.equal(b.decoder.safeOffset, textB.length);
    }),
    { numRuns: RUNS },
  );
});

test('G4: readers that begin again at the safe offsets of two files give out the rest, and no piece of a record', () => {
  fc.assert(
    fc.property(scenario, ({ lines, rotation, stop, linesMax }) => {
      const { textA, textB } = rotate(lines, rotation);
      const { a, b } = createPair(linesMax);
      const cut = stop % (textB.length + 1);
      a.push(textA);
      b.push(textB.slice(0, cut));
      const taken = `${a.text}${b.text}`.split('\n');
      const safeA = a.decoder.safeOffset;
      const safeB = b.decoder.safeOffset;
      b.push(textB.slice(cut)).flush('gone');
      a.flush('gone');
      const all = new Set(`${a.text}${b.text}`.split('\n'));

      const again = createPair(linesMax, { offsetA: safeA, offsetB: safeB });
      again.a.push(textA.slice(safeA));
      again.b.push(textB.slice(safeB)).flush('gone');
      again.a.flush('gone');
      const rest = `${again.a.text}${again.b.text}`.split('\n');
      for (const document of rest) assert.ok(all.has(document), document);
      assert.deepEqual(new Set([...taken, ...rest]), all);
    }),
    { numRuns: RUNS },
  );
});

test('a line that is later than the patience leaves no trace waiting, whatever its stream', () => {
  fc.assert(
    fc.property(scenario, fc.constantFrom('stdout', 'stderr'), ({ lines, rotation, linesMax }, stream) => {
      const { textA, textB } = rotate(lines, rotation);
      const { a, b } = createPair(linesMax);
      a.push(textA);
      b.push(`${textB}2026-11-23T04:30:09Z ${stream} P late\n`);
      // What a line that goes on belongs to is known when it is whole.
      const isContinued = lines.findLast((text) => text.includes(stream))?.includes(`${stream} P`) === true;
      if (isContinued) b.push('2026-11-23T04:30:09Z stdout F \n2026-11-23T04:30:09Z stderr F \n');
      const count = a.messages.length + b.messages.length;
      a.flush('idle');
      b.flush('idle');
      const waited = a.messages.length + b.messages.length - count;
      assert.ok(waited === 0 || isContinued, `${waited} traces waited`);
    }),
    { numRuns: RUNS },
  );
});

test('two files of a container give the same by the hot path and by the general path', () => {
  fc.assert(
    fc.property(scenario, fc.nat(), ({ lines, rotation, linesMax }, chunkBytes) => {
      const { textA, textB } = rotate(lines, rotation);
      const decode = (isGeneralOnly: boolean, bytesEach: number): string => {
        const { a, b } = createPair(linesMax, { isGeneralOnly });
        for (let at = 0; at < textA.length; at += bytesEach) a.push(textA.slice(at, at + bytesEach));
        for (let at = 0; at < textB.length; at += bytesEach) b.push(textB.slice(at, at + bytesEach));
        return `${a.text}|${b.text}`;
      };
      const whole = decode(false, Number.MAX_SAFE_INTEGER);
      assert.equal(decode(true, Number.MAX_SAFE_INTEGER), whole);
      assert.equal(decode(false, 1 + (chunkBytes % 200)), whole);
    }),
    { numRuns: RUNS },
  );
});
