import type { Faults } from './faults.ts';
import type { Plan, PlannedStep } from './plans.ts';
import { judge, type Trial } from './trial.ts';

const ROUNDS = 20;
/** A smaller trial goes another way: it may fail only by another order of things. */
const ORDERS = 10;

/** A trial that fails as this one does, with as little as it takes: no part can be left out and it still does. */
export function shrink(failing: Trial): Trial {
  const failure = kindOf(failing);
  let smallest = failing;
  for (let round = 0; round < ROUNDS; round++) {
    const before = smallest;
    for (const reduce of reductions(smallest)) smallest = failingAs(failure, reduce(smallest)) ?? smallest;
    if (smallest === before) break;
  }
  return smallest;
}

/** What is violated, whichever steps are concerned. */
function kindOf(trial: Trial): string | undefined {
  return judge(trial).violation?.replaceAll(/\w*\d+(, \d+)*/g, '#');
}

function failingAs(failure: string | undefined, trial: Trial | undefined): Trial | undefined {
  if (trial === undefined) return undefined;
  for (let order = 0; order < ORDERS; order++) {
    const other = { ...trial, seed: trial.seed + order };
    if (kindOf(other) === failure) return other;
  }
  return undefined;
}

/** Makes a trial smaller by one part; nothing when that part is gone by now. */
type Reduction = (trial: Trial) => Trial | undefined;

function reductions({ plan, faults, changes, commandsFirst, parallelism }: Trial): Reduction[] {
  return [
    ...plan.steps.map(({ name }): Reduction => {
      return (trial) => ({ ...trial, plan: withoutStep(trial.plan, name) });
    }),
    ...Object.keys(faults).map((fault): Reduction => {
      return (trial) =>
        trial.faults[fault as keyof Faults] ? { ...trial, faults: { ...trial.faults, [fault]: 0 } } : undefined;
    }),
    // A run that stays suspended does not end.
    ...changes
      .filter(({ spec }) => spec.suspended !== false)
      .map((change): Reduction => {
        return (trial) => ({ ...trial, changes: trial.changes.filter((other) => other !== change) });
      }),
    ...(commandsFirst ? [(trial: Trial) => ({ ...trial, commandsFirst: false })] : []),
    ...(parallelism === 100 ? [] : [(trial: Trial) => ({ ...trial, parallelism: 100 })]),
    ...plan.steps.flatMap(({ name, ...step }) => {
      return simplerSteps(step).map((simpler): Reduction => {
        return (trial) => {
          const steps = trial.plan.steps.map((other) => (other.name === name ? { ...other, ...simpler } : other));
          return steps.some((other) => other.name === name) ? { ...trial, plan: { ...trial.plan, steps } } : undefined;
        };
      });
    }),
  ];
}

function simplerSteps(step: Omit<PlannedStep, 'name'>): Partial<PlannedStep>[] {
  const { edges, depends, when, continueOnFailure, retries, delaySeconds, givesUpOn, times, outcomes } = step;
  return [
    ...edges.map((edge) => ({ edges: edges.filter((other) => other !== edge) })),
    ...(depends ? [{ depends: undefined }] : []),
    ...(when === undefined ? [] : [{ when: undefined }]),
    ...(continueOnFailure ? [{ continueOnFailure: false }] : []),
    ...(delaySeconds ? [{ delaySeconds: 0 }] : []),
    ...(retries ? [{ retries: 0 }] : []),
    ...(givesUpOn ? [{ givesUpOn: undefined }] : []),
    ...(times ? [{ times: undefined }] : []),
    ...(outcomes.length > 0 ? [{ outcomes: [] }, { outcomes: outcomes.slice(0, 1) }] : []),
  ];
}

/** Steps that look at it by a condition do so no more. */
function withoutStep({ steps, order, ...plan }: Plan, name: string): Plan {
  const mentions = (part: unknown) => JSON.stringify(part ?? null).includes(`"${name}"`);
  const left = steps
    .filter((step) => step.name !== name)
    .map((step) => ({
      ...step,
      edges: step.edges.filter(({ from }) => from !== name),
      depends: mentions(step.depends) ? undefined : step.depends,
      when: mentions(step.when) ? undefined : step.when,
      ...(step.group && { group: withoutMember(step.group, name) }),
    }));
  return { ...plan, steps: left, order: order.filter((other) => other !== name) };
}

function withoutMember({ steps, begin, contains }: NonNullable<PlannedStep['group']>, name: string) {
  return {
    steps: steps.filter((other) => other !== name),
    contains,
    ...(begin !== undefined && begin !== name && { begin }),
  };
}
