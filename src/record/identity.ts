/**
 * Who a file and a record are (G4).
 *
 *   file id    20 lower-case hexadecimal digits: 80 bits of a SHA-256 over what makes this file this file
 *   event id   file id + `-` + 12 lower-case hexadecimal digits of the offset of the record's first byte
 *
 * Both have a fixed width, so event ids of one file sort as text in the order of their offsets.
 */

/** Digits of a file id. */
export const FILE_ID_LENGTH = 20;

/** What the ids begin with under which gaps are stored (`gap-document.ts`): `gap` in ASCII. */
export const GAP_ID_PREFIX = '676170';

/** What the ids begin with under which heartbeats of agents are kept (`heartbeat.ts`): `node` in ASCII. */
export const HEARTBEAT_ID_PREFIX = '6e6f6465';

/** Hexadecimal digits of an offset: 2^48 bytes is 256 TiB, more than any file of logs. */
export const OFFSET_HEX_LENGTH = 12;

export const EVENT_ID_LENGTH = FILE_ID_LENGTH + 1 + OFFSET_HEX_LENGTH;

/** The first line counts up to this many bytes; longer ones are told apart by their inode. */
export const FIRST_LINE_BYTES_MAX = 1024;

/** What a file is recognised by. */
export interface FileIdentity {
  readonly cluster: string;
  readonly node: string;
  /** Pod uid and container, or the application's directory. */
  readonly directory: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** Separates the lives of a file that was truncated and written again. */
  readonly generation: number;
  /** The first whole line without its newline; only its first `FIRST_LINE_BYTES_MAX` bytes count. */
  readonly firstLine: Uint8Array;
}

const HEX = '0123456789abcdef';
const EVENT_ID = /^([0-9a-f]{20})-([0-9a-f]{12})$/;

/** Returns the file id. `sha256` is the platform's hash function. */
export function computeFileId(identity: FileIdentity, sha256: (bytes: Uint8Array) => Uint8Array): string {
  const { cluster, node, directory, device, inode, generation, firstLine } = identity;
  // JSON keeps the parts apart whatever characters they contain.
  const head = JSON.stringify([cluster, node, directory, `${device}:${inode}`, generation]);
  const headBytes = new TextEncoder().encode(head);
  const line = firstLine.subarray(0, FIRST_LINE_BYTES_MAX);
  const input = new Uint8Array(headBytes.length + line.length);
  input.set(headBytes, 0);
  input.set(line, headBytes.length);
  const fileId = toHex(sha256(input).subarray(0, FILE_ID_LENGTH / 2));
  const isTaken = fileId.startsWith(GAP_ID_PREFIX) || fileId.startsWith(HEARTBEAT_ID_PREFIX);
  return isTaken ? `f${fileId.slice(1)}` : fileId;
}

/** Returns `bytes` as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** Returns the id of the record whose first byte stands at `offset` of the file. */
export function eventIdOf(fileId: string, offset: number): string {
  return `${fileId}-${offset.toString(16).padStart(OFFSET_HEX_LENGTH, '0')}`;
}

/** Returns the parts of an event id, or undefined when it is not one of Logboom's. */
export function parseEventId(eventId: string): { fileId: string; offset: number } | undefined {
  const match = EVENT_ID.exec(eventId);
  if (match === null) return undefined;
  return { fileId: match[1] ?? '', offset: Number.parseInt(match[2] ?? '', 16) };
}
