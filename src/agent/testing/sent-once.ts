import assert from 'node:assert/strict';
import type { AgentWorld } from './agent-world.ts';

/** Returns the messages of a world in the order of arrival; throws when one came twice. */
export function messagesOf(world: AgentWorld): string[] {
  const messages = world.producer.messages();
  assert.equal(new Set(messages).size, messages.length, `twice: ${messages.join(' ')}`);
  return messages;
}

/** Returns kind, start and end of every gap in the ledger. */
export function gapsOf(world: AgentWorld): unknown[] {
  return [...world.producer.ledger.values()].flatMap((record) =>
    record.gaps.map(({ kind, startOffset, endOffset }) => [kind, startOffset, endOffset]),
  );
}
