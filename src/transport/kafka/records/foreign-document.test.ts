import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { eventIdOf } from '../../../record/identity.ts';
import { DocumentIdentity } from './document-identity.ts';
import { foreignFileId, readForeign, type IdentifiedDocument } from './foreign-document.ts';

const TIME_MS = 1_795_408_200_123;
const TIME = '2026-11-23T04:30:00.123000000Z';
const FILE_ID = 'aaaaaaaaaaaaaaaaaaaa';

function read(value: Buffer | string, offset = 5, key = ''): IdentifiedDocument[] {
  const place = { fileId: FILE_ID, offset, timestampMs: TIME_MS, fileIdOf: (run: string) => run };
  return readForeign(Buffer.from(value), { ...place, isOwnFileId: (fileId) => fileId === key });
}

const textOf = (value: Buffer | string): string => read(value)[0]?.line.toString() ?? '';

void test('a JSON object passes on as it is, on one line', () => {
  const filebeat =
    '{"@timestamp":"2026-11-23T05:00:00.000Z","n":12345678901234567890,"message":"x","agent":{"type":"filebeat"}}';
  assert.deepEqual(read(filebeat), [{ fileId: FILE_ID, offset: 5, lane: 0, line: Buffer.from(filebeat) }]);
  const logstash = '{\n  "@timestamp" : "2026-11-23T05:00:00.000+01:00",\r\n  "message" : "a\\nb"\n}\n';
  assert.equal(
    textOf(logstash),
    '{   "@timestamp" : "2026-11-23T05:00:00.000+01:00",   "message" : "a\\nb" }',
  );
});

void test('a log that is text becomes the message, and one that is no object makes room for the one that is', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"log":"hello\\n","stream":"stdout"}', '"message":"hello\\n","stream":"stdout"}'],
    ['{"message":"x","log":"y"}', '"message":"x","original_log":"y"}'],
    ['{"log":[1],"a":{"log":2}}', '"original_log":[1],"a":{"log":2}}'],
    ['{"log":{"level":"warn"}}', '"log":{"level":"warn"}}'],
  ];
  for (const [given, expected] of cases) {
    assert.equal(textOf(given), `{"@timestamp":"${TIME}",${expected}`, given);
  }
});

void test('a time that is missing is that of the record, and one that cannot be kept stays beside it', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"message":"x"}', `{"@timestamp":"${TIME}","message":"x"}`],
    ['{}', `{"@timestamp":"${TIME}"}`],
    ['{"n":12345678901234567890}', `{"@timestamp":"${TIME}","n":12345678901234567890}`],
    [
      '{"@timestamp":"yesterday","a":1.10}',
      `{"@timestamp":"${TIME}","original_timestamp":"yesterday","a":1.10}`,
    ],
    [
      '{"a":[{"@timestamp":1}],"@timestamp" : 7 }',
      `{"@timestamp":"${TIME}","a":[{"@timestamp":1}],"original_timestamp" : 7 }`,
    ],
    [
      '{"@timestamp":"9999-01-01T00:00:00Z"}',
      `{"@timestamp":"${TIME}","original_timestamp":"9999-01-01T00:00:00Z"}`,
    ],
    [
      '{"@timestamp":"2026-13-45T99:00:00Z"}',
      `{"@timestamp":"${TIME}","original_timestamp":"2026-13-45T99:00:00Z"}`,
    ],
    [
      '{"@timestamp":{"x":"}"},"b":"\\""}',
      `{"@timestamp":"${TIME}","original_timestamp":{"x":"}"},"b":"\\""}`,
    ],
    ['{"@timestamp":null}', `{"@timestamp":"${TIME}","original_timestamp":null}`],
  ];
  for (const [given, expected] of cases) assert.equal(textOf(given), expected);
});

