import { EXIT_CODE } from '../../base/errors.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import { colorsFor } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';

/** Adds `test`. */
export function addTestCommand({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('test')
    .description('run the tests that stand beside pipelines in the configuration')
    .option('--json', 'print JSON');
  addConfigOptions(command, { sections: ['indexer'] }).addHelpText(
    'after',
    `
Exit code 1 when a test fails.

Examples:
  logboom test --config logboom.yaml`,
  );
  command.action(async (options: { json?: boolean }) => {
    const { config } = loadCommandConfig(context, command);
    const { pipelines } = config.indexer;
    const outcomes = await context.actions.testPipelines(pipelines);
    const failedCount = outcomes.filter(({ isPassed }) => !isPassed).length;
    setExitCode(failedCount > 0 ? EXIT_CODE.discrepancy : EXIT_CODE.ok);
    if (options.json === true) {
      context.stdout.write(`${JSON.stringify({ outcomes, failed: failedCount })}\n`);
      return;
    }
    const colors = colorsFor(context.stdout.hasColor);
    for (const { pipeline, test, isPassed, diff } of outcomes) {
      const mark = isPassed ? colors.green('ok  ') : colors.red('FAIL');
      context.stdout.write(`${mark} ${pipeline}: ${test}\n`);
      if (!isPassed) context.stdout.write(`${diff.trimEnd().replace(/^/gm, '       ')}\n`);
    }
    const passedCount = outcomes.length - failedCount;
    context.stdout.write(
      outcomes.length === 0 ? 'no pipeline has tests\n' : `${passedCount} passed, ${failedCount} failed\n`,
    );
  });
}
