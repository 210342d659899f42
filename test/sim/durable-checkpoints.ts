/** What a power loss would leave of the agent's checkpoints, at any moment of a simulation. */
import type { FileCheckpoint } from '../../src/agent/ship/checkpoint-store.ts';
import { openCheckpoints } from '../../src/agent/ship/checkpoint-store.ts';
import { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import { fileKey } from './simulated-machine.ts';

/** Bytes by name. */
type DurableCopy = ReadonlyMap<string, Uint8Array>;

/** Copies of the same bytes are opened once. */
const OPENED_MAX = 1;

export class DurableCheckpoints {
  readonly #fileSystem: MemoryFileSystem;
  readonly #directory: string;
  readonly #opened = new Map<string, Promise<ReadonlyMap<string, readonly FileCheckpoint[]>>>();

  constructor(fileSystem: MemoryFileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** Copies what is on the disk now, by name, without what no sync has brought there. */
  copy(): DurableCopy {
    const copied = new Map<string, Uint8Array>();
    for (const { name } of this.#fileSystem.readDirectory(this.#directory)) {
      if (!name.startsWith('checkpoints.')) continue;
      copied.set(name, this.#fileSystem.syncedBytes(`${this.#directory}/${name}`));
    }
    return copied;
  }

  /** Reads a copy as the agent would after the power loss; by `fileKey`, each life of a file. */
  open(copy: DurableCopy): Promise<ReadonlyMap<string, readonly FileCheckpoint[]>> {
    const key = [...copy].map(([name, bytes]) => `${name} ${bytes.length}`).join(', ');
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    if (this.#opened.size >= OPENED_MAX) this.#opened.clear();
    const opened = openCopy(copy);
    this.#opened.set(key, opened);
    return opened;
  }
}

/**
 * Takes back what a power loss may take of checkpoints that are on no disk yet, down to a random byte, and leaves
 * everything else: that is worse than the loss of all that is not synced, because what was delivered stays delivered.
 */
export function loseCheckpoints(fileSystem: MemoryFileSystem, directory: string, random: () => number): void {
  for (const { name } of fileSystem.readDirectory(directory)) {
    if (!name.startsWith('checkpoints.')) continue;
    const path = `${directory}/${name}`;
    const synced = fileSystem.syncedBytes(path).length;
    const unsynced = (fileSystem.stat(path)?.size ?? 0) - synced;
    // The last sync is the commonest place to fall back to.
    const kept = random() < 0.5 ? 0 : Math.floor(random() * (unsynced + 1));
    fileSystem.truncate(path, synced + kept);
  }
}

async function openCopy(copy: DurableCopy): Promise<ReadonlyMap<string, readonly FileCheckpoint[]>> {
  const fileSystem = new MemoryFileSystem();
  for (const [name, bytes] of copy) fileSystem.append(`/agent/${name}`, bytes);
  const { files } = await openCheckpoints(fileSystem, '/agent');
  const byFile = new Map<string, FileCheckpoint[]>();
  for (const file of files.values()) {
    const key = fileKey(file.inode, file.birthNs);
    byFile.set(key, [...(byFile.get(key) ?? []), file]);
  }
  return byFile;
}
