import { systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { BufferPool } from '../../capture/buffer-pool.ts';
import type { ContainerLanes } from '../../capture/container-lanes.ts';
import { createDecoder, type DecoderOptions } from '../../capture/decoder.ts';
import { lastTimeIn } from '../../capture/last-time.ts';
import type { Decoder } from '../../capture/decoder-types.ts';
import { detectEncoding } from '../../capture/encoding.ts';
import { taiLabelSeconds, taiOffsetSecondsOf } from '../../capture/s6-stamp.ts';
import type { Config } from '../../config/config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { GroupSpec } from '../discovery/layout.ts';
import { readAt } from './fingerprint.ts';
import type { TailedFile } from './tailed-file.ts';
import { createZoneOffset } from './zone-offset.ts';

/** What Debian's s6 writes: labels 37 seconds ahead of Unix time. */
const TAI_OFFSET_SECONDS_USUAL = 37;

/** Enough of a file's end to hold the beginning of its last line, mostly. */
const TAIL_BYTES = 16 * 1024;

/** How far back a stamp is looked for: a line of the runtime's has at most some 16 KiB. */
const LOOK_BACK_BYTES = 64 * 1024;

const NEWLINE = 10;
const NS_PER_SECOND = 1_000_000_000n;

export interface DecoderFactoryOptions {
  readonly config: Config;
  readonly buffers: BufferPool;
  readonly fileSystem: FileSystem;
  readonly telemetry: Telemetry;
  readonly resourceOf: (spec: GroupSpec) => Readonly<Record<string, unknown>>;
}

/** Returns a function that makes the decoder of a file. */
export function createDecoderFactory(
  options: DecoderFactoryOptions,
): (spec: GroupSpec, file: TailedFile, lanes: ContainerLanes) => Decoder {
  const { buffers } = options;
  const { agent } = options.config;
  const zones = new Map<string | undefined, (localSeconds: number) => number>();
  const taiOffsets = new Map<string, number>();

  return (spec, file, lanes) => {
    const { source } = spec;
    return createDecoder(
      {
        fileId: file.id ?? '',
        path: file.path,
        format: spec.format,
        stream: spec.stream,
        resource: options.resourceOf(spec),
      },
      lanes,
      {
        lineBytesMax: agent.lineBytesMax,
        longLines: agent.longLines,
        multiline: source.multiline,
        encoding: encodingOf(source.encoding, file),
        timeZone: zoneOf(source.timeZone),
        taiOffsetSeconds: source.taiOffsetSeconds ?? taiOffsetOf(spec, file),
        buffers,
        s6LineBytes: source.s6LineBytesMax,
        lastTime: lastTimeBefore(options.fileSystem, spec, file),
      },
    );
  };

  function zoneOf(zone: string | undefined): (localSeconds: number) => number {
    const known = zones.get(zone);
    if (known !== undefined) return known;
    const made = createZoneOffset(zone);
    zones.set(zone, made);
    return made;
  }

  /** Settles the distance of TAI64N labels from Unix time once per directory: the last label against the file's time. */
  function taiOffsetOf(spec: GroupSpec, file: TailedFile): number {
    const known = taiOffsets.get(spec.directory);
    if (known !== undefined || spec.style !== 's6' || file.fd === undefined)
      return known ?? TAI_OFFSET_SECONDS_USUAL;
    const offset = measureTaiOffset(options.fileSystem, file.fd, file.size);
    if (offset === undefined) return TAI_OFFSET_SECONDS_USUAL;
    taiOffsets.set(spec.directory, offset);
    const text = `${spec.directory}: TAI64N labels are ${offset} s ahead of Unix time`;
    options.telemetry.log('info', 'tai_offset', text, { directory: spec.directory, offset });
    return offset;
  }
}

/**
 * Returns the time of the last record before the read offset, which a malformed line behind it takes; undefined where
 * that cannot be looked at, or no line of the runtime's stands within reach.
 */
function lastTimeBefore(fileSystem: FileSystem, spec: GroupSpec, file: TailedFile): Uint8Array | undefined {
  if (file.fd === undefined || file.readOffset === 0) return undefined;
  if (spec.format !== 'cri' && spec.format !== 'docker') return undefined;
  const start = Math.max(0, file.readOffset - LOOK_BACK_BYTES);
  try {
    return lastTimeIn(readAt(fileSystem, file.fd, start, file.readOffset - start), spec);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** A decoder that begins behind the byte order mark has to be told what it said. */
function encodingOf(encoding: DecoderOptions['encoding'], file: TailedFile): DecoderOptions['encoding'] {
  return encoding === 'auto' && file.readOffset > 0 ? detectEncoding(file.headBytes) : encoding;
}

/** Compares the last label with the file's time; undefined without a label, or when the file cannot be read now. */
function measureTaiOffset(fileSystem: FileSystem, fd: number, size: number): number | undefined {
  try {
    const label = lastLabel(fileSystem, fd, size);
    if (label === undefined) return undefined;
    return taiOffsetSecondsOf(label, Number(fileSystem.fstat(fd).modifiedTimeNs / NS_PER_SECOND));
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Returns the TAI64N label of the last line, in seconds, or undefined when it has none. */
function lastLabel(fileSystem: FileSystem, fd: number, size: number): number | undefined {
  const start = Math.max(0, size - TAIL_BYTES);
  const bytes = readAt(fileSystem, fd, start, size - start);
  const end = bytes.lastIndexOf(NEWLINE);
  if (end < 0) return undefined;
  const lineStart = bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  const label = taiLabelSeconds(bytes, lineStart, end);
  return label < 0 ? undefined : label;
}
