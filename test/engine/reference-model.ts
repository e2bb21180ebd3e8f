import type { EndCondition } from '../../lib/graph/graph.ts';
import { givesRows, mentionedBy, outcomeOf, plannedItem, type GateEnd, type Plan, type PlannedStep } from './plans.ts';

/**
 * The terminal phases of a plan whose steps do not disturb each other (`RunIndependent`), worked out without time, order,
 * limits or events: one pass over the steps in topological order. What the engine comes to must not depend on those either.
 */
export function referencePhases({ steps }: Plan): Record<string, string> {
  const phases: Record<string, string> = {};
  const byName = new Map(steps.map((step) => [step.name, step]));
  for (const step of steps) phases[step.name] = endWithoutRun(step, phases, byName) ?? attempted(step).end;
  return phases;
}

/** What the ends of others make of a step that does not run, or stands for them; nothing for one that runs. */
export function endWithoutRun(
  step: PlannedStep,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string | undefined {
  if (step.service && servedBy(step.name, byName).every(({ name }) => phases[name] && !ran(phases[name])))
    if (servedBy(step.name, byName).length === 0 || phases[step.name] === 'Skipped/ServiceNotNeeded')
      return 'Skipped/ServiceNotNeeded';
  if (step.group !== undefined) return grouped(step.group, phases, byName);
  return blocked(step, phases, byName) ?? looked(step, phases, byName) ?? conditioned(step, phases, byName);
}

/** The steps that a service is there for. */
function servedBy(service: string, byName: ReadonlyMap<string, PlannedStep>): PlannedStep[] {
  return [...byName.values()].filter(({ role, edges }) => !role && edges.some(({ from }) => from === service));
}

/** The steps whose failures fail the run: nobody ran in spite of them. */
export function referenceFailures(steps: readonly PlannedStep[], phases: Record<string, string>): string[] {
  const those = steps.filter(({ name }) => ran(phases[name] ?? ''));
  const handled = new Set(
    those.flatMap(({ depends, group }) => [...mentionedBy(depends), ...(group?.contains ? group.steps : [])]),
  );
  return steps
    .filter(({ name, continueOnFailure }) => phases[name]?.startsWith('Failed') && !continueOnFailure)
    .filter(({ group }) => group?.contains !== false)
    .map(({ name }) => name)
    .filter((name) => !handled.has(name));
}

/** A group ends as where it begins did not succeed, as failures that none of its steps handled make it, or well. */
function grouped(
  { steps, begin }: NonNullable<PlannedStep['group']>,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string {
  if (begin !== undefined && !phases[begin]!.startsWith('Succeeded')) return phases[begin]!;
  const own = steps.map((name) => byName.get(name)!);
  const handled = new Set(own.flatMap(({ name, depends }) => (ran(phases[name]!) ? mentionedBy(depends) : [])));
  const fails = ({ name, continueOnFailure }: PlannedStep) =>
    phases[name]!.startsWith('Failed') && !continueOnFailure && !handled.has(name);
  if (own.some(fails)) return 'Failed/StepsFailed';
  return steps.some((name) => phases[name]!.startsWith('Cancelled'))
    ? 'Cancelled/UpstreamCancelled'
    : 'Succeeded/Completed';
}

const ran = (end: string) => /^(Succeeded|Failed)/.test(end);

const ranks = [
  'Skipped/InputUnavailable',
  'Skipped/UpstreamSkipped',
  'Skipped/UpstreamFailed',
  'Cancelled/UpstreamCancelled',
];

function blocked(
  step: PlannedStep,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string | undefined {
  let rank = -1;
  for (const { from, kind } of step.edges) {
    const end = phases[from]!;
    const reads = typeof step.when === 'object' && step.when.of === from;
    const needs = kind === 'data' || reads;
    const looksAtEnd =
      kind === 'status' || ((kind === 'default' || kind === 'first') && mentionedBy(step.depends).includes(from));
    if (step.role !== undefined || (looksAtEnd && !needs)) continue;
    const passed = end === 'Skipped/WhenFalse' || end === 'Skipped/SkippedByHand';
    const empty = passed || (end.startsWith('Failed') && byName.get(from)!.continueOnFailure);
    if (empty) rank = Math.max(rank, needs ? 0 : -1);
    else if (end.startsWith('Skipped')) rank = Math.max(rank, 1);
    else if (end.startsWith('Failed')) rank = Math.max(rank, 2);
    else if (end.startsWith('Cancelled')) rank = Math.max(rank, 3);
  }
  const missed = step.edges.some(({ from, kind }) => kind === 'data' && lacksRows(from, phases, byName));
  if (missed && step.role === undefined) rank = Math.max(rank, 0);
  const first = step.edges.filter(({ kind }) => kind === 'first').map(({ from }) => phases[from]!);
  if (first.length > 0 && !first.some((end) => end.startsWith('Succeeded'))) rank = Math.max(rank, 0);
  return rank === 0 ? (conditioned(step, phases, byName) ?? ranks[rank]) : ranks[rank];
}

/** Whether what succeeded gives no number all the same: a group gives what its first step gives that gives any. */
function lacksRows(name: string, phases: Record<string, string>, byName: ReadonlyMap<string, PlannedStep>): boolean {
  const { group } = byName.get(name)!;
  if (group === undefined || !phases[name]!.startsWith('Succeeded')) return false;
  const from = group.steps.find((step) => givesRows(byName.get(step)!));
  return from === undefined || !phases[from]!.startsWith('Succeeded') || lacksRows(from, phases, byName);
}

/** What conditions on ends, and the end of the run, say. */
function looked(
  step: PlannedStep,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string | undefined {
  if (step.depends !== undefined && !holds(step.depends, phases)) return 'Skipped/AfterFalse';
  const main = [...byName.values()].filter(({ role }) => role === undefined);
  if (step.role === 'onFailure' && referenceFailures(main, phases).length === 0) return 'Skipped/NoFailure';
  return undefined;
}

function holds(condition: EndCondition, phases: Record<string, string>): boolean {
  if ('all' in condition) return condition.all.every((part) => holds(part, phases));
  if ('any' in condition) return condition.any.some((part) => holds(part, phases));
  if ('not' in condition) return !holds(condition.not, phases);
  return condition.ended === 'finished' || phases[condition.step]!.toLowerCase().startsWith(condition.ended);
}

function conditioned(
  { when }: PlannedStep,
  phases: Record<string, string>,
  byName: ReadonlyMap<string, PlannedStep>,
): string | undefined {
  if (typeof when !== 'object') return when === false ? 'Skipped/WhenFalse' : undefined;
  const isKnown = phases[when.of]!.startsWith('Succeeded');
  return isKnown && byName.get(when.of)!.rows < when.atLeast ? 'Skipped/WhenFalse' : undefined;
}

const reasons = {
  exit: 'ExitCode',
  'bad-outputs': 'OutputsInvalid',
  system: 'NodeLost',
  evicted: 'Evicted',
  deleted: 'PodDeleted',
  permanent: 'Rejected',
  stopped: '',
};

const budgets = {
  exit: 'user',
  'bad-outputs': 'user',
  system: 'system',
  evicted: 'system',
  deleted: 'system',
  permanent: 'permanent',
  stopped: 'permanent',
} as const;

const gateEnds: Readonly<Record<GateEnd, string>> = {
  given: 'Succeeded/Completed',
  denied: 'Failed/ApprovalDenied',
  default: 'Succeeded/DefaultTaken',
  timeout: 'Failed/GateTimeout',
  slept: 'Succeeded/Completed',
};

/** The end of a step that runs, and how many attempts it takes. */
export function attempted(step: PlannedStep): { readonly end: string; readonly attempts: number } {
  if (step.items !== undefined) return { end: mapped(step, step.items), attempts: 0 };
  if (step.gate) return { end: gateEnds[step.gate.end], attempts: 0 };
  if (step.begins || step.group) return { end: 'Succeeded/Completed', attempts: 0 };
  if (step.hit ?? step.cached === 'usable') return { end: 'Succeeded/Cached', attempts: 0 };
  const left = { user: step.retries, system: step.systemRetries ?? 3, permanent: 0 };
  for (let attempts = 1; ; attempts++) {
    const outcome = outcomeOf(step, attempts);
    if (step.service && (outcome === 'ok' || outcome === 'stopped'))
      return { end: 'Succeeded/ServiceStopped', attempts };
    if (outcome === 'ok') return { end: 'Succeeded/Completed', attempts };
    const reason = step.service && outcome === 'bad-outputs' ? 'ServiceEnded' : reasons[outcome];
    if (left[budgets[outcome]]-- === 0 || reason === step.givesUpOn) return { end: `Failed/${reason}`, attempts };
  }
}

function mapped(
  step: PlannedStep,
  { outcomes, minSuccesses = outcomes.length }: NonNullable<PlannedStep['items']>,
): string {
  const ends = outcomes.map((_, item) => attempted(plannedItem(step, item)).end);
  const successes = ends.filter((end) => end.startsWith('Succeeded')).length;
  return successes >= minSuccesses ? 'Succeeded/Completed' : 'Failed/ItemsFailed';
}
