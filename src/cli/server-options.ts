/** `--server` and `--token`, on every command that asks a server. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';

export const SERVER_URL_DEFAULT = 'http://127.0.0.1:6410';

/** Adds the options that say which server to ask. */
export function addServerOptions(command: Command): Command {
  const group = 'Server options:';
  return command
    .addOption(
      new Option(
        '--server <URL>',
        `address of the server (environment: LOGBOOM_SERVER, default: ${SERVER_URL_DEFAULT})`,
      ).helpGroup(group),
    )
    .addOption(
      new Option('--token <TEXT>', "the server's token (environment: LOGBOOM_TOKEN)").helpGroup(group),
    );
}

/** Returns the client of the server that the command's options or the environment name. */
export function openClient(context: CliContext, command: Command): ApiClient {
  const { server, token } = command.opts<{ server?: string; token?: string }>();
  return new ApiClient({
    serverUrl: readServerUrl(server, context.environment['LOGBOOM_SERVER']),
    token: token ?? context.environment['LOGBOOM_TOKEN'],
    fetch: context.fetch,
  });
}

/** Returns the address without a slash at the end; `HOST:PORT` alone gets `http://`. */
export function readServerUrl(flag: string | undefined, variable: string | undefined): string {
  const isFlag = flag !== undefined;
  const given = flag ?? (variable === undefined || variable === '' ? SERVER_URL_DEFAULT : variable);
  const url = given.includes('://') ? given : `http://${given}`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new ConfigError(
      isFlag ? '--server' : 'LOGBOOM_SERVER',
      `got ${JSON.stringify(given)}, expected an address such as ${SERVER_URL_DEFAULT}`,
    );
  }
  return url.replace(/\/+$/, '');
}
