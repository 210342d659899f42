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
