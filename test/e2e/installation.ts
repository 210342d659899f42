import { mkdirSync, writeFileSync } from 'node:fs';
import { LogboomProcess, findFreePort } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

export interface InstallationOptions {
  /** Directory of data instead of one in the temporary directory. */
  readonly data?: string;
  /** Further keys of the configuration file, as YAML. */
  readonly extra?: string;
}

/**
 * Everything that one machine with Logboom has: the trees of logs, the directory of data, the configuration file
 * and an address. The program can be started on it again and again.
 */
export class Installation implements Disposable {
  readonly directory = new TemporaryDirectory('e2e');
  readonly apps = this.directory.join('apps');
  readonly pods = this.directory.join('pods');
  readonly files = this.directory.join('files');
  readonly data: string;
  readonly configFile = this.directory.join('logboom.yaml');
  readonly port: number;

  private constructor(port: number, { data, extra = '' }: InstallationOptions) {
    this.port = port;
    this.data = data ?? this.directory.join('data');
    for (const folder of [this.apps, this.pods, this.files]) mkdirSync(folder);
    writeFileSync(this.configFile, this.#configText(extra));
  }

  static async create(options: InstallationOptions = {}): Promise<Installation> {
    return new Installation(await findFreePort(), options);
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the program without waiting for it, as the user of this number if one is given. */
  launch(user?: number): LogboomProcess {
    return new LogboomProcess({ args: ['up', '--config', this.configFile], user });
  }

  /** Starts the program and waits until it is ready. */
  async start(user?: number): Promise<LogboomProcess> {
    const started = this.launch(user);
    try {
      await started.waitUntilReady(this.baseUrl);
    } catch (error) {
      await started.kill();
      throw error;
    }
    return started;
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }

  #configText(extra: string): string {
    return [
      'cluster: { name: e2e }',
      'node: { name: node-1 }',
      `data: ${this.data}`,
      'sources:',
      `  - { kind: apps, root: ${this.apps} }`,
      `  - { kind: pods, root: ${this.pods} }`,
      `  - { kind: files, paths: [ "${this.files}/*.log" ] }`,
      `server: { listen: "127.0.0.1:${this.port}" }`,
      extra,
      '',
    ].join('\n');
  }
}
