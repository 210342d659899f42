import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerLanes } from './container-lanes.ts';
import { DecoderHarness, DEFAULTS, FILE_B } from './decoder-harness.ts';
import type { MultilineOptions } from './multiline.ts';

const { multiline: MULTILINE } = DEFAULTS;

/** Frames text as CRI lines a millisecond apart. */
function criOf(text: string, startMs = 0): string {
  const stamp = (index: number): string => String(startMs + index).padStart(3, '0');
  return text
    .split('\n')
    .map((line, index) => `2026-11-23T04:30:00.${stamp(index)}Z stdout F ${line}\n`)
    .join('');
}

const TRACES: Record<string, string> = {
  java: `ERROR c.e.Shop - failed: java.lang.IllegalStateException: closed
	at com.example.Pool.get(Pool.java:88)
	at java.base/java.lang.Thread.run(Thread.java:1583)
	Suppressed: java.io.IOException: also
		at com.example.Pool.close(Pool.java:9)
Caused by: java.net.SocketException: reset
	... 12 more`,
  go: `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.lookup(...)
	/src/main.go:7
main.main()
	/src/main.go:12 +0x1d
exit status 2`,
  'go, signal': `fatal error: unexpected signal during runtime execution
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45d2a1]

goroutine 5 gp=0xc000 m=3 mp=0xc1 [running]:
net/http.(*conn).serve(0xc000124000, {0x7f, 0x2})
	/go/src/net/http/server.go:2092 +0x5d0
created by net/http.(*Server).Serve in goroutine 1
	/go/src/net/http/server.go:3360 +0x485`,
  python: `Traceback (most recent call last):
  File "/srv/app.py", line 3, in load
    return data[key]
KeyError: 'price'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app.py", line 9, in <module>
    main()
shop.errors.PriceError: no price`,
  node: `/srv/app.js:12
  throw new TypeError('x');
  ^

TypeError: x is not a function
    at load (/srv/app.js:12:9)
    at Object.<anonymous> (/srv/app.js:20:1) {
  code: 'ERR_X',
  [cause]: Error: inner
}

Node.js v26.10.0`,
  ruby: `/srv/app.rb:3:in 'Shop#load': undefined method 'price' for nil (NoMethodError)

    item.price
        ^^^^^^
	from /srv/app.rb:9:in 'block in <main>'
	from /srv/app.rb:12:in '<main>'`,
  dotnet: `Unhandled exception. System.InvalidOperationException: failed
 ---> System.IO.IOException: disk
   at Shop.Disk.Read() in /src/Disk.cs:line 7
   --- End of inner exception stack trace ---
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 12`,
  'dotnet logger': `fail: Shop.Orders[17]
      Order 7 failed
      System.InvalidOperationException: closed`,
};

for (const [name, trace] of Object.entries(TRACES)) {
  test(`a stack trace is one record: ${name}`, () => {
    const harness = new DecoderHarness().push(criOf(`INFO before\n${trace}\nINFO after`));
    assert.deepEqual(harness.messages, ['INFO before', trace, 'INFO after']);
    assert.deepEqual(harness.documents[1]?.log.flags, ['multiline']);
    assert.equal(harness.documents[1]?.['@timestamp'], '2026-11-23T04:30:00.001000000Z');
    assert.equal(harness.accountedBytes, harness.offset);
  });

  test(`a stack trace that comes line by line is the same record: ${name}`, () => {
    const harness = new DecoderHarness();
    for (const line of criOf(`${trace}\nINFO after`).split(/(?<=\n)/)) harness.push(line);
    assert.deepEqual(harness.messages, [trace, 'INFO after']);
  });
}

test('lines that only begin with blanks are not joined', () => {
  const text = 'total:\n  a 1\n\n  b 2\n\tindented';
  assert.deepEqual(new DecoderHarness().push(criOf(text)).messages, text.split('\n'));
});

test('what does not look like the start of a trace waits for nothing', () => {
  const harness = new DecoderHarness().push(criOf('INFO ready'));
  assert.ok(!harness.decoder.hasIdleRecord);
  assert.deepEqual(harness.messages, ['INFO ready']);
});

test('a trace that may go on is given out when the file is idle', () => {
  const harness = new DecoderHarness().push(criOf('panic: boom'));
  assert.ok(harness.decoder.hasIdleRecord);
  assert.deepEqual(harness.messages, []);
  assert.equal(harness.decoder.safeOffset, 0);
  harness.flush('idle');
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.flags]),
    [['panic: boom', undefined]],
  );
  assert.equal(harness.decoder.safeOffset, harness.offset);
});

