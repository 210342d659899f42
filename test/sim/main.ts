/**
 * `npm run sim -- [--cluster|--rotation] --seeds N [--from S]` or `npm run sim -- [--cluster|--rotation] --seed S`: prints
 * violations with the seed that replays them. `--cluster` runs the roles apart, with a broker and a search engine between
 * them; with `--rotation` Logboom itself rotates files; `--json` prints one object with the sums of every figure.
 */
import { parseArgs } from 'node:util';
import { simulateCluster } from './cluster-simulation.ts';
import { poisonFreedBuffers } from './poisoned-buffers.ts';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean', default: false },
    rotation: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

poisonFreedBuffers();

const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const totals: Record<string, number> = {};
const violations: string[] = [];
let failed = 0;
for (let seed = from; seed < from + count; seed++) {
  const report = await (values.cluster
    ? simulateCluster(seed)
    : simulate(seed, { isRotating: values.rotation }));
  for (const [name, value] of Object.entries(report)) {
    if (typeof value === 'number' && name !== 'seed') totals[name] = (totals[name] ?? 0) + value;
  }
  if (report.violations.length === 0) continue;
  failed += 1;
  violations.push(...report.violations.map((violation) => `seed ${seed}: ${violation}`));
  if (values.json) continue;
  process.stdout.write(`seed ${seed}: ${report.violations.length} violations\n`);
  for (const violation of report.violations.slice(0, 10)) process.stdout.write(`  ${violation}\n`);
}
const { lines = 0, crashes = 0 } = totals;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ totals, violations: violations.slice(0, 20) })}\n`
    : `${count} seeds, ${lines} lines, ${crashes} crashes: ${failed} seeds with violations\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
