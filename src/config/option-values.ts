import { assert } from '../base/assert.ts';
import type { Problem } from './value-reader.ts';

/** Option values by path. The reader has checked them by their shapes, so a wrong type here is a bug. */
export class OptionValues {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  at(path: string): unknown {
    return this.#values.get(path);
  }

  text(path: string): string {
    const value = this.at(path);
    assert(typeof value === 'string', `option ${path} is no text`);
    return value;
  }

  maybeText(path: string): string | undefined {
    const value = this.at(path);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  number(path: string): number {
    const value = this.at(path);
    assert(typeof value === 'number', `option ${path} is no number`);
    return value;
  }
}

/** Notes that the value of an option is wrong. */
export function reportProblem(problems: Problem[], name: string, message: string, hint?: string): void {
  problems.push({ name, where: undefined, message, hint });
}
