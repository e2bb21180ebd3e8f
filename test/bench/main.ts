/** `npm run bench -- chain [--steps 100] [--rounds 5]`: measures, and prints what it measured. */
import { parseArgs } from 'node:util';
import { benchChain } from './chain.ts';
import { median } from './numbers.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '100' }, rounds: { type: 'string', default: '5' } },
});

if (positionals[0] !== 'chain') {
  console.error('usage: npm run bench -- chain [--steps 100] [--rounds 5]');
  process.exit(2);
}

const [steps, rounds] = [Number(values.steps), Number(values.rounds)];
console.log(`A chain of ${steps} steps on a simulated node, ${rounds} rounds of each in turns:`);
const { raw, controller, ratio } = await benchChain({ steps, rounds });
const line = (name: string, ms: readonly number[]) =>
  console.log(
    `${name.padEnd(12)} ${median(ms).toFixed(1).padStart(6)} ms a step   (${ms.map((value) => value.toFixed(1)).join(', ')})`,
  );
line('raw client', raw);
line('controller', controller);
console.log(`${'ratio'.padEnd(12)} ${ratio.toFixed(2).padStart(6)}`);
process.exit(0);
