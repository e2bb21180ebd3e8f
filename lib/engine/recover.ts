import type { StepNode } from '../graph/graph.ts';
import { upstreamsOf, withMembers, type Topology } from '../graph/topology.ts';
import { isFinal } from './phases.ts';
import type { Instant, RunRecord, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';

/** What a run begins with that goes on from another one. */
export interface Recovery {
  /** Name of the run that it goes on from. */
  readonly run: string;
  /** Of that run, which has finished. */
  readonly record: RunRecord;
  /** Steps that run again whatever became of them. */
  readonly rerun: readonly string[];
}

/** Ends that follow from the inputs and the steps before: with those taken over, they would be the same. */
const followsFromUpstreams: ReadonlySet<StepReason> = new Set([
  'WhenFalse',
  'AfterFalse',
  'InputUnavailable',
  'UpstreamSkipped',
  'SkippedByHand',
]);

/**
 * The record that a run begins with which goes on from another one of the same graph and inputs. It has the steps that
 * succeeded or were skipped, provided that all they waited for is taken over as well; so what comes after a step that
 * runs again runs again. A service runs again if a step does that needs it, and then so do those before that step that needed it
 * too: what they left in it is gone. Of a map that did not succeed it has the items that did. Steps that run at the end of a run
 * are never taken over. O(steps + edges + items), for each service the edges before it once more.
 */
export function recoveredRecord(topology: Topology, recovery: Recovery, now: Instant): RunRecord {
  const { run, record } = recovery;
  const again = runAgain(topology, recovery);
  const steps = new Map<string, StepRecord>();
  const items = new Map<string, readonly (StepRecord | undefined)[]>();
  for (const step of topology.steps) {
    const { name, kind } = step.node;
    const before = record.steps.get(name);
    const itemsBefore = record.items?.get(name);
    if (before === undefined) continue;
    if (!again.has(step.index)) {
      steps.set(name, named(takenOver(before, now), before, run));
      if (itemsBefore !== undefined)
        items.set(
          name,
          itemsBefore.map((item) => item && takenOver(item, now)),
        );
    } else if (kind === 'map' && itemsBefore !== undefined && goesOn(step.index)) {
      const done = itemsBefore.map((item) => (item?.phase === 'Succeeded' ? takenOver(item, now) : undefined));
      if (done.every((item) => item === undefined)) continue;
      const count = itemsBefore.length;
      steps.set(name, { phase: 'Running', reason: 'ItemsRunning', attempts: [], items: count, readyAt: now });
      items.set(name, done);
    }
  }
  const state = { phase: 'Running', reason: 'Started', startedAt: now } as const;
  return { run: state, steps, ...(items.size > 0 && { items }) };

  function goesOn(map: number): boolean {
    const step = topology.steps[map]!;
    if (step.node.role !== undefined || recovery.rerun.includes(step.node.name)) return false;
    return [...upstreamsOf(step)].every((upstream) => !again.has(upstream) || step.services.includes(upstream));
  }
}

/** The steps that are not taken over. */
function runAgain(topology: Topology, { record, rerun }: Recovery): ReadonlySet<number> {
  const { steps, byName, services } = topology;
  const named = new Set(rerun.flatMap((name) => withMembers(byName, name)));
  const isOpen = ({ name }: StepNode) => !isSettled(record.steps.get(name));
  // How a service ended says nothing of what the steps gave that needed it.
  const open = steps
    .filter(({ node }) => node.role !== undefined || named.has(node.name) || (node.kind !== 'service' && isOpen(node)))
    .map(({ index }) => index);
  // Who was kept from running by that runs, or not, as it goes now.
  for (const { users } of services.filter(({ node }) => isOpen(node)))
    for (const user of users) if (record.steps.get(steps[user]!.node.name)?.phase !== 'Succeeded') open.push(user);
  const again = new Set<number>();
  const before = new Preparation(topology);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (again.has(next)) continue;
    again.add(next);
    const { downstreams, dependents } = steps[next]!;
    for (const after of downstreams) open.push(after);
    for (const after of dependents) open.push(after);
    for (const earlier of before.of(next)) open.push(earlier);
  }
  // Those that need it come later in the list of edges, and may be services themselves.
  const needed = services.filter(({ node, index }) => !again.has(index) && isOpen(node)).map(({ index }) => index);
  needed.push(...[...again].flatMap((index) => steps[index]!.services));
  for (let next = needed.pop(); next !== undefined; next = needed.pop()) {
    if (again.has(next)) continue;
    again.add(next);
    needed.push(...steps[next]!.services);
  }
  return again;
}

/** Steps that may have left something in a service for others that need it. Each is told once. */
class Preparation {
  readonly #topology: Topology;
  /** The steps before those that were asked about, by service. */
  readonly #seen = new Map<number, Set<number>>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Those that come before a step and need a service that it needs as well. */
  *of(index: number): Generator<number> {
    const { steps } = this.#topology;
    for (const service of steps[index]!.services) {
      const seen = this.#seen.get(service) ?? new Set<number>();
      this.#seen.set(service, seen);
      const open = [...upstreamsOf(steps[index]!)];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(...upstreamsOf(steps[next]!));
        if (steps[next]!.services.includes(service)) yield next;
      }
    }
  }
}

function isSettled(record: StepRecord | undefined): boolean {
  if (record === undefined) return false;
  return record.phase === 'Succeeded' || (record.phase === 'Skipped' && followsFromUpstreams.has(record.reason));
}

/** Its attempts stay with the run in which they were: so do their pods and logs. */
function takenOver({ phase, reason, message, outputs, items, indexes }: StepRecord, now: Instant): StepRecord {
  const counts = { ...(items !== undefined && { items }), ...(indexes !== undefined && { indexes }) };
  const kept = { attempts: [], ...(outputs && { outputs }), ...counts, finishedAt: now };
  if (phase === 'Succeeded') return { phase, reason: 'Recovered', ...kept };
  return { phase, reason, ...(message !== undefined && { message }), ...kept };
}

/** Says of a step that succeeded in which run it did. */
function named(record: StepRecord, { reason, message }: StepRecord, run: string): StepRecord {
  if (record.phase !== 'Succeeded') return record;
  const before = reason === 'Recovered' ? message : undefined;
  return { ...record, message: before ?? `taken over from run ${run}` };
}

/** How many steps a record begins with that are done. */
export function countTakenOver({ steps }: RunRecord): number {
  return [...steps.values()].filter(({ phase }) => isFinal(phase)).length;
}
