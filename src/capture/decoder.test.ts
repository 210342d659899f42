import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerLanes } from './container-lanes.ts';
import { DecoderHarness, FILE_A, FILE_B } from './decoder-harness.ts';

const TIME = '2026-11-23T04:30:00.123456789Z';
const READ_TIME = '2026-11-23T04:30:00.500000000Z';

const cri = (text: string, tag = 'F', stream = 'stdout', time = TIME): string =>
  `${time} ${stream} ${tag} ${text}\n`;

test('a CRI line becomes a document of the agreed layout, byte by byte', () => {
  const resource = { kubernetes: { namespace: 'shop' }, host: { name: 'node-1' } };
  const { text } = new DecoderHarness({ file: { resource } }).push(cri('said "hi" \\ tab\there \u0001 ü 😀'));
  assert.equal(
    text,
    `{"@timestamp":"${TIME}","message":"said \\"hi\\" \\\\ tab\\there \\u0001 ü 😀","stream":"stdout",` +
      `"log":{"offset":0,"file":{"path":"/logs/a.log"}},"event":{"id":"${FILE_A}-000000000000"},` +
      `"kubernetes":{"namespace":"shop"},"host":{"name":"node-1"}}\n`,
  );
});

test('times become UTC with nine digits, from any zone and fraction', () => {
  const stamps = ['2026-11-23T04:30:00Z', '2026-11-23T04:30:00.5Z', '2026-11-23T00:15:00.000000001+05:30'];
  stamps.push('2026-12-31T23:59:59.1234567899-01:00', '2024-02-29T12:00:00Z');
  const harness = new DecoderHarness().push(stamps.map((stamp) => cri('x', 'F', 'stdout', stamp)).join(''));
  assert.deepEqual(
    harness.documents.map((document) => document['@timestamp']),
    [
      '2026-11-23T04:30:00.000000000Z',
      '2026-11-23T04:30:00.500000000Z',
      '2026-11-22T18:45:00.000000001Z',
      '2027-01-01T00:59:59.123456789Z',
      '2024-02-29T12:00:00.000000000Z',
    ],
  );
});

test('a clock that jumps back leaves the times as they were written', () => {
  const harness = new DecoderHarness().push(
    cri('a') + cri('b', 'F', 'stdout', '2026-11-23T03:00:00.000000001Z'),
  );
  assert.deepEqual(
    harness.documents.map((document) => document['@timestamp']),
    [TIME, '2026-11-23T03:00:00.000000001Z'],
  );
});

test('lines that are not CRI stay whole, with the reason and the time of the line before', () => {
  const bad = [
    'no tags here',
    '2026-11-23T04:30:00Z stdout',
    '2026-11-23T04:30:00Z stdin F x',
    '2026-02-30T04:30:00Z stdout F x',
    '',
  ];
  const harness = new DecoderHarness().push(cri('good') + bad.map((line) => `${line}\n`).join(''));
  const [, ...rest] = harness.documents;
  assert.deepEqual(
    rest.map(({ message }) => message),
    bad,
  );
  for (const document of rest) {
    assert.equal(document.log.parse_error, 'not a CRI line');
    assert.equal(document['@timestamp'], TIME);
    assert.equal(document.stream, 'file');
  }
});

test('a malformed first line takes the time of reading', () => {
  assert.equal(new DecoderHarness().push('broken\n').documents[0]?.['@timestamp'], READ_TIME);
});

test('empty messages are records, with and without the blank behind the tag, and tags may have more parts', () => {
  const harness = new DecoderHarness().push(
    `${TIME} stdout F \n${TIME} stdout F\n${TIME} stderr F:a:b text\n`,
  );
  assert.deepEqual(harness.messages, ['', '', 'text']);
});

test('G8: pieces of stdout and stderr that interleave are joined per stream', () => {
  const harness = new DecoderHarness().push(
    cri('one ', 'P') + cri('err ', 'P', 'stderr') + 'garbage\n' + cri('two') + cri('or', 'F', 'stderr'),
  );
  assert.deepEqual(
    harness.documents.map(({ message, stream, log }) => [stream, message, log.offset]),
    [
      ['file', 'garbage', 90],
      ['stdout', 'one two', 0],
      ['stderr', 'err or', 45],
    ],
  );
  assert.equal(harness.decoder.safeOffset, harness.offset);
});

