import { configAsJson, configAsYaml } from '../../config/effective-config.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { CommandSetup } from '../command-setup.ts';

/** Adds `check`. */
export function addCheckCommand({ program, context }: CommandSetup): void {
  const command = program
    .command('check')
    .description('check the configuration, and print what is in effect and where each value came from')
    .option('--json', 'print JSON');
  addConfigOptions(command, { listen: 'server.listen' }).addHelpText(
    'after',
    `
Examples:
  logboom check --config logboom.yaml
  LOGBOOM_SERVER_LISTEN=127.0.0.1:7000 logboom check`,
  );
  command.action(async (options: { json?: boolean }) => {
    const loaded = loadCommandConfig(context, command, { listen: 'server.listen' });
    await context.actions.checkConfig(loaded.config);
    context.stdout.write(
      options.json === true ? `${JSON.stringify(configAsJson(loaded))}\n` : configAsYaml(loaded),
    );
  });
}