test('a gap in the times ends a trace', () => {
  const late = '2026-11-23T04:30:09.000Z stdout F \tat com.example.Main.run(Main.java:7)\n';
  const harness = new DecoderHarness().push(`${criOf('java.lang.Error: x')}${late}`);
  assert.deepEqual(harness.messages, ['java.lang.Error: x', '\tat com.example.Main.run(Main.java:7)']);
});

test('traces of two streams do not mix', () => {
  const line = (stream: string, text: string): string => `2026-11-23T04:30:00.1Z ${stream} F ${text}\n`;
  const harness = new DecoderHarness().push(
    line('stdout', 'java.lang.Error: a') +
      line('stderr', 'java.lang.Error: b') +
      line('stdout', '\tat a.A.a(A.java:1)') +
      line('stderr', '\tat b.B.b(B.java:1)'),
  );
  harness.flush('idle');
  assert.deepEqual(harness.messages, [
    'java.lang.Error: a\n\tat a.A.a(A.java:1)',
    'java.lang.Error: b\n\tat b.B.b(B.java:1)',
  ]);
});

test('a trace of too many lines is given out in several records, and counted', () => {
  const frames = Array.from({ length: 25 }, (_, i) => `\tat a.A.f${i}(A.java:${i})`);
  const options = { multiline: { ...MULTILINE, linesMax: 10 } };
  const harness = new DecoderHarness({ options }).push(
    criOf(['java.lang.StackOverflowError: deep', ...frames, 'after'].join('\n')),
  );
  assert.deepEqual(
    harness.messages.map((message) => message.split('\n').length),
    [10, 10, 6, 1],
  );
  assert.equal(harness.decoder.counts.multilineCaps, 2);
});

function custom(patterns: Partial<MultilineOptions>, text: string): string[] {
  const multiline: MultilineOptions = { ...MULTILINE, mode: 'custom', ...patterns };
  return new DecoderHarness({ options: { multiline } }).push(criOf(text)).flush('idle').messages;
}

test('a custom start pattern begins records, all other lines continue them', () => {
  assert.deepEqual(custom({ start: String.raw`^\d{4}-` }, '2026-a\nb\n c\n2026-d'), [
    '2026-a\nb\n c',
    '2026-d',
  ]);
});

test('a custom continue pattern joins lines to the one before', () => {
  assert.deepEqual(custom({ continue: String.raw`^\s` }, 'a\n b\n\tc\nd'), ['a\n b\n\tc', 'd']);
});

test('with both patterns only started records are continued', () => {
  assert.deepEqual(custom({ start: '^BEGIN', continue: '^[+]' }, '+x\nBEGIN\n+y\nz\n+w'), [
    '+x',
    'BEGIN\n+y',
    'z',
    '+w',
  ]);
});

test('without multiline every line is a record', () => {
  const options = { multiline: { ...MULTILINE, mode: 'off' } } as const;
  const harness = new DecoderHarness({ options }).push(criOf('java.lang.Error: x\n\tat a.A.a(A.java:1)'));
  assert.equal(harness.messages.length, 2);
});

const at = (seconds: string, stream: string, text: string, tag = 'F'): string =>
  `2026-11-23T04:30:${seconds}Z ${stream} ${tag} ${text}\n`;

const JAVA_TRACE = at('00.1', 'stderr', 'java.lang.Error: x') + at('00.2', 'stderr', '\tat a.A.a(A.java:1)');

