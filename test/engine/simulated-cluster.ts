import type { AttemptObservation, AttemptState } from '../../lib/engine/advance.ts';
import type { Instant } from '../../lib/engine/record.ts';
import { outcomeOf, plannedItem, type Outcome, type PlannedStep } from './plans.ts';
import type { Random } from './random.ts';

/** A pod of the simulated cluster. Its whole future is fixed when it is created; a deletion cuts it short. */
export interface Pod {
  readonly step: string;
  readonly attempt: number;
  readonly createdAt: Instant;
  startsAt: Instant;
  /** When it started first. */
  readonly beganAt: Instant;
  endsAt: Instant;
  /** Of a service: from when on it is ready; never for one that fails before. */
  readonly readyAt: Instant;
  outcome: Outcome;
  /** Gone from the API server, with what it had to tell. */
  removed: boolean;
}

const MOST_STRIKES = 4;

/** What exists beside the shell and outlives it. Pods start, run and end by themselves as time passes. */
export class SimulatedCluster {
  readonly pods = new Map<string, Pod>();
  /** Those that have not ended, or end now. */
  readonly #open = new Set<Pod>();
  /** How many attempts of a step were ended by faults: those after them come to what these would have come to. */
  readonly #struck = new Map<string, number>();
  now: Instant;
  readonly #random: Random;
  readonly #steps: ReadonlyMap<string, PlannedStep>;

  readonly #stuck: number;

  /** @param stuck the share of the pods that are Pending for ten minutes */
  constructor(now: Instant, steps: Iterable<PlannedStep>, random: Random, stuck = 0) {
    this.now = now;
    this.#random = random;
    this.#stuck = stuck;
    const all = [...steps].flatMap((step) => [
      step,
      ...(step.items?.outcomes ?? []).map((_, item) => plannedItem(step, item)),
    ]);
    this.#steps = new Map(all.map((step) => [step.name, step]));
  }

