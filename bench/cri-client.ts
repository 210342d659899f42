/** The few calls of the Container Runtime Interface that start a container: gRPC over HTTP/2, by hand. */
import { connect } from 'node:http2';
import { createConnection } from 'node:net';

/** A message by field numbers: text, a number, a message, or several of them. */
export type Message = readonly (readonly [number, string | number | Message])[];

const SERVICE = '/runtime.v1.RuntimeService/';
const PREFIX_BYTES = 5;
const LENGTH_DELIMITED = 2;

/** Calls a method, and returns its answer by field numbers; text and messages as bytes. Rejects with gRPC's message. */
export async function callRuntime(
  socket: string,
  method: string,
  request: Message,
): Promise<ReadonlyMap<number, Buffer | number>> {
  const client = connect('http://localhost', { createConnection: () => createConnection(socket) });
  try {
    const stream = client.request({
      ':method': 'POST',
      ':path': SERVICE + method,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let problem = '';
    stream.on('trailers', (trailers) => {
      if (trailers['grpc-status'] !== '0') problem = String(trailers['grpc-message']);
    });
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) problem = String(headers['grpc-message']);
    });
    const body = encode(request);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([prefix, body]));
    const chunks = await Array.fromAsync(stream as AsyncIterable<Buffer>);
    if (problem !== '') throw new Error(`${method}: ${problem}`);
    return decode(Buffer.concat(chunks).subarray(PREFIX_BYTES));
  } finally {
    client.close();
  }
}

function encode(message: Message): Buffer {
  return Buffer.concat(
    message.flatMap(([field, value]) => {
      if (typeof value === 'number') return [varint(field * 8), varint(value)];
      const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value);
      return [varint(field * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes];
    }),
  );
}

/** Returns the fields of a message; of one that is there several times the last. */
export function decode(bytes: Buffer): ReadonlyMap<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = next();
    const number = next();
    if (key % 8 !== LENGTH_DELIMITED) fields.set(Math.floor(key / 8), number);
    else {
      fields.set(Math.floor(key / 8), bytes.subarray(at, at + number));
      at += number;
    }
  }
  return fields;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
