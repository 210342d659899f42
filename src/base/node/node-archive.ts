import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { movedError } from '../errors.ts';

/** Bytes of a piece, compressed or not. Of content that is broken, what one piece would have held is lost. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Opens a compressed file as its plain bytes, inflated off the event loop one chunk ahead of the reader. Iteration
 * fails as the file system does, or with zlib's `Z_…` and `ZSTD_…` codes for content that is broken or cut short;
 * what could be inflated comes before the failure. With `inode` (`device:inode`) it fails with `ESTALE` when another
 * file has the name by then.
 */
export async function* openArchive(
  path: string,
  compression: 'gz' | 'zst',
  inode?: string,
): AsyncGenerator<Uint8Array> {
  const handle = await openFile(path, inode);
  const inflate =
    compression === 'gz'
      ? createGunzip({ chunkSize: CHUNK_BYTES })
      : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  const file = handle.createReadStream({ highWaterMark: CHUNK_BYTES });
  const chunks: Uint8Array[] = [];
  let failure: Error | undefined;
  let isEnded = false;
  let wake = (): void => undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  // Iterating over the stream itself would drop what it holds when it fails.
  inflate.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    inflate.pause();
    wake();
  });
  inflate.on('end', () => {
    isEnded = true;
    wake();
  });
  inflate.on('error', fail);
  file.on('error', fail);
  file.pipe(inflate);
  try {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (failure !== undefined) throw failure;
      else if (isEnded) return;
      else {
        const woken = new Promise<void>((resolve) => void (wake = resolve));
        inflate.resume();
        await woken;
      }
    }
  } finally {
    file.destroy();
    inflate.destroy();
  }
}

async function openFile(path: string, inode: string | undefined): Promise<FileHandle> {
  const handle = await open(path, 'r');
  if (inode === undefined) return handle;
  const stat = await handle.stat({ bigint: true });
  if (`${stat.dev}:${stat.ino}` === inode) return handle;
  await handle.close();
  throw movedError(path);
}