for (const isGeneralOnly of [false, true]) {
  const path = isGeneralOnly ? 'general' : 'hot';
  const options = { options: { isGeneralOnly } };

  test(`a trace is given out when a line of another stream is later than the patience, ${path} path`, () => {
    const harness = new DecoderHarness(options).push(JAVA_TRACE + at('01.2', 'stdout', 'just in time'));
    assert.deepEqual(harness.messages, ['just in time']);
    assert.equal(harness.decoder.safeOffset, 0);
    harness.push(at('01.201', 'stdout', 'late') + at('01.3', 'stdout', 'after'));
    assert.deepEqual(harness.messages.slice(1), [
      'java.lang.Error: x\n\tat a.A.a(A.java:1)',
      'late',
      'after',
    ]);
    assert.ok(!harness.decoder.hasIdleRecord);
    assert.equal(harness.decoder.safeOffset, harness.offset);
    assert.equal(harness.accountedBytes, harness.offset);
  });

  test(`a late line ends only those traces that it is late for, ${path} path`, () => {
    const other = at('00.9', 'stdout', 'java.lang.Error: y');
    const harness = new DecoderHarness(options).push(JAVA_TRACE + other);
    harness.push(at('01.5', 'stdout', '\tat b.B.b(B.java:2)'));
    assert.deepEqual(harness.messages, ['java.lang.Error: x\n\tat a.A.a(A.java:1)']);
    assert.equal(harness.decoder.safeOffset, JAVA_TRACE.length);
    assert.deepEqual(harness.flush('idle').messages.slice(1), ['java.lang.Error: y\n\tat b.B.b(B.java:2)']);
  });

  test(`a piece of a line that waits gives out traces that it is late for, and waits on, ${path} path`, () => {
    const harness = new DecoderHarness(options).push(at('00', 'stdout', 'half', 'P') + JAVA_TRACE);
    harness.push(at('05', 'stdout', ' and', 'P'));
    assert.deepEqual(harness.messages, ['java.lang.Error: x\n\tat a.A.a(A.java:1)']);
    assert.equal(harness.decoder.safeOffset, 0);
    assert.deepEqual(harness.push(at('59', 'stdout', ' whole')).messages.slice(1), ['half and whole']);
    assert.equal(harness.decoder.safeOffset, harness.offset);
  });

  test(`a line without a stamp ends no trace of another stream, ${path} path`, () => {
    const file = { format: 'auto' } as const;
    const trace = JAVA_TRACE.replaceAll('2026', '2025');
    const harness = new DecoderHarness({ ...options, file }).push(`${trace}plain\n`);
    assert.deepEqual(harness.messages, ['plain']);
    const plain = new DecoderHarness({ ...options, file }).push(
      'java.lang.Error: p\n' + JAVA_TRACE.replaceAll('2026', '2027'),
    );
    assert.deepEqual(plain.messages, []);
  });
}

test('a trace of a rotated file is given out by a late line of another stream in the next', () => {
  const lanes = new ContainerLanes();
  const first = new DecoderHarness({ lanes }).push(JAVA_TRACE);
  const second = new DecoderHarness({ lanes, file: { fileId: FILE_B } });
  second.push(at('05', 'stdout', 'late'));
  assert.deepEqual(second.messages, ['java.lang.Error: x\n\tat a.A.a(A.java:1)', 'late']);
  assert.equal(first.decoder.safeOffset, first.offset);
  assert.equal(second.decoder.safeOffset, second.offset);
  assert.equal(first.accountedBytes + second.accountedBytes, first.offset + second.offset);
});

test('a line that s6-log may have split still joins its trace when the next one is late', () => {
  const stamp = (second: string, text: string): string => `2026-11-23 04:47:${second}.000000000  ${text}\n`;
  const harness = new DecoderHarness({ file: { format: 's6' }, options: { s6LineBytes: 20 } });
  harness.push(stamp('01', 'java.lang.Error: x') + stamp('02', '\tat a.A.aaa(A.java:1'));
  assert.deepEqual(harness.push(stamp('09', 'late')).messages, [
    'java.lang.Error: x\n\tat a.A.aaa(A.java:1',
    'late',
  ]);
});

test('a reader that begins again in the middle of a trace over its limits makes the same records of it', () => {
  const options = { multiline: { ...MULTILINE, linesMax: 2 } };
  const frames = Array.from({ length: 45 }, (_, i) => `\tat a.A.f${i}(A.java:${i})`);
  const lines = criOf(['before', 'java.lang.Error: deep', ...frames, 'after'].join('\n')).split(/(?<=\n)/);
  const harness = new DecoderHarness({ options });
  const safeOffsets = new Set(lines.map((line) => harness.push(line).decoder.safeOffset));
  const all = harness.text.split('\n');
  // Sixteen parts of two lines hold the safe offset back, what follows does not.
  assert.deepEqual(harness.messages.slice(16, 19), [
    '\tat a.A.f29(A.java:29)\n\tat a.A.f30(A.java:30)',
    frames[31],
    frames[32],
  ]);
  assert.equal(safeOffsets.size, 16);
  for (const offset of safeOffsets) {
    const again = new DecoderHarness({ options }, offset).push(lines.join('').slice(offset));
    const rest = again.text.split('\n');
    assert.deepEqual(rest, all.slice(all.length - rest.length), `from ${offset}`);
  }
});
