import { isDeepStrictEqual } from 'node:util';
import { failurePolicies } from '../../lib/graph/graph.ts';
import type { RunSpec } from '../../lib/engine/advance.ts';
import { stepReasons } from '../../lib/engine/reasons.ts';
import type { RunRecord, StepRecord } from '../../lib/engine/record.ts';
import type { Faults } from './faults.ts';
import { plannedItem, randomPlan, type Plan, type PlannedStep } from './plans.ts';
import { Random } from './random.ts';
import { T0 } from './scenario.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { attempted, endWithoutRun, referenceFailures, referencePhases } from './reference-model.ts';
import { simulate, type SimulationOptions, type SimulationResult } from './simulation.ts';

/** One seed's run: a random graph, what is asked of it and what befalls it. */
export interface Trial extends Omit<SimulationOptions, 'trace' | 'watch'> {
  readonly faults: Faults;
  readonly changes: NonNullable<SimulationOptions['changes']>;
  /** Steps do not disturb each other, nobody cancels, no clock decides: the reference model tells the ends of all steps. */
  readonly predictable: boolean;
}

/** The same for the same seed. */
export function randomTrial(seed: number): Trial {
  const random = new Random(seed);
  const predictable = random.chance(0.5);
  const policy = predictable ? 'RunIndependent' : random.pick(failurePolicies);
  const most = random.chance(0.03) ? 200 : random.pick([4, 12, 12, 30]);
  const plan = withPatience(random, randomPlan(random, policy, { most, timed: !predictable }));
  return {
    seed,
    plan,
    predictable,
    faults: randomFaults(random, predictable),
    parallelism: random.pick([1, 2, 3, 5, 100]),
    commandsFirst: random.chance(0.5),
    changes: [...randomChanges(random, predictable), ...randomCacheMode(random)],
  };
}

/** In some plans the platform may fail as often as it likes: then what it does must not show in the end. */
function withPatience(random: Random, plan: Plan): Plan {
  if (random.chance(0.5)) return plan;
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, systemRetries: 1000 })) };
}

function randomFaults(random: Random, predictable: boolean): Faults {
  const some = (...shares: readonly number[]) => random.pick([0, ...shares]);
  return {
    crash: some(0.02, 0.08),
    refuse: some(0.05, 0.3),
    unanswered: some(0.05, 0.3),
    depose: some(0.02, 0.1),
    lose: some(0.1, 0.3),
    late: some(0.1, 0.3),
    repeat: some(0.2, 0.4),
    expire: some(0.02, 0.1),
    remove: some(0.02, 0.1),
    evict: some(0.02, 0.1),
    replace: some(0.02, 0.1),
    loseNode: some(0.01, 0.05),
    stray: predictable ? 0 : some(0.05, 0.2),
    stuck: some(0.02, 0.1),
    jump: some(0.02),
    forget: some(0.2),
  };
}

function randomChanges(random: Random, harmless: boolean): Trial['changes'] {
  const change = (): Partial<RunSpec> =>
    random.pick<() => Partial<RunSpec>>([
      () => ({ suspended: true }),
      () => ({ parallelism: 1 + random.upTo(4) }),
      ...(harmless
        ? []
        : [
            () => ({ timeoutSeconds: 20 + random.upTo(100) }),
            () => ({ cancel: 'Now' as const }),
            () => ({ cancel: 'RunFinally' as const }),
            () => ({ cancel: 'Drain' as const }),
            () => ({ skips: { s0: '', s2: 'why', s5: '' } }),
          ]),
    ])();
  const changes = Array.from({ length: random.upTo(2) }, () => ({
    after: random.upTo(random.pick([5, 60])),
    spec: change(),
  }));
  // What is asked later holds over what was asked before.
  return [...changes.sort((a, b) => a.after - b.after), { after: 200, spec: { suspended: false } }];
}

