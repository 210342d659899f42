/** What keeps the parts of a role from doing their work. Loads nothing, so that an agent stays small. */
import type { Road } from './road.ts';
import type { Storage } from './storage.ts';

/** Names the store and the road among the parts that may have a problem. */
export function partsOf(
  storage: Storage,
  road: Road,
): readonly { name: string; problem(): string | undefined }[] {
  return [
    { name: 'store', problem: () => storage.store.problem() },
    { name: 'transport', problem: () => road.problem() },
  ];
}

/** Lists what keeps parts from doing their work. */
export function problemsOf(
  parts: readonly { readonly name: string; problem(): string | undefined }[],
): { part: string; reason: string }[] {
  return parts.flatMap((part) => {
    const reason = part.problem();
    return reason === undefined ? [] : [{ part: part.name, reason }];
  });
}