test('a character that pieces cut in two is whole again', () => {
  const bytes = Buffer.from('ü');
  const head = Buffer.from(`${TIME} stdout P `);
  const tail = Buffer.from(`${TIME} stdout F `);
  const line = Buffer.from('\n');
  const harness = new DecoderHarness();
  harness.push(Buffer.concat([head, bytes.subarray(0, 1), line, tail, bytes.subarray(1), line]));
  assert.deepEqual(harness.messages, ['ü']);
});

test('G8: a line that begins in a rotated file and ends in the next is one record of the first', () => {
  const lanes = new ContainerLanes();
  const first = new DecoderHarness({ lanes });
  const second = new DecoderHarness({ lanes, file: { fileId: FILE_B, path: '/logs/b.log' } });
  first.push(cri('before') + cri('begins ', 'P'));
  const start = cri('before').length;
  assert.equal(first.decoder.safeOffset, start);
  second.push(cri('alone', 'F', 'stderr') + cri('ends') + cri('after'));
  assert.deepEqual(
    second.documents.map(({ message, log, event }) => [
      message,
      log.offset,
      log.file.path,
      event.id.slice(0, 20),
    ]),
    [
      ['alone', 0, '/logs/b.log', FILE_B],
      ['begins ends', start, '/logs/a.log', FILE_A],
      ['after', cri('alone').length + cri('ends').length, '/logs/b.log', FILE_B],
    ],
  );
  const joint = second.batches.find(({ fileId }) => fileId === FILE_A);
  assert.deepEqual(joint?.commits.map(({ fileId }) => fileId).toSorted(), [FILE_A, FILE_B]);
  assert.equal(first.decoder.safeOffset, first.offset);
  assert.equal(second.decoder.safeOffset, second.offset);
  assert.equal(first.accountedBytes + second.accountedBytes, first.offset + second.offset);
});

test('the safe offset never falls into a record of several pieces', () => {
  const harness = new DecoderHarness().push(cri('a', 'P') + cri('b', 'P', 'stderr') + cri('c'));
  assert.deepEqual(harness.messages, ['ac']);
  assert.equal(harness.decoder.safeOffset, 0);
  harness.push(cri('d', 'F', 'stderr'));
  assert.equal(harness.decoder.safeOffset, harness.offset);
});

test('pieces of a container that has gone are given out, flagged partial', () => {
  const harness = new DecoderHarness().push(cri('half', 'P') + `${TIME} stderr F no newline`);
  assert.deepEqual(harness.flush('idle').messages, []);
  harness.flush('gone');
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.flags]),
    [
      ['half', ['partial']],
      ['no newline', ['partial']],
    ],
  );
  assert.equal(harness.accountedBytes, harness.offset);
});

test('a record that goes on in a later file outlives the file that it began in', () => {
  const lanes = new ContainerLanes();
  const first = new DecoderHarness({ lanes }).push(cri('a', 'P'));
  const second = new DecoderHarness({ lanes, file: { fileId: FILE_B } }).push(cri('b', 'P'));
  assert.deepEqual(first.flush('gone').messages, []);
  assert.deepEqual(second.push(cri('c')).messages, ['abc']);
});

test('Docker lines are decoded, joined by their missing newline, and tolerate attributes', () => {
  const docker = (log: string, extra = {}): string =>
    `${JSON.stringify({ log, stream: 'stderr', ...extra, time: TIME })}\n`;
  const harness = new DecoderHarness({ file: { format: 'docker' } }).push(
    docker('a "quoted" \\ line\n') +
      docker('x'.repeat(600)) +
      docker('y\r\n', { attrs: { tag: 'v"1}', n: [1, { a: 2 }] } }) +
      `{"log":"\\u003cb\\u003e \\ud83d\\ude00 \\ud83d\\n","stream":"stdout","time":"${TIME}"}\n`,
  );
  assert.deepEqual(
    harness.documents.map(({ message, stream, log }) => [message, stream, log.flags]),
    [
      ['a "quoted" \\ line', 'stderr', undefined],
      [`${'x'.repeat(600)}y`, 'stderr', ['cr']],
      ['<b> 😀 \ufffd', 'stdout', undefined],
    ],
  );
});

test('lines that are no JSON, or lack `log`, are kept in a Docker file', () => {
  const bad = ['{"log":"cut', '{"message":"x"}', 'text', '{"log":"a\\n"} x'];
  const harness = new DecoderHarness({ file: { format: 'docker' } }).push(
    bad.map((line) => `${line}\n`).join(''),
  );
  assert.deepEqual(harness.messages, bad);
  assert.ok(harness.documents.every(({ log }) => log.parse_error === 'not a Docker line'));
});