function randomCacheMode(random: Random): Trial['changes'] {
  if (random.chance(0.8)) return [];
  return [{ after: random.upTo(40), spec: { cache: random.pick(['Off', 'Overwrite'] as const) } }];
}

/** What a trial came to: what is wrong, if anything is. */
export interface Verdict {
  readonly violation?: string;
  readonly result?: SimulationResult;
}

/** Plays a trial and checks what it came to. */
export function judge(trial: Trial, trace?: (line: string) => void): Verdict {
  try {
    const result = simulate({ ...trial, trace });
    checkEnd(trial, result);
    return { result };
  } catch (error) {
    return { violation: (error as Error).message };
  }
}

/** All that happens in a trial, a line each. */
export function traceOf(trial: Trial): string[] {
  const lines: string[] = [];
  judge(trial, (line) => lines.push(line));
  return lines;
}

/** Whether a trial comes to the same, by the same way, when it is played again. */
export function isRepeatable(trial: Trial): boolean {
  return isDeepStrictEqual(traceOf(trial), traceOf(trial));
}

function checkEnd(trial: Trial, result: SimulationResult): void {
  const { plan, changes, parallelism = 100, predictable } = trial;
  const { record, cluster, deposed, strays, mostLive } = result;
  checkShape(plan, record);
  checkCache(plan, result);
  const happened = asItHappened(plan, record, cluster);
  if (predictable) checkAttempts(plan, result);
  if (predictable) checkPredicted(happened, record);
  if (predictable && plan.steps.every(({ systemRetries }) => systemRetries === 1000))
    checkPredictedEnds(withHits(plan, record), record);
  checkConsistent(happened, record);
  const left = cluster.live().map(({ step, attempt }) => `${step} ${attempt}`);
  if (left.length > 0) throw new Error(`pods were left behind: ${left.join(', ')}`);
  checkTimes(trial, result);
  // Two that lead at once do not know of each other's pods, until they see them.
  if (deposed + strays > 0) return;
  const limit = Math.max(parallelism, ...changes.map(({ spec }) => spec.parallelism ?? 0));
  if (mostLive > limit) throw new Error(`${mostLive} pods ran at once; ${limit} may`);
}

/** By when something is noticed and done, whatever is lost and whoever dies: a few lists. */
const PROMPT = 200_000;

/** What is asked for and what takes too long is ended, not only given another name. */
function checkTimes({ plan, changes, faults }: Trial, { cluster, endedAt }: SimulationResult): void {
  for (const { after, spec } of changes)
    if (spec.cancel === 'Now' && endedAt > T0 + after * 1000 + PROMPT)
      throw new Error(`cancelled after ${after} s, the run ended after ${(endedAt - T0) / 1000} s`);
  if (faults.jump) return;
  // A run of its own is Pending for as long as somebody has suspended it.
  const timed = new Set(plan.steps.filter(({ times, is }) => times && is !== 'run').map(({ name }) => name));
  for (const { step, createdAt, beganAt, endsAt } of cluster.pods.values())
    if (timed.has(step.replace(/-\d+$/, '')) && Math.min(beganAt, endsAt) > createdAt + PROMPT)
      throw new Error(`${step} was Pending for too long`);
}

function checkShape(plan: Plan, record: RunRecord): void {
  for (const { name } of plan.steps) if (!record.steps.has(name)) throw new Error(`nothing is written of ${name}`);
  for (const [name, { phase, reason, attempts, readyAt = 0, finishedAt = -1 }] of recordsOf(record)) {
    if (!(stepReasons[phase] as readonly string[]).includes(reason))
      throw new Error(`${name} is ${phase} because of ${reason}, which is no reason for that`);
    if (finishedAt < readyAt) throw new Error(`${name} ended before it was ready`);
    for (const { number, phase: end, createdAt, startedAt = createdAt, finishedAt: over = -1 } of attempts) {
      if (end === 'Running') throw new Error(`attempt ${number} of ${name} has no end`);
      if (startedAt < createdAt || over < startedAt) throw new Error(`attempt ${number} of ${name} ended too early`);
    }
  }
  if (record.run.finishedAt! < record.run.startedAt) throw new Error('the run ended before it began');
}

