import { Option } from 'commander';
import { EXIT_CODE } from '../../base/errors.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { CommandSetup } from '../command-setup.ts';

interface ExplainFlags {
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly app?: string;
  readonly json?: boolean;
}

/** Adds `explain`. */
export function addExplainCommand({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('explain')
    .description('show which source, pipeline and index a file or a line would take, and why')
    .argument('<FILE|LINE>', 'path of a log file, or a line in quotes')
    .addOption(new Option('--namespace <NAME>', 'namespace that the line comes from'))
    .addOption(new Option('--pod <NAME>', 'pod that the line comes from'))
    .addOption(new Option('--container <NAME>', 'container that the line comes from'))
    .addOption(new Option('--app <NAME>', 'app (service) that the line comes from'))
    .option('--json', 'print JSON');
  addConfigOptions(command, { sections: ['sources', 'indexer'] }).addHelpText(
    'after',
    `
Exit code 1 when the file is not collected; the reason is printed.

Examples:
  logboom explain /data/logs/shop/cart/cart-0/log/app.log --config logboom.yaml
  logboom explain '{"level":"warn","msg":"slow"}' --namespace shop`,
  );
  command.action(async (subject: string, flags: ExplainFlags) => {
    const loaded = loadCommandConfig(context, command);
    const { namespace, pod, container, app } = flags;
    const given = {
      'kubernetes.namespace': namespace,
      'kubernetes.pod.name': pod,
      'kubernetes.container.name': container,
      'service.name': app,
    };
    const fields = Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const explanation = await context.actions.explain({ loaded, subject, fields });
    context.stdout.write(
      flags.json === true ? `${JSON.stringify(explanation.json)}\n` : `${explanation.lines.join('\n')}\n`,
    );
    if (!explanation.isCollected) setExitCode(EXIT_CODE.discrepancy);
  });
}
