/**
 * Containers for the tests of the S6 base image: by runc, or where that is missing (or with
 * LOGBOOM_E2E_CONTAINER=unshare) by the namespaces and mounts alone that util-linux makes.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { findProgram } from '../../tools/provision.ts';
import { waitFor } from './logboom-process.ts';

export interface ContainerOptions {
  /** Directory with the root file system. */
  readonly root: string;
  /** An empty directory for what the runtime keeps. */
  readonly state: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Directories of the host by where they stand in the container. */
  readonly volumes?: Readonly<Record<string, string>>;
  readonly user?: number;
  readonly isReadOnly?: boolean;
  /** Capabilities beside the few that every container of root has. */
  readonly capabilities?: readonly string[];
}

/** A container that ends itself is waited for so long at most. */
const EXIT_MS_MAX = 40_000;

const HOST_NAME = 'web-0';

/** As container engines set it where an image does not. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

let count = 0;

/** One run of the image. Ends with the scope that holds it. */
export class Container implements AsyncDisposable {
  /** The exit code of process 1. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #id: string;
  readonly #options: ContainerOptions;
  readonly #usesRunc: boolean;
  #stdout = '';
  #stderr = '';
  #hasExited = false;

  constructor(options: ContainerOptions) {
    count += 1;
    this.#id = `logboom-${process.pid}-${count}`;
    this.#options = options;
    this.#usesRunc = process.env['LOGBOOM_E2E_CONTAINER'] !== 'unshare' && findProgram('runc') !== undefined;
    const [program = '', ...args] = this.#usesRunc ? this.#runcCommand() : unshareCommand(options);
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.exited = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the container did not end\n${this.#stdout}\n${this.#stderr}`));
      }, EXIT_MS_MAX);
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        clearTimeout(timer);
        this.#hasExited = true;
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  }

  /** What the container has printed, as `kubectl logs` would show it. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Sends a signal to process 1, as the container runtime does. */
  signal(name: NodeJS.Signals): void {
    if (this.#usesRunc) spawnSync('runc', ['--root', this.#options.state, 'kill', this.#id, name]);
    else process.kill(this.#initPid(), name);
  }

  /** Runs a command in the container and returns what it prints. */
  execute(command: readonly string[]): string {
    const [program, ...args] = this.#usesRunc
      ? ['runc', '--root', this.#options.state, 'exec', this.#id, ...command]
      : ['nsenter', '-t', String(this.#initPid()), '-p', '-m', '-r', '-w', ...command];
    return spawnSync(program ?? '', args, { encoding: 'utf8', env: { PATH } }).stdout;
  }

  /** Waits until the container has printed something to its own stdout or stderr. */
  async waitForOutput(text: string): Promise<void> {
    await waitFor(`the container to print ${text}`, 20_000, () => {
      if (this.#stdout.includes(text) || this.#stderr.includes(text)) return true;
      if (this.#hasExited) throw new Error(`the container ended\n${this.#stdout}\n${this.#stderr}`);
      return false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) {
      this.signal('SIGKILL');
      await this.exited;
    }
    rmSync(path.join(this.#options.state, this.#id), { recursive: true, force: true });
  }

  #runcCommand(): string[] {
    const bundle = path.join(this.#options.state, `bundle-${this.#id}`);
    mkdirSync(bundle, { recursive: true });
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(runcConfig(this.#options, this.#id)));
    return ['runc', '--root', this.#options.state, 'run', '-b', bundle, this.#id];
  }

  /** Process 1 is the only child of `unshare`. */
  #initPid(): number {
    const pid = this.#child.pid ?? 0;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }
}

/** The configuration of the OCI runtime specification, with what container engines give by default, and less. */
function runcConfig(options: ContainerOptions, id: string): unknown {
  const {
    root,
    command,
    environment = {},
    volumes = {},
    user = 0,
    isReadOnly = false,
    capabilities = [],
  } = options;
  const shared = ['nosuid', 'noexec', 'nodev'];
  return {
    ociVersion: '1.0.2',
    hostname: HOST_NAME,
    root: { path: root, readonly: isReadOnly },
    process: {
      args: command,
      env: [`PATH=${PATH}`, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
      cwd: '/',
      user: { uid: user, gid: user },
      noNewPrivileges: true,
      capabilities: Object.fromEntries(
        ['bounding', 'effective', 'permitted'].map((set) => [
          set,
          user === 0 ? ['CAP_KILL', 'CAP_DAC_OVERRIDE', ...capabilities] : [],
        ]),
      ),
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...shared, 'mode=1777', 'size=4m'] },
      ...Object.entries(volumes).map(([destination, source]) => ({
        destination,
        source,
        type: 'bind',
        options: ['rbind', 'rw'],
      })),
    ],
    linux: {
      cgroupsPath: `/${id}`,
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
    },
  };
}

/** The same by hand. The shell becomes the command, so that this is process 1 of its namespace. */
function unshareCommand(options: ContainerOptions): string[] {
  const { root, command, environment = {}, volumes = {}, user = 0, isReadOnly = false } = options;
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const at = (inner: string): string => quoted(path.join(root, inner));
  const lines = [
    'set -e',
    `mount --bind ${quoted(root)} ${quoted(root)}`,
    ...Object.entries(volumes).map(([inner, source]) => `mount --bind ${quoted(source)} ${at(inner)}`),
    `mount -t proc proc ${at('proc')}`,
    `mount -t tmpfs -o nosuid,mode=755 tmpfs ${at('dev')}`,
    `mkdir ${at('dev/shm')}`,
    `mount -t tmpfs -o noexec,mode=1777,size=4m tmpfs ${at('dev/shm')}`,
    ...['null', 'zero', 'urandom'].flatMap((name) => [
      `: > ${at(`dev/${name}`)}`,
      `mount --bind /dev/${name} ${at(`dev/${name}`)}`,
    ]),
    isReadOnly ? `mount -o remount,bind,ro ${quoted(root)}` : ':',
    `hostname ${HOST_NAME}`,
    `exec env -i PATH=${PATH} ${Object.entries(environment)
      .map(([name, value]) => quoted(`${name}=${value}`))
      .join(' ')} chroot --userspec=${user}:${user} ${quoted(root)} ${command.map(quoted).join(' ')}`,
  ];
  return [
    'unshare',
    '--pid',
    '--mount',
    '--uts',
    '--ipc',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    lines.join('\n'),
  ];
}