test('formats are recognised line by line', () => {
  const docker = `{"log":"from docker\\n","stream":"stdout","time":"${TIME}"}\n`;
  assert.deepEqual(new DecoderHarness().push(cri('a') + docker).messages, ['a', 'from docker']);
  const harness = new DecoderHarness({ file: { format: 'auto' } }).push(
    `${cri('a')}${docker}plain {x}\n{"log":"mine","level":"info"}\n@400000006b03c57539abfeef tai\n`,
  );
  assert.deepEqual(harness.messages, [
    'a',
    'from docker',
    'plain {x}',
    '{"log":"mine","level":"info"}',
    'tai',
  ]);
});

test('s6-log stamps are read: TAI64N with its distance, local time with its zone, and none', () => {
  const harness = new DecoderHarness({
    file: { format: 's6', stream: 'stderr' },
    options: { timeZone: () => 3600 },
  }).push('@400000006b03c57539abfeef tai\n2026-11-23 04:47:13.221084517  local\nnone\n@4000 short\n');
  assert.deepEqual(
    harness.documents.map((document) => [document['@timestamp'], document.message, document.stream]),
    [
      ['2026-11-23T04:47:12.967573231Z', 'tai', 'stderr'],
      ['2026-11-23T03:47:13.221084517Z', 'local', 'stderr'],
      [READ_TIME, 'none', 'stderr'],
      [READ_TIME, '@4000 short', 'stderr'],
    ],
  );
});

test('lines that s6-log has split at its limit are joined and flagged, and do not wait for ever', () => {
  const stamp = (ms: number, text: string): string =>
    `2026-11-23 04:47:13.${String(ms).padStart(3, '0')}000000  ${text}\n`;
  const options = { file: { format: 's6' }, options: { s6LineBytes: 8 } } as const;
  const harness = new DecoderHarness(options).push(
    stamp(1, '12345678') + stamp(1, '90') + stamp(2, 'x') + stamp(3, '87654321'),
  );
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.flags]),
    [
      ['1234567890', ['s6_split']],
      ['x', undefined],
    ],
  );
  assert.ok(harness.decoder.hasIdleRecord);
  assert.deepEqual(harness.flush('idle').messages.slice(2), ['87654321']);
  assert.ok(!harness.decoder.hasIdleRecord);
});

test('a byte order mark is skipped and counted, a trailing CR stripped and flagged', () => {
  const harness = new DecoderHarness({ file: { format: 'plain' } }).push('\ufefffirst\r\nse\rcond\n\r\n');
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.offset, log.flags]),
    [
      ['first', 3, ['cr']],
      ['se\rcond', 10, undefined],
      ['', 18, ['cr']],
    ],
  );
  assert.equal(harness.droppedBytes('byte_order_mark'), 3);
  assert.equal(harness.accountedBytes, harness.offset);
});

test('runs of NULs are skipped and counted, a single one stays', () => {
  const harness = new DecoderHarness({ file: { format: 'plain' } }).push('\0\0\0a\0b\0\0c\n');
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.offset]),
    [['a\0bc', 3]],
  );
  assert.equal(harness.droppedBytes('nul_run'), 5);
});

test('a sparse beginning of NULs is accounted for before its first line comes', () => {
  const harness = new DecoderHarness({ file: { format: 'plain' } });
  for (let i = 0; i < 4; i++) harness.push(new Uint8Array(1000));
  assert.equal(harness.decoder.safeOffset, 3998);
  assert.equal(harness.droppedBytes('nul_run'), 3998);
  assert.deepEqual(
    harness.push('x\n').documents.map(({ log }) => log.offset),
    [4000],
  );
  assert.equal(harness.accountedBytes, harness.offset);
});

test('invalid UTF-8 is replaced per maximal subpart and counted', () => {
  const bytes = Buffer.from([
    0x61, 0xff, 0xe2, 0x82, 0x41, 0xf0, 0x9f, 0x98, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x0a,
  ]);
  const harness = new DecoderHarness({ file: { format: 'plain' } }).push(bytes);
  assert.deepEqual(harness.messages, [new TextDecoder().decode(bytes).trimEnd()]);
  assert.equal(harness.decoder.counts.invalidSequences, 8);
});

