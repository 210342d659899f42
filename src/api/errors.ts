import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, messageOf } from '../base/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ApiErrorBody } from './api-types.ts';

interface ErrorAnswer {
  readonly status: number;
  readonly body: ApiErrorBody;
}

/** Returns the handler that turns whatever a route threw into an answer: only our own faults are a 500. */
export function createErrorHandler(telemetry: Telemetry) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, body } = answerOf(error);
    if (status === 500) {
      const facts = { path: request.url, error: error instanceof Error ? error.stack : messageOf(error) };
      telemetry.log('error', 'request_failed', 'a request failed because of a bug', facts);
    }
    void reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
  };
}

/** Returns the status and the body for anything thrown. */
export function answerOf(error: unknown): ErrorAnswer {
  if (error instanceof AppError) return errorAnswer(error.status, error.code, error.message, error.hint);
  // The client went away: nobody reads this answer, and nothing is wrong.
  if (error instanceof Error && error.name === 'AbortError') {
    return errorAnswer(503, 'aborted', 'cannot answer a client that has gone');
  }
  if (isFastifyError(error)) {
    if (error.validation !== undefined) return invalidParameters(error);
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500)
      return errorAnswer(status, codeOf(status), `cannot take the request: ${error.message}`);
  }
  return errorAnswer(
    500,
    'internal',
    'cannot answer because of a bug in Logboom',
    'The log of the server has the details.',
  );
}

/** Returns the body of an error. */
export function errorAnswer(status: number, code: string, message: string, hint?: string): ErrorAnswer {
  return { status, body: { error: { code, message, ...(hint === undefined ? {} : { hint }) } } };
}

function invalidParameters(error: FastifyError): ErrorAnswer {
  const [problem] = error.validation ?? [];
  const place = (problem?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.');
  const reason = problem?.message ?? error.message;
  return errorAnswer(400, 'bad_request', `cannot read ${place === '' ? 'the parameters' : place}: ${reason}`);
}

function codeOf(status: number): string {
  if (status === 404) return 'not_found';
  return status === 401 ? 'unauthorized' : 'bad_request';
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && 'statusCode' in error;
}
