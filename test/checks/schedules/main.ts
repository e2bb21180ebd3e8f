/**
 * `npm run check:schedules -- [--expressions 500] [--seed N]`: reckons next times here and with the Go parser that
 * Kubernetes uses, and ends with 1 when they ever disagree.
 */
import { parseArgs } from 'node:util';
import { compareSchedules } from './compare.ts';
import { ZONES } from './questions.ts';

const { values } = parseArgs({
  options: {
    expressions: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const [expressions, seed] = [Number(values.expressions), Number(values.seed)];
if (!Number.isInteger(expressions) || expressions < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run check:schedules -- [--expressions 500] [--seed N]');
  process.exit(2);
}

console.log(`Next times here and by robfig/cron v3.0.1, seed ${seed}:`);
const started = performance.now();
const { times, acrossChanges, spoilt, refused, differences } = await compareSchedules(expressions, seed);
console.log(
  `${expressions} expressions in ${ZONES.length} zones: ${times} times, ${acrossChanges} of them after the clocks were set, in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
console.log(`${spoilt} spoilt expressions, ${refused} of them refused by both`);
console.log(`${differences.length} differences`);
for (const { question, theirs, ours } of differences.slice(0, 20))
  console.log(JSON.stringify({ question, theirs, ours }));
process.exitCode = differences.length > 0 ? 1 : 0;
