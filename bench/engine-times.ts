import { globSync, readFileSync } from 'node:fs';

const LOOK_MS = 100;
const TICKS_PER_SECOND = 100;

/** Adds up the CPU time of the engine's processes, which name `directory`, and of their other descendants. */
export function watchEngine(directory: string): {
  stop: () => { engineSeconds: number; containerSeconds: number };
} {
  const engine = new Map<string, number>();
  const container = new Map<string, number>();
  const before = new Map<string, number>();
  const look = (): void => {
    const engines = new Set<string>();
    const parents = new Map<string, string>();
    const ticks = new Map<string, number>();
    for (const file of globSync('/proc/[0-9]*/stat')) {
      const id = file.split('/')[2] ?? '';
      const fields = readText(file)
        .replace(/^.*\) /, '')
        .split(' ');
      parents.set(id, fields[1] ?? '');
      ticks.set(id, Number(fields[11]) + Number(fields[12]));
      const [program = '', ...args] = readText(`/proc/${id}/cmdline`).split('\0');
      if (/dockerd|containerd/.test(program) && args.some((arg) => arg.includes(directory))) engines.add(id);
    }
    for (const [id, used] of ticks) {
      if (engines.has(id)) engine.set(id, used);
      else if (hasAncestor(id, parents, engines)) container.set(id, used);
    }
  };
  look();
  for (const [id, used] of [...engine, ...container]) before.set(id, used);
  const timer = setInterval(look, LOOK_MS);
  const sum = (used: ReadonlyMap<string, number>): number =>
    [...used].reduce((all, [id, ticks]) => all + ticks - (before.get(id) ?? 0), 0) / TICKS_PER_SECOND;
  return {
    stop() {
      clearInterval(timer);
      look();
      return { engineSeconds: sum(engine), containerSeconds: sum(container) };
    },
  };
}

function hasAncestor(id: string, parents: ReadonlyMap<string, string>, wanted: ReadonlySet<string>): boolean {
  for (let at = parents.get(id); at !== undefined && at !== '0' && at !== '1'; at = parents.get(at)) {
    if (wanted.has(at)) return true;
  }
  return false;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
