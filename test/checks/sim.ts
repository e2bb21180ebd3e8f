/**
 * `npm run sim -- [--seeds 1000] [--from 1]`: plays random runs on a simulated cluster with faults, and ends with 1 when one
 * of them comes to what it must not. `--mutate`: breaks the engine in many ways instead, and ends with 1 when one is not
 * noticed within so many seeds, 4000 unless said otherwise. An engine that goes round for ever is told apart: nothing noticed it.
 */
import { parseArgs } from 'node:util';
import { mutate, NO_END_MS, type Survival } from '../engine/mutate.ts';
import { mutations } from '../engine/mutations.ts';
import { shrink } from '../engine/shrink.ts';
import {
  isSharedRepeatable,
  judgeShared,
  randomSharedTrial,
  shrinkShared,
  traceOfShared,
} from '../engine/shared-trial.ts';
import { isRepeatable, judge, randomTrial, traceOf, type Trial } from '../engine/trial.ts';

/** Every so many seeds, a run is played twice more, to see that it goes the same way. */
const REPEAT_EVERY = 20;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    mutate: { type: 'boolean', default: false },
  },
});
const [seeds, from] = [Number(values.seeds ?? (values.mutate ? 4000 : 1000)), Number(values.from)];
if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from)) {
  console.error('usage: npm run sim -- [--seeds 1000] [--from 1] [--mutate]');
  process.exit(2);
}
process.exitCode = (values.mutate ? await checkMutations() : checkSeeds()) ? 0 : 1;

function checkSeeds(): boolean {
  const started = performance.now();
  const failed: number[] = [];
  const sums = { steps: 0, pods: 0, crashes: 0, takeovers: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    progress(`${seed - from} of ${seeds} seeds, ${failed.length} with violations`);
    const trial = randomTrial(seed);
    const { violation, result } = judge(trial);
    if (!checkShared(seed)) failed.push(seed);
    sums.steps += trial.plan.steps.length;
    sums.pods += result?.cluster.pods.size ?? 0;
    sums.crashes += result?.crashes ?? 0;
    sums.takeovers += result?.deposed ?? 0;
    if (violation === undefined && (seed % REPEAT_EVERY !== 0 || isRepeatable(trial))) continue;
    failed.push(seed);
    progress('');
    console.log(`seed ${seed}: ${violation ?? 'it goes another way each time'}`);
    if (failed.length === 1 && violation !== undefined) explain(trial);
  }
  progress('');
  const { steps, pods, crashes, takeovers } = sums;
  console.log(
    `${seeds} seeds from ${from} in ${((performance.now() - started) / 1000).toFixed(1)} s: ${steps} steps, ${pods} pods, ` +
      `${crashes} crashes, ${takeovers} takeovers by a second shell`,
  );
  console.log(`${failed.length} violations`);
  return failed.length === 0;
}

/** Plays several runs that share locks. */
function checkShared(seed: number): boolean {
  const trial = randomSharedTrial(seed);
  const violation = judgeShared(trial);
  if (violation === undefined && (seed % REPEAT_EVERY !== 0 || isSharedRepeatable(trial))) return true;
  progress('');
  console.log(`seed ${seed}, several runs: ${violation ?? 'they go another way each time'}`);
  const { runs, ...rest } = shrinkShared(trial);
  console.log(`  ${JSON.stringify(rest)}`);
  for (const run of runs) console.log(`  ${JSON.stringify(run)}`);
  for (const line of traceOfShared({ ...rest, runs })) console.log(`  ${line}`);
  return false;
}

/** The least that still fails, and how to see it again. */
function explain(trial: Trial): void {
  const smallest = shrink(trial);
  const { plan, faults, ...rest } = smallest;
  console.log(`\n  ${judge(smallest).violation}, also with no more than this:`);
  const happen = Object.fromEntries(Object.entries(faults).filter(([, share]) => share > 0));
  console.log(`  ${JSON.stringify({ ...rest, policy: plan.policy, faults: happen })}`);
  for (const step of plan.steps) console.log(`  ${JSON.stringify(step)}`);
  for (const line of traceOf(smallest)) console.log(`  ${line}`);
  console.log(`\n  again: npm run sim -- --seeds 1 --from ${trial.seed}\n`);
}

async function checkMutations(): Promise<boolean> {
  const width = Math.max(...mutations.map(({ name }) => name.length));
  const counts = { noticed: 0, survived: 0, 'no end': 0 };
  for (const [done, mutation] of mutations.entries()) {
    progress(`${done} of ${mutations.length} mutations, ${counts.survived} not noticed`);
    const survival = await mutate(mutation, from, seeds);
    progress('');
    counts[survival.outcome] += 1;
    console.log(`${mutation.name.padEnd(width)}  ${whatCameOf(survival)}`);
  }
  console.log(
    `${counts.noticed} of ${mutations.length} mutations noticed, ${counts.survived} not noticed, ${counts['no end']} that came to no end`,
  );
  return counts.survived === 0;
}

function whatCameOf(survival: Survival): string {
  if (survival.outcome === 'survived') return `NOT NOTICED in ${seeds} seeds`;
  const place = `seed ${survival.seed}, the ${survival.seed - from + 1}. one`;
  if (survival.outcome === 'noticed') return `${place}: ${survival.violation}`;
  return `NO END of ${place}, in ${NO_END_MS / 1000} s`;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