  /**
   * As the API server would: an object that exists is left as it is. Returns whether it was created.
   *
   * @param again whether one that is gone may come to be again
   */
  create(step: string, attempt: number, again = false): boolean {
    const name = `${step}-${attempt}`;
    const before = this.pods.get(name);
    if (before !== undefined && !(again && before.removed)) return false;
    const startsAt = this.now + (this.#random.chance(this.#stuck) ? 600_000 : this.#random.upTo(3000));
    const planned = this.#steps.get(step)!;
    const outcome = outcomeOf(planned, attempt - (this.#struck.get(step) ?? 0));
    const staysUp = planned.service !== undefined && outcome === 'ok';
    const endsAt = staysUp ? Infinity : startsAt + 1 + this.#random.upTo(this.#random.chance(0.05) ? 600_000 : 20_000);
    const isReady = planned.service !== undefined && (staysUp || planned.service.failsReady);
    const readyAt = isReady ? startsAt + this.#random.upTo(3000) : Infinity;
    const createdAt = this.now;
    const pod: Pod = {
      step,
      attempt,
      createdAt,
      startsAt,
      beganAt: startsAt,
      endsAt,
      readyAt,
      outcome,
      removed: false,
    };
    this.pods.set(name, pod);
    this.#open.add(pod);
    return true;
  }

  /** Ends a pod within its grace period, unless it has ended; returns whether there was one. */
  delete(step: string, attempt: number): boolean {
    const pod = this.pods.get(`${step}-${attempt}`);
    if (pod === undefined || pod.removed) return false;
    if (pod.endsAt <= this.now) return true;
    const endsAt = this.now + this.#random.upTo(3000);
    if (endsAt < pod.endsAt) {
      pod.endsAt = endsAt;
      pod.outcome = this.isService(pod) ? 'stopped' : 'deleted';
    }
    return true;
  }

  /** What somebody with no interest in the run does: the pod has not ended by itself. One that is deleted is gone. */
  strike(pod: Pod, outcome: 'deleted' | 'evicted' | 'system'): void {
    pod.endsAt = this.now;
    pod.outcome = outcome;
    pod.removed = outcome === 'deleted';
    this.#struck.set(pod.step, (this.#struck.get(pod.step) ?? 0) + 1);
  }

  /** What the Job of an attempt does when its pod is taken away: another one goes on for it, and the attempt is Pending again. */
  replace(pod: Pod): void {
    pod.startsAt = this.now + 1 + this.#random.upTo(3000);
    pod.endsAt = pod.startsAt + 1 + this.#random.upTo(20_000);
  }

  /** Those of an indexed map are read and checked item by item before the engine hears of them. */
  #gives(step: string, attempt: number): Pick<AttemptState & { readonly kind: 'succeeded' }, 'outputs' | 'read'> {
    const { rows, is } = this.#steps.get(step)!;
    return is === 'indexedMap' ? { read: { rows, attempt } } : { outputs: { text: JSON.stringify({ rows, attempt }) } };
  }

  /** Whether it takes no room across runs. */
  isApart(pod: Pick<Pod, 'step'>): boolean {
    return this.isService(pod) || this.#steps.get(pod.step)!.is === 'run';
  }

  isService({ step }: Pick<Pod, 'step'>): boolean {
    return this.#steps.get(step)!.service !== undefined;
  }

  /** What befalls pods spares a service after a few times: two that are struck again and again are never up at once. */
  strikable(): Pod[] {
    return this.live().filter((pod) => !this.isService(pod) || (this.#struck.get(pod.step) ?? 0) < MOST_STRIKES);
  }

  isLive(pod: Pod): boolean {
    return !pod.removed && pod.endsAt > this.now;
  }

  live(): Pod[] {
    return this.#present().filter((pod) => this.isLive(pod));
  }

  /** The time of the next change after now. */
  nextChange(): Instant | undefined {
    const times = this.live().flatMap(({ startsAt, readyAt, endsAt }) =>
      [startsAt, readyAt, endsAt].filter((at) => at > this.now),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Those that have not ended before now. */
  #present(): Pod[] {
    for (const pod of this.#open) if (pod.removed || pod.endsAt < this.now) this.#open.delete(pod);
    return [...this.#open];
  }

  /** All pods as they are now, as a list request shows them. */
  list(): AttemptObservation[] {
    return [...this.pods.values()].filter((pod) => !pod.removed).map((pod) => this.observe(pod, this.now));
  }

  /** What changed at this very moment, as a watch shows it. */
  changes(): AttemptObservation[] {
    return this.#present()
      .filter(({ startsAt, readyAt, endsAt }) => [startsAt, readyAt, endsAt].includes(this.now))
      .map((pod) => this.observe(pod, this.now));
  }

  observe(pod: Pod, now: Instant): AttemptObservation {
    return { step: pod.step, attempt: pod.attempt, state: this.#stateAt(pod, now) };
  }

  #stateAt({ step, attempt, startsAt, readyAt, endsAt, outcome }: Pod, now: Instant): AttemptState {
    if (now < endsAt && now < startsAt) return { kind: 'pending' };
    if (now < endsAt)
      return { kind: 'running', startedAt: startsAt, ...(now >= readyAt && { host: `${step}-${attempt}` }) };
    const times = { ...(startsAt < endsAt && { startedAt: startsAt }), finishedAt: endsAt };
    switch (outcome) {
      case 'ok':
        return { kind: 'succeeded', ...times, ...this.#gives(step, attempt) };
      case 'bad-outputs':
        if (this.#steps.get(step)!.is === 'indexedMap')
          return { kind: 'failed', ...times, failure: 'user', reason: 'OutputsInvalid' };
        return { kind: 'succeeded', ...times, outputs: { text: '{"rows":"many"}' } };
      case 'stopped':
      case 'exit':
        return { kind: 'failed', ...times, failure: 'user', reason: 'ExitCode', exitCode: 1 };
      case 'permanent':
        return { kind: 'failed', ...times, failure: 'permanent', reason: 'Rejected' };
      case 'system':
        return { kind: 'failed', ...times, failure: 'system', reason: 'NodeLost' };
      case 'evicted':
        return { kind: 'failed', ...times, failure: 'system', reason: 'Evicted' };
      case 'deleted':
        return { kind: 'failed', ...times, failure: 'system', reason: 'PodDeleted' };
    }
  }
}
