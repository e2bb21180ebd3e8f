import type { Observation } from '../../lib/engine/advance.ts';
import { Run } from '../../lib/engine/run.ts';
import { topology } from '../../lib/graph/topology.ts';
import { graphOf, type StepSketch } from '../engine/scenario.ts';
import { median } from './numbers.ts';

/** Steps that at most run at once, whatever the size of the graph. */
const PARALLELISM = 10;

/** Microseconds an event costs on average, by round: a call of `advance` with one observation. */
export function benchEngine(steps: number, rounds: number): number[] {
  return Array.from({ length: rounds }, () => playThrough(steps));
}

/** Prints what {@link benchEngine} measured. */
export function printEngineBench(rounds: number): void {
  console.log(`Layers of ${PARALLELISM} steps of which each waits for two of the layer before, ${rounds} rounds:`);
  benchEngine(1000, 3);
  for (const steps of [100, 1000, 10_000]) {
    const each = benchEngine(steps, rounds);
    const all = each.map((value) => value.toFixed(1)).join(', ');
    console.log(`${String(steps).padStart(6)} steps  ${median(each).toFixed(1).padStart(6)} µs an event   (${all})`);
  }
}

function playThrough(steps: number): number {
  const run = new Run(topology(layers(steps)), { name: 'bench', inputs: {}, parallelism: PARALLELISM });
  let now = Date.UTC(2025, 0, 1);
  const events: Observation[] = [];
  const tell = (...observations: readonly Observation[]) => {
    for (const command of run.advance(now, observations).commands) {
      if (command.kind !== 'start') continue;
      const { step, attempt } = command;
      events.push({ step, attempt, state: { kind: 'running', startedAt: now } });
      events.push({ step, attempt, state: { kind: 'succeeded', finishedAt: now } });
    }
  };
  tell();
  const started = performance.now();
  let told = 0;
  for (; told < events.length; told++) {
    now += 10;
    tell(events[told]!);
  }
  if (run.state.phase !== 'Succeeded') throw new Error(`the run is ${run.state.phase}`);
  return ((performance.now() - started) * 1000) / told;
}

function layers(steps: number) {
  const name = (index: number) => `s${index}`;
  const sketch = (index: number): [string, StepSketch] => {
    const before = index - (index % PARALLELISM) - PARALLELISM;
    const after = before < 0 ? [] : [index - PARALLELISM, before + ((index + 1) % PARALLELISM)].map(name);
    return [name(index), { after }];
  };
  return graphOf(Object.fromEntries(Array.from({ length: steps }, (_, index) => sketch(index))));
}
