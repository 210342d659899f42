/** A context for tests: nothing of the machine, output kept as text, answers of a server as given. */
import { MemoryFileSystem } from '../../base/memory-file-system.ts';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { CliActions, CliContext, Output } from '../context.ts';

export interface FakeOptions {
  readonly confirm?: CliContext['confirm'];
  readonly environment?: Readonly<Record<string, string>>;
  readonly actions?: Partial<CliActions>;
  /** Answers requests by path and query. */
  readonly answer?: (url: URL, init: RequestInit | undefined) => Response | Promise<Response>;
  readonly files?: Readonly<Record<string, string>>;
  /** Whether a person reads along; nobody does without it. */
  readonly isTerminal?: boolean;
}

export interface FakeContext extends CliContext {
  readonly written: { stdout: string; stderr: string };
  readonly memoryFileSystem: MemoryFileSystem;
}

/** Returns a context in which every action that is not given fails. */
export function fakeContext(options: FakeOptions = {}): FakeContext {
  const written = { stdout: '', stderr: '' };
  const memoryFileSystem = new MemoryFileSystem();
  for (const [path, text] of Object.entries(options.files ?? {})) {
    memoryFileSystem.makeDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
    const fd = memoryFileSystem.open(path, 'w');
    memoryFileSystem.write(fd, new TextEncoder().encode(text));
    memoryFileSystem.close(fd);
  }
  const output = (name: 'stdout' | 'stderr'): Output => ({
    isTerminal: options.isTerminal ?? false,
    columns: 100,
    hasColor: false,
    write(text) {
      written[name] += text;
    },
    writeAll(bytes) {
      written[name] += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
  });
  return {
    version: '1.2.3',
    stdout: output('stdout'),
    stderr: output('stderr'),
    environment: options.environment ?? {},
    workingDirectory: '/work-dir',
    hostName: 'host-1',
    fileSystem: memoryFileSystem,
    scheduler: new VirtualScheduler(),
    fetch: fakeFetch(options.answer),
    confirm: options.confirm,
    interrupted: () => new AbortController().signal,
    actions: { ...refuseAll(), ...options.actions },
    written,
    memoryFileSystem,
  };
}

function fakeFetch(answer: FakeOptions['answer']): typeof fetch {
  return async (input, init) => {
    if (answer === undefined) {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:6410') });
    }
    return answer(new URL(input instanceof Request ? input.url : input), init);
  };
}

function refuseAll(): CliActions {
  const refuse = (): never => {
    throw new Error('this test expects no action');
  };
  return {
    up: refuse,
    agent: refuse,
    indexer: refuse,
    server: refuse,
    importFiles: refuse,
    checkConfig: () => Promise.resolve(),
    testPipelines: refuse,
    explain: refuse,
    doctor: refuse,
    planRotation: refuse,
    reportRotation: refuse,
  };
}