test('UTF-16 with a mark, and Latin-1 by option, become UTF-8', () => {
  const utf16 = Buffer.from('\ufeffGröße 😀\r\nzwei\n', 'utf16le');
  const plain = { file: { format: 'plain' } } as const;
  const harness = new DecoderHarness(plain).push(utf16);
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.offset]),
    [
      ['Größe 😀', 2],
      ['zwei', 22],
    ],
  );
  assert.equal(harness.accountedBytes, utf16.length);
  assert.deepEqual(new DecoderHarness(plain).push(Buffer.from(utf16).swap16()).messages, [
    'Größe 😀',
    'zwei',
  ]);
  const latin1 = new DecoderHarness({ ...plain, options: { encoding: 'latin1' } });
  assert.deepEqual(latin1.push(Buffer.from('Größe\n', 'latin1')).messages, ['Größe']);
});

test('a line over the limit is truncated at a character, with its length and its missing bytes counted', () => {
  const harness = new DecoderHarness({ options: { lineBytesMax: 64 } }).push(
    cri(`${'a'.repeat(63)}üxyz`) + cri('next'),
  );
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message, log.flags, log.original_length]),
    [
      ['a'.repeat(63), ['truncated'], 68],
      ['next', undefined, undefined],
    ],
  );
  assert.equal(harness.droppedBytes('line_too_long'), 5);
  assert.equal(harness.accountedBytes, harness.offset);
});

test('a line of 100 MB without a newline costs no memory', () => {
  const harness = new DecoderHarness({ file: { format: 'plain' } });
  const chunk = new Uint8Array(1_000_000).fill(120);
  let heldBytesMax = 0;
  for (let i = 0; i < 100; i++) {
    harness.push(chunk);
    heldBytesMax = Math.max(heldBytesMax, harness.decoder.heldBytes);
  }
  harness.push('\nnext\n');
  assert.ok(heldBytesMax < 200_000, `held ${heldBytesMax} bytes`);
  assert.deepEqual(
    harness.documents.map(({ log }) => [log.original_length, log.offset]),
    [
      [100_000_000, 0],
      [undefined, 100_000_001],
    ],
  );
  assert.equal(harness.droppedBytes('line_too_long'), 100_000_000 - 1024);
  assert.equal(harness.accountedBytes, harness.offset);
});

test('a long line is split into numbered parts with offsets of their own, as it comes', () => {
  const options = { file: { format: 'plain' }, options: { longLines: 'split', lineBytesMax: 100 } } as const;
  const harness = new DecoderHarness(options).push('ab'.repeat(125) + '\nnext\n');
  assert.deepEqual(
    harness.documents.map(({ message, log }) => [message.length, log.offset, log.sequence, log.flags]),
    [
      [100, 0, 0, ['split']],
      [100, 100, 1, ['split']],
      [50, 200, 2, ['split']],
      [4, 251, undefined, undefined],
    ],
  );
  const endless = new DecoderHarness(options);
  for (let i = 0; i < 30; i++) endless.push('x'.repeat(10_000));
  assert.ok(endless.documents.length > 1000);
  assert.ok(endless.decoder.heldBytes < 400_000);
  assert.equal(endless.decoder.safeOffset, 0);
  endless.push('\n');
  assert.equal(endless.accountedBytes, endless.offset);
  assert.equal(endless.messages.join('').length, 300_000);
});

test('a renamed file gives later documents its new path', () => {
  const harness = new DecoderHarness().push(cri('a'));
  harness.decoder.setPath('/logs/a.log.1');
  assert.deepEqual(
    harness.push(cri('b')).documents.map(({ log }) => log.file.path),
    ['/logs/a.log', '/logs/a.log.1'],
  );
});

test('lines without a stamp take the time at which their first byte was read', () => {
  const harness = new DecoderHarness({ file: { format: 'plain' } });
  harness.push('one\ntw', 1_000_000_000n).push('o\nthree\n', 2_000_000_000n);
  assert.deepEqual(
    harness.documents.map((document) => document['@timestamp'].slice(17, 19)),
    ['01', '01', '02'],
  );
});

test('a malformed line does not overtake Docker lines that name no stream, which share its lane', () => {
  const docker = (log: string): string => `${JSON.stringify({ log, time: TIME })}\n`;
  const harness = new DecoderHarness({ file: { format: 'docker' } }).push(
    `${docker('java.lang.Error: x\n')}broken\n${docker('half')}broken too\n`,
  );
  assert.deepEqual(
    harness.documents.map(({ message, stream, log }) => [message, stream, log.flags]),
    [
      ['java.lang.Error: x', 'file', undefined],
      ['broken', 'file', undefined],
      ['half', 'file', ['partial']],
      ['broken too', 'file', undefined],
    ],
  );
  assert.equal(harness.accountedBytes, harness.offset);
});
