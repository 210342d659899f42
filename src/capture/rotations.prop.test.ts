import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContainerLanes } from './container-lanes.ts';
import { DecoderHarness, DEFAULTS } from './decoder-harness.ts';

const RUNS = 1500;

const line = fc
  .tuple(
    fc.constantFrom('stdout', 'stderr'),
    fc.constantFrom('F', 'F', 'P'),
    fc.integer({ min: 0, max: 24 }),
    fc.constantFrom(
      'a',
      '',
      'panic: boom',
      'goroutine 1 [running]:',
      'main.main()',
      '\t/src/main.go:7 +0x1d',
      'java.lang.Error: x',
      '\tat a.B.c(B.java:1)',
      'Caused by: java.lang.Error: y',
      'q'.repeat(150),
    ),
  )
  .map(
    ([stream, tag, tenths, text]) =>
      `2026-11-23T04:30:0${Math.floor(tenths / 10)}.${tenths % 10}Z ${stream} ${tag} ${text}\n`,
  );

const scenario = fc.record({
  lines: fc.array(line, { maxLength: 24 }),
  rotations: fc.tuple(fc.nat(), fc.nat()),
  stop: fc.nat(),
  linesMax: fc.constantFrom(500, 2),
  longLines: fc.constantFrom('truncate' as const, 'split' as const),
});

interface Limits {
  readonly linesMax: number;
  readonly longLines: 'truncate' | 'split';
}

/** Three files of one container, written one after the other, and what came out of them in this order. */
class Rotations {
  readonly files: readonly DecoderHarness[];
  readonly ids: { readonly lane: string; readonly id: string }[] = [];
  readonly documents = new Set<string>();

  constructor({ linesMax, longLines }: Limits, offsets: readonly number[]) {
    const lanes = new ContainerLanes();
    const multiline = { ...DEFAULTS.multiline, linesMax };
    const options = { longLines, multiline, lineBytesMax: 64 };
    this.files = offsets.map((offset, index) => {
      const file = { fileId: String(index).repeat(20), path: '/logs/0.log' };
      return new DecoderHarness({ lanes, options, file }, offset);
    });
  }

  push(texts: readonly string[]): this {
    for (const [index, file] of this.files.entries()) this.#note(file, () => file.push(texts[index] ?? ''));
    return this;
  }

  end(): this {
    for (const file of this.files) this.#note(file, () => file.flush('gone'));
    return this;
  }

  get safeOffsets(): number[] {
    return this.files.map(({ decoder, offset }) => (offset === 0 ? 0 : decoder.safeOffset));
  }

  #note(file: DecoderHarness, act: () => void): void {
    const known = file.documents.length;
    act();
    for (const document of file.documents.slice(known)) {
      const { id } = document.event;
      this.ids.push({ lane: `${id.slice(0, 20)} ${document.stream}`, id });
      this.documents.add(JSON.stringify(document));
    }
  }
}

test('G4, G8: records over two rotations survive a new reader at any point, in order and with ids of their own', () => {
  fc.assert(
    fc.property(scenario, ({ lines, rotations, stop, ...limits }) => {
      const [left = 0, right = 0] = rotations.map((at) => at % (lines.length + 1)).toSorted((a, b) => a - b);
      const texts = [lines.slice(0, left), lines.slice(left, right), lines.slice(right)].map((part) =>
        part.join(''),
      );
      const total = lines.join('').length;
      let rest = stop % (total + 1);
      const heads = texts.map((text) => {
        const head = text.slice(0, rest);
        rest -= head.length;
        return head;
      });

      const first = new Rotations(limits, [0, 0, 0]).push(heads);
      const taken = [...first.documents];
      const { safeOffsets } = first;
      first.push(texts.map((text, index) => text.slice(heads[index]?.length))).end();
      assert.equal(
        first.files.reduce((sum, file) => sum + file.accountedBytes, 0),
        total,
      );
      assert.equal(new Set(first.ids.map(({ id }) => id)).size, first.ids.length);
      const last = new Map<string, string>();
      for (const { lane, id } of first.ids) {
        assert.ok((last.get(lane) ?? '') < id, `${id} behind ${last.get(lane)}`);
        last.set(lane, id);
      }

      const again = new Rotations(limits, safeOffsets);
      again.push(texts.map((text, index) => text.slice(safeOffsets[index]))).end();
      for (const document of again.documents) assert.ok(first.documents.has(document), document);
      assert.deepEqual(new Set([...taken, ...again.documents]), first.documents);
    }),
    { numRuns: RUNS },
  );
});