/** Of steps and items, by name. */
function recordsOf({ steps, items = new Map() }: RunRecord): Map<string, StepRecord> {
  const records = new Map(steps);
  for (const [map, all] of items)
    for (const [item, record] of all.entries()) if (record !== undefined) records.set(`${map}-${item}`, record);
  return records;
}

/** A step only takes what it would have given, and only that is kept. */
function checkCache({ steps }: Plan, { record, cache }: SimulationResult): void {
  const records = recordsOf(record);
  for (const step of steps)
    for (const [item, cached] of [step.cached, ...(step.items?.cached ?? [])].entries()) {
      const name = item === 0 ? step.name : `${step.name}-${item - 1}`;
      const { reason, outputs } = records.get(name) ?? {};
      if (reason === 'Cached' && cached !== 'usable' && !isOwn(name))
        throw new Error(`${name} took a result that was ${cached}`);
      if (reason === 'Cached' && outputs?.rows !== step.rows) throw new Error(`${name} gave what it does not give`);
    }
  for (const { step, outputs } of cache.kept.values())
    if (outputs?.rows !== steps.find(({ name }) => name === step || step.startsWith(`${name}-`))?.rows)
      throw new Error(`a result was kept that ${step} does not give`);

  // One that led before, and does not know that it does no more, may have run it and kept the result.
  function isOwn(name: string): boolean {
    return [...cache.kept.values()].some(({ step }) => step === name);
  }
}

function withHits(plan: Plan, record: RunRecord): Plan {
  const records = recordsOf(record);
  const isHit = (name: string) => records.get(name)?.reason === 'Cached';
  const hits = (step: PlannedStep) => step.items!.outcomes.map((_, item) => isHit(`${step.name}-${item}`));
  return {
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      hit: isHit(step.name),
      ...(step.items && { items: { ...step.items, hits: hits(step) } }),
    })),
  };
}

/** The plan with what became of the attempts that are known. */
function asItHappened(plan: Plan, record: RunRecord, { pods }: SimulatedCluster): Plan {
  const records = recordsOf(record);
  const outcomes = (name: string) =>
    (records.get(name)?.attempts ?? []).flatMap(({ number }) => pods.get(`${name}-${number}`)?.outcome ?? []);
  const steps = withHits(plan, record).steps.map((step) => ({
    ...step,
    outcomes: outcomes(step.name),
    ...(step.items && {
      items: { ...step.items, outcomes: step.items.outcomes.map((_, item) => outcomes(`${step.name}-${item}`)) },
    }),
  }));
  return { ...plan, steps };
}

/** No attempt is forgotten, unless nobody who knew of it lived to write it down and it was deleted since. */
function checkAttempts(plan: Plan, { record, cluster: { pods }, deposed }: SimulationResult): void {
  const services = new Set(plan.steps.filter(({ service }) => service).map(({ name }) => name));
  for (const [name, { attempts, reason }] of recordsOf(record)) {
    // Who does not know that nothing needs a service any more takes its stop for a failure.
    if (reason === 'Cached' || (services.has(name) && deposed > 0)) continue;
    const known = new Set(attempts.map(({ number }) => number));
    for (let number = 1; ; number++) {
      const pod = pods.get(`${name}-${number}`);
      if (pod === undefined && !known.has(number)) break;
      if (pod === undefined) throw new Error(`attempt ${number} of ${name} never was`);
      if (!known.has(number) && !pod.removed) throw new Error(`attempt ${number} of ${name} is forgotten`);
    }
  }
}

