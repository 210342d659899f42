import type { CliContext } from '../cli/context.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { createNodeTelemetry } from '../telemetry/node-telemetry.ts';
import type { NodeTelemetry } from '../telemetry/node-telemetry.ts';

/** A telemetry that also keeps a few totals, for what is said at the end. */
export interface TallyingTelemetry extends NodeTelemetry {
  total(metric: string): number;
}

/**
 * Makes the telemetry of a role: log lines go to standard error. On a terminal, where people watch, only warnings
 * are written unless a level is configured.
 */
export function createRoleTelemetry(
  context: CliContext,
  { config, origins }: LoadedConfig,
): TallyingTelemetry {
  const isQuiet = context.stderr.isTerminal && origins.get('log.level') === 'default';
  const telemetry = createNodeTelemetry({
    level: isQuiet ? 'warn' : config.log.level,
    format: config.log.format,
    version: context.version,
    destination: { isTTY: context.stderr.isTerminal, write: (text) => context.stderr.write(text) },
    hasColor: context.stderr.hasColor,
  });
  const totals = new Map<string, number>();
  return {
    ...telemetry,
    count(metric, value, labels) {
      const key =
        metric === 'logboom_indexer_records_total' ? `${metric}:${labels?.['outcome'] ?? ''}` : metric;
      totals.set(key, (totals.get(key) ?? 0) + value);
      telemetry.count(metric, value, labels);
    },
    total: (metric) => totals.get(metric) ?? 0,
  };
}
