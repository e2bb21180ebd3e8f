import { isDeepStrictEqual } from 'node:util';
import { failurePolicies } from '../../lib/graph/graph.ts';
import type { RunSpec } from '../../lib/engine/advance.ts';
import type { StepLimits } from '../../lib/engine/lock-table.ts';
import { randomPlan, withLocks } from './plans.ts';
import { Random } from './random.ts';
import { SharedSimulation, type SharedOptions, type SharedRun } from './shared-simulation.ts';

/** Runs that share locks, and what befalls them: the same for the same seed. */
export function randomSharedTrial(seed: number): SharedOptions {
  const random = new Random(seed);
  const some = (...shares: readonly number[]) => random.pick([0, ...shares]);
  const count = random.pick([2, 2, 3, 5]);
  return {
    seed,
    runs: Array.from({ length: count }, (_, index) => randomRun(random, `r${index}`)),
    limits: random.pick<() => StepLimits>([
      () => ({}),
      () => ({ maxSteps: 1 + random.upTo(3) }),
      () => ({ maxStepsPerNamespace: 1 + random.upTo(3) }),
    ])(),
    faults: {
      crash: some(0.02, 0.08),
      refuse: some(0.05, 0.2),
      unanswered: some(0.05, 0.2),
      depose: random.chance(0.2) ? some(0.02, 0.1) : 0,
      lose: some(0.1, 0.3),
      repeat: some(0.2),
      expire: some(0.05),
      remove: some(0.02, 0.1),
      evict: some(0.02, 0.1),
    },
    commandsFirst: random.chance(0.5),
  };
}

function randomRun(random: Random, name: string): SharedRun {
  const policy = random.pick(['RunIndependent', 'RunIndependent', ...failurePolicies] as const);
  const plan = withLocks(random, randomPlan(random, policy, { most: 5 }));
  const change = (): Partial<RunSpec> =>
    random.pick<() => Partial<RunSpec>>([
      () => ({ suspended: true }),
      () => ({ parallelism: 1 + random.upTo(3) }),
      () => ({ priority: random.upTo(10) - 5 }),
      () => ({ cancel: 'Now' }),
    ])();
  const changes = Array.from({ length: random.upTo(2) }, () => ({ after: random.upTo(40), spec: change() }));
  return {
    name,
    namespace: random.pick(['a', 'a', 'b']),
    plan,
    parallelism: random.pick([1, 2, 100, 100]),
    priority: random.pick([0, 0, 0, 5, -5]),
    beginsAfter: random.upTo(20),
    changes: [...changes.sort((a, b) => a.after - b.after), { after: 200, spec: { suspended: false } }],
  };
}

/** Plays a trial; what is wrong with what it came to, if anything is. */
export function judgeShared(trial: SharedOptions): string | undefined {
  try {
    new SharedSimulation(trial).play();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** All that happens in a trial, a line each. */
export function traceOfShared(trial: SharedOptions): string[] {
  const lines: string[] = [];
  judgeShared({ ...trial, trace: (line) => lines.push(line) });
  return lines;
}

/** Whether a trial comes to the same, by the same way, when it is played again. */
export function isSharedRepeatable(trial: SharedOptions): boolean {
  return isDeepStrictEqual(traceOfShared(trial), traceOfShared(trial));
}

/** A trial that fails as this one does, without the runs and faults that it does not take. */
export function shrinkShared(failing: SharedOptions): SharedOptions {
  const kindOf = (trial: SharedOptions) => judgeShared(trial)?.replaceAll(/\w*\d+/g, '#');
  const failure = kindOf(failing);
  const reductions = [
    ...failing.runs.map(({ name }) => (trial: SharedOptions) => ({
      ...trial,
      runs: trial.runs.filter((run) => run.name !== name),
    })),
    ...Object.keys(failing.faults).map((fault) => (trial: SharedOptions) => ({
      ...trial,
      faults: { ...trial.faults, [fault]: 0 },
    })),
  ];
  return reductions.reduce((smallest, reduce) => {
    const smaller = reduce(smallest);
    return kindOf(smaller) === failure ? smaller : smallest;
  }, failing);
}