/** Not only as it ended: also by as many attempts. Of a map that fails, not every item runs. */
function checkPredicted(plan: Plan, record: RunRecord): void {
  checkPredictedEnds(plan, record);
  const records = recordsOf(record);
  for (const step of plan.steps) {
    const { phase } = records.get(step.name)!;
    const count = phase === 'Succeeded' ? (step.items?.outcomes.length ?? 0) : 0;
    const items = Array.from({ length: count }, (_, item) => plannedItem(step, item));
    if (phase === 'Succeeded' || phase === 'Failed')
      for (const each of [step, ...items]) checkAttemptCount(each, records.get(each.name));
  }
}

function checkAttemptCount(step: PlannedStep, record: StepRecord | undefined): void {
  // One that was struck when nothing needed it any more has not failed.
  if (step.service) return;
  const [is, expected] = [record?.attempts.length ?? 0, attempted(step).attempts];
  if (is !== expected) throw new Error(`${step.name} had ${is} attempts; by the model it has ${expected}`);
}

function checkPredictedEnds(plan: Plan, { run, steps }: RunRecord): void {
  const expected = referencePhases(plan);
  for (const { name } of plan.steps) checkEqual(name, endOf(steps.get(name)!), expected[name]!);
  const failed = referenceFailures(plan.steps, expected).length > 0;
  checkEqual('the run', endOf(run), failed ? 'Failed/StepFailed' : 'Succeeded/Completed');
}

/** Whatever was asked of the run: each end follows from the others, or from that of the run. */
function checkConsistent({ steps, policy }: Plan, record: RunRecord): void {
  const phases = Object.fromEntries(steps.map(({ name }) => [name, endOf(record.steps.get(name)!)]));
  const byName = new Map(steps.map((step) => [step.name, step]));
  const { phase, reason } = record.run;
  const endedEarly = reason === 'CancelRequested' || reason === 'RunTimeout';
  const ranAll = phase === 'Succeeded' || (policy === 'RunIndependent' && !endedEarly);
  for (const step of steps) {
    const end = phases[step.name]!;
    const expected = expectedEnd(step, phases, byName);
    if (end === 'Skipped/SkippedByHand' || (endedEarly && step.role === 'onFailure')) continue;
    if (!ranAll && (end === 'Skipped/RunFailing' || end.startsWith('Cancelled'))) continue;
    if (expected !== undefined || end.startsWith('Skipped')) checkEqual(step.name, end, expected ?? 'one that ran');
    if (expected === undefined && !end.startsWith('Succeeded') && !end.startsWith('Failed'))
      checkEqual(step.name, end, 'one that ran');
  }
  const failed = referenceFailures(steps, phases);
  if (!endedEarly) checkEqual('the run', phase, failed.length > 0 ? 'Failed' : 'Succeeded');
  if (reason === 'CancelRequested') checkEqual('the run', phase, 'Cancelled');
  if (reason === 'RunTimeout') checkEqual('the run', phase, 'Failed');
}

/** What the ends of others make of a step. It began, or was decided on, before a service that it needs failed, or not: either is well. */
function expectedEnd(
  step: PlannedStep,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string | undefined {
  const broken = step.edges
    .map(({ from }) => from)
    .filter((from) => byName.get(from)!.service && /^(Failed|Cancelled)/.test(phases[from]!));
  const stillUp = [...new Set(broken)].reduce<string[][]>(
    (sets, service) => [...sets, ...sets.map((set) => [...set, service])],
    [[]],
  );
  const ends = stillUp.map((up) => {
    const edges = step.edges.filter(({ from }) => !up.includes(from));
    return endWithoutRun({ ...step, edges }, phases, byName);
  });
  return (
    ends.find((end) => end === phases[step.name]) ??
    (ends.includes(undefined) && ran(phases[step.name]!) ? undefined : ends[0])
  );
}

const ran = (end: string) => /^(Succeeded|Failed)/.test(end);

const endOf = ({ phase, reason }: { readonly phase: string; readonly reason: string }) => `${phase}/${reason}`;

function checkEqual(what: string, is: string, expected: string): void {
  if (is !== expected) throw new Error(`${what} is ${is}; by the model it is ${expected}`);
}
