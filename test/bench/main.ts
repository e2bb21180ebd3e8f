/** `npm run bench -- <what>`: measures, and prints what it measured. */
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '100' }, rounds: { type: 'string' } },
});
const rounds = (standard: number) => Number(values.rounds ?? standard);

const benches: Record<string, () => Promise<void>> = {
  apply: async () => (await import('./apply.ts')).printApplyBench(1000, rounds(3)),
  chain: async () => (await import('./chain.ts')).printChainBench(Number(values.steps), rounds(5)),
  engine: async () => (await import('./engine.ts')).printEngineBench(rounds(7)),
  merge: async () => (await import('./merge.ts')).printMergeBench(5000, rounds(9)),
  synth: async () => (await import('./synth.ts')).printSynthBench(),
  validation: async () => (await import('./validation.ts')).printValidationBench(rounds(7)),
};

const bench = benches[positionals[0] ?? ''];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [--rounds n] [--steps n, of a chain]`);
  process.exit(2);
}
await bench();
process.exit(0);