void test('what is no JSON object is kept as text', () => {
  const cases: readonly (readonly [Buffer | string, string, string])[] = [
    ['plain text', 'plain text', 'not_json'],
    ['', '', 'not_json'],
    ['{"cut":', '{"cut":', 'not_json'],
    ['[1,2]', '[1,2]', 'not_an_object'],
    ['null', 'null', 'not_an_object'],
    ['"text"', '"text"', 'not_an_object'],
    [Buffer.from([0xff, 0x00, 0xc3]), '\ufffd\u0000\ufffd', 'not_json'],
    ['two\nlines', 'two\nlines', 'not_json'],
  ];
  for (const [given, message, reason] of cases) {
    const expected = { '@timestamp': TIME, message, log: { parse_error: reason } };
    assert.deepEqual(JSON.parse(textOf(given)), expected);
    assert.ok(!textOf(given).includes('\n'));
  }
});

void test('half-written UTF-8 inside of JSON becomes U+FFFD, and the object stays one', () => {
  const value = Buffer.concat([Buffer.from('{"message":"gr'), Buffer.from([0xc3]), Buffer.from('n"}')]);
  assert.equal(textOf(value), `{"@timestamp":"${TIME}","message":"gr\ufffdn"}`);
});

void test('a document that something on the way has written anew keeps its identity, and gets a time like others', () => {
  const id = eventIdOf('0123456789abcdef0123', 77);
  const value = `{ "event": {"id": "${id}"}, "stream": "stderr", "message": "x", "@timestamp":"${TIME}" }`;
  const identity = { fileId: '0123456789abcdef0123', offset: 77, lane: 2 as const };
  assert.deepEqual(read(value, 5, identity.fileId), [{ ...identity, line: Buffer.from(value) }]);
  const timeless = `{"event":{"id":"${id}"},"stream":"stderr"}`;
  const line = Buffer.from(`{"@timestamp":"${TIME}",${timeless.slice(1)}`);
  assert.deepEqual(read(timeless, 5, identity.fileId), [{ ...identity, line }]);
});

void test('what carries the id of a record without being that record is a document of its own (G4)', () => {
  const id = eventIdOf('0123456789abcdef0123', 77);
  const given = `{"a":{"event":{"id":"${id}"}},"b":["event","id",{"event":1}],"event":{"x":["id","id"],"id":"${id}","n":12345678901234567890}}`;
  const expected = `{"@timestamp":"${TIME}","a":{"event":{"id":"${id}"}},"b":["event","id",{"event":1}],"event":{"x":["id","id"],"original_id":"${id}","n":12345678901234567890}}`;
  assert.deepEqual(read(given), [{ fileId: FILE_ID, offset: 5, lane: 0, line: Buffer.from(expected) }]);
});

void test('OTLP is taken apart into one document per log record, with ECS names', () => {
  const text = (stringValue: string): unknown => ({ stringValue });
  const request = {
    resourceLogs: [
      {
        resource: {
          attributes: [
            { key: 'k8s.namespace.name', value: text('shop') },
            { key: 'service.name', value: text('cart') },
            { key: 'team', value: text('blue') },
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'com.shop.Cart' },
            logRecords: [
              {
                timeUnixNano: '1795408200987654321',
                severityText: 'WARN',
                body: text('a'),
                traceId: 't',
                spanId: 's',
                attributes: [
                  { key: 'n', value: { intValue: '7' } },
                  { key: 'big', value: { intValue: '9223372036854775807' } },
                  {
                    key: 'list',
                    value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 1.5 }] } },
                  },
                ],
              },
              { severityNumber: 17, body: { kvlistValue: { values: [{ key: 'k', value: text('v') }] } } },
            ],
          },
        ],
      },
    ],
  };
  const documents = read(JSON.stringify(request), 2 ** 32 + 3);
  const place = documents.map(({ fileId, offset, lane }) => [fileId, offset, lane]);
  assert.deepEqual(place, [
    ['otlp-1', 3 * 65_536, 0],
    ['otlp-1', 3 * 65_536 + 1, 0],
  ]);
  const resource = { kubernetes: { namespace: 'shop' }, service: { name: 'cart' }, labels: { team: 'blue' } };
  assert.deepEqual(
    documents.map(({ line }) => JSON.parse(line.toString()) as unknown),
    [
      {
        '@timestamp': '2026-11-23T04:30:00.987654321Z',
        message: 'a',
        log: { level: 'warn', logger: 'com.shop.Cart' },
        fields: { n: 7, big: '9223372036854775807', list: [true, 1.5] },
        trace: { id: 't' },
        span: { id: 's' },
        ...resource,
      },
      {
        '@timestamp': TIME,
        message: '{"k":"v"}',
        log: { level: 'error', logger: 'com.shop.Cart' },
        ...resource,
      },
    ],
  );
  assert.deepEqual(read('{"resourceLogs":[null,7,{"scopeLogs":"x"}]}'), []);
});

