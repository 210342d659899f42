import type { Telemetry } from '../telemetry/telemetry.ts';

/** Paths remembered for saying something once; beyond it warnings may repeat. */
const WARNED_MAX = 10_000;

/** What the agent has warned of, so that it does not do so again with every look. */
export class AgentWarnings {
  readonly #telemetry: Telemetry;
  readonly #warned = new Set<string>();
  #hasRefusedWatch = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Warns of an event of a path, or of whatever else `key` names, unless it has done so. */
  readonly warnOnce = (event: string, key: string, text: string, fields?: Record<string, unknown>): void => {
    const id = `${event} ${key}`;
    if (this.#warned.has(id)) return;
    if (this.#warned.size >= WARNED_MAX) this.#warned.clear();
    this.#warned.add(id);
    this.#telemetry.log('warn', event, text, { path: key, ...fields });
  };

  /** Says once that the kernel refuses to watch, and which of its settings helps (inotify(7)). */
  onWatchRefused(code: string): void {
    if (this.#hasRefusedWatch) return;
    this.#hasRefusedWatch = true;
    const setting = code === 'EMFILE' ? 'fs.inotify.max_user_instances' : 'fs.inotify.max_user_watches';
    const text = `the kernel refuses to watch more directories (${code}); they are polled instead. Raise ${setting}`;
    this.#telemetry.log('warn', 'watch_refused', text, { code, setting });
  }
}
