import { runCli } from '../run-cli.ts';
import { fakeContext } from './fake-context.ts';
import type { FakeContext, FakeOptions } from './fake-context.ts';

/** Runs a command line with a fake of everything around it; returns its exit code and what it printed. */
export async function runCommand(
  commandLine: string | readonly string[],
  options: FakeOptions = {},
): Promise<{ code: number; out: string; err: string; context: FakeContext }> {
  const context = fakeContext(options);
  const argv = typeof commandLine === 'string' ? commandLine.split(' ').filter(Boolean) : commandLine;
  const code = await runCli(argv, context);
  return { code, out: context.written.stdout, err: context.written.stderr, context };
}

/** Returns the answer of a server with this body. */
export function answerJson(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}
