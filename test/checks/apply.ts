/**
 * `npm run check:apply -- [--every 1]`: an apply that creates, changes and prunes 60 objects on a real control plane is killed after every
 * single one of its requests in turn, and after that once for each kind of fault of the way to the API server. Each time the next apply must
 * come to the same end as one that nothing happened to. Ends with 1 when one did not.
 */
import { parseArgs } from 'node:util';
import { startControlPlane } from '../cluster/control-plane.ts';
import { ApplyTrials, type TrialResult } from '../fleet/apply/apply-trial.ts';
import type { Fault } from '../fleet/fault-proxy.ts';

const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } });
const every = Number(values.every);
if (!Number.isInteger(every) || every < 1) {
  console.error('usage: npm run check:apply -- [--every 1]');
  process.exit(2);
}

const faults: readonly Fault[] = ['reset', 'lost', 'slow', 429, 500];
const started = performance.now();
let failed = 0;
let kills = 0;

{
  await using cluster = await startControlPlane({ name: 'check-apply', scheduler: false });
  await using trials = await ApplyTrials.start(cluster);
  for (let number = 1, killed = true; killed; number += every) {
    progress(`killed after request ${number}, ${failed} wrong`);
    const result = await trials.killedAt(number);
    killed = result.killed;
    if (killed) kills += 1;
    judge(killed ? `killed after request ${number}` : `${result.requests} requests, not killed`, result);
  }
  progress('');
  console.log(`${kills} applies of ${trials.writes} objects, each killed after another one of its requests`);
  for (const fault of faults) {
    for (const nth of [3, 7]) {
      const result = await trials.faulty(fault, nth);
      judge(`${fault} for every ${nth}. of ${result.requests} requests`, result);
      if (result.wrong.length === 0)
        console.log(`${fault} for every ${nth}. of ${result.requests} requests: the same end`);
    }
  }
}
console.log(`${failed} wrong, in ${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exit(failed === 0 ? 0 : 1);

function judge(what: string, { wrong }: TrialResult): void {
  if (wrong.length === 0) return;
  failed += 1;
  progress('');
  console.log(`${what}:`);
  for (const line of wrong) console.log(`  ${line}`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
