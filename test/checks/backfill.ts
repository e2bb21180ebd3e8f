/**
 * `npm run check:backfill -- [--runs 200] [--concurrency 4]`: a backfill of a plan on a real control plane, whose process is killed halfway and started
 * again: each run is made once, so many go on at once, and they begin in order. Then a backfill of four runs is killed after every single one of its
 * requests in turn. Ends with 1 when anything is not as if nothing had happened.
 */
import { parseArgs } from 'node:util';
import { BackfillTrials, hourlyPlan, type Seen } from '../cli/backfill-trial.ts';
import { startControlPlane } from '../cluster/control-plane.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, concurrency: { type: 'string', default: '4' } },
});
const [runs, concurrency] = [Number(values.runs), Number(values.concurrency)];
const FEW = 4;
let wrong = 0;

{
  await using cluster = await startControlPlane({ name: 'check-backfill', nodes: 1 });
  await using trials = await BackfillTrials.start(cluster);
  await trials.bench.controller();
  await trials.bench.apply(hourlyPlan('hourly'));
  const options = ['--concurrency', String(concurrency)];

  const seen = await trials.watch('hourly');
  const first = await trials.backfill('hourly', runs, options, Math.floor(runs / 2));
  say(`killed: ${first.killed}, after ${first.requests} requests`);
  const started = performance.now();
  const second = await trials.backfill('hourly', runs, [...options, '--wait']);
  const last = second.stdout.trim().split('\n').at(-1);
  say(`started again: exit code ${second.code} after ${((performance.now() - started) / 1000).toFixed(1)} s: ${last}`);
  judge(`${runs} runs`, { killed: first.killed, code: second.code }, seen(), runs);

  for (let number = 1, killed = true; killed; number++) {
    const plan = `killed-${number}`;
    await trials.bench.apply(hourlyPlan(plan));
    const seenOf = await trials.watch(plan);
    ({ killed } = await trials.backfill(plan, FEW, options, number));
    const { code } = await trials.backfill(plan, FEW, [...options, '--wait']);
    judge(killed ? `${FEW} runs, killed after request ${number}` : `${FEW} runs, not killed`, { code }, seenOf(), FEW);
  }
}
console.log(`${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);

function judge(what: string, end: { killed?: boolean; code: number | null }, seen: Seen, expected: number): void {
  const twice = [...seen.made].filter(([, uids]) => uids.size > 1).length;
  const text = `${seen.made.size} made, ${twice} twice, at most ${seen.atOnce} at once, at most ${seen.outOfOrder} before their turn`;
  // Of those that begin at once one may say so before the other.
  const inOrder = seen.outOfOrder < concurrency;
  const right =
    end.killed !== false &&
    end.code === 0 &&
    seen.made.size === expected &&
    twice === 0 &&
    seen.atOnce <= concurrency &&
    inOrder;
  if (!right) wrong += 1;
  say(`${what}: ${right ? 'as it should be' : 'WRONG'}: ${text}`);
}

function say(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
