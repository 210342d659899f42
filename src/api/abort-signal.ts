import type { FastifyReply } from 'fastify';

/** Returns a signal that is aborted when the client goes away before it has its answer. */
export function abortSignalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