void test('file ids of partitions are fixed by their place', () => {
  const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  const id = foreignFileId(['cluster', 'logs', 3, ''], hash);
  assert.match(id, /^[0-9a-f]{20}$/);
  assert.equal(id, foreignFileId(['cluster', 'logs', 3, ''], hash));
  assert.notEqual(id, foreignFileId(['cluster', 'logs', 4, ''], hash));
});

void test('a document in the layout is found by its bytes, and nothing else is taken for one', () => {
  const fileId = '0123456789abcdef0123';
  const document = (message: string, tail = ',"host":{"name":"h"}}'): Buffer =>
    Buffer.from(
      `{"@timestamp":"${TIME}","message":${JSON.stringify(message)},"stream":"stderr","log":{"offset":77,"file":{"path":"/x"}},"event":{"id":"${eventIdOf(fileId, 77)}"}${tail}`,
    );
  const identity = new DocumentIdentity();
  const trap = '","stream":"stdout","log":{"offset":1},"event":{"id":"ffffffffffffffffffff-000000000001"},"';
  for (const message of ['a', '', trap, 'b'.repeat(500), trap]) {
    const bytes = Buffer.concat([Buffer.from('xx'), document(message), Buffer.from('yy')]);
    assert.ok(identity.find(bytes, 2, bytes.length - 2), message);
    const found = bytes.toString('utf8', identity.fileIdStart, identity.fileIdStart + 20);
    assert.deepEqual([found, identity.offset, identity.lane], [fileId, 77, 2]);
  }
  const others = [
    '{"message":"x"}',
    document('a').toString().replace('stderr', 'other'),
    document('a').toString().replace(fileId, fileId.toUpperCase()),
    document('a').toString().replace('2026-11', '2026-13'),
    document('a').toString().slice(0, -2),
    '',
  ];
  for (const text of others) assert.ok(!identity.find(Buffer.from(text), 0, Buffer.byteLength(text)), text);
});

void test('a log record of OTLP whose time no store can keep gets that of its value', () => {
  const logRecords = [{ timeUnixNano: '9999999999999999999', body: { stringValue: 'later' } }];
  const [document] = read(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
  const { line } = document ?? { line: Buffer.from('{}') };
  assert.equal((JSON.parse(line.toString()) as Record<string, unknown>)['@timestamp'], TIME);
});

void test('what Filebeat 7.17 writes to Kafka, captured from it, passes on byte for byte', () => {
  const captured = [
    '{"@timestamp":"2026-11-23T08:20:00.123Z","@metadata":{"beat":"filebeat","type":"_doc","version":"7.17.29"},"ecs":{"version":"1.12.0"},"host":{"name":"vm"},"agent":{"name":"vm","type":"filebeat","version":"7.17.29","hostname":"vm","ephemeral_id":"f48dab8e-b51e-44e3-b49a-24a28cfde4db","id":"663d4b31-3b9b-4fce-a4c5-01642d1e4579"},"log":{"offset":0,"file":{"path":"/var/log/pods/a/0.log"}},"stream":"stdout","message":"a line of a container","input":{"type":"container"}}',
    '{"@timestamp":"2026-11-23T08:32:39.163Z","@metadata":{"beat":"filebeat","type":"_doc","version":"7.17.29"},"message":"a line of a file","input":{"type":"filestream"},"ecs":{"version":"1.12.0"},"host":{"name":"vm"},"agent":{"version":"7.17.29","hostname":"vm","ephemeral_id":"f48dab8e-b51e-44e3-b49a-24a28cfde4db","id":"663d4b31-3b9b-4fce-a4c5-01642d1e4579","name":"vm","type":"filebeat"},"log":{"offset":40,"file":{"path":"/var/log/app.log"}}}',
  ];
  for (const line of captured)
    assert.deepEqual(read(line, 9), [{ fileId: FILE_ID, offset: 9, lane: 0, line: Buffer.from(line) }]);
});
