import type { AttemptState, Observation } from '../../lib/engine/advance.ts';
import type { Instant } from '../../lib/engine/record.ts';
import { outcomeOf, plannedItem, type Outcome, type PlannedStep } from './plans.ts';
import type { Random } from './random.ts';

/** A pod of the simulated cluster. Its whole future is fixed when it is created; a deletion cuts it short. */
export interface Pod {
  readonly step: string;
  readonly attempt: number;
  readonly startsAt: Instant;
  endsAt: Instant;
  outcome: Outcome | 'deleted';
  /** Gone from the API server, with what it had to tell. */
  removed: boolean;
}

/** What exists beside the shell and outlives it. Pods start, run and end by themselves as time passes. */
export class SimulatedCluster {
  readonly pods = new Map<string, Pod>();
  now: Instant;
  readonly #random: Random;
  readonly #steps: ReadonlyMap<string, PlannedStep>;

  constructor(now: Instant, steps: Iterable<PlannedStep>, random: Random) {
    this.now = now;
    this.#random = random;
    const all = [...steps].flatMap((step) => [
      step,
      ...(step.items?.outcomes ?? []).map((_, item) => plannedItem(step, item)),
    ]);
    this.#steps = new Map(all.map((step) => [step.name, step]));
  }

  /** As the API server would: an object that exists is left as it is. Returns whether it was created. */
  create(step: string, attempt: number): boolean {
    const name = `${step}-${attempt}`;
    if (this.pods.has(name)) return false;
    const startsAt = this.now + this.#random.upTo(3000);
    const endsAt = startsAt + 1 + this.#random.upTo(20_000);
    this.pods.set(name, {
      step,
      attempt,
      startsAt,
      endsAt,
      outcome: outcomeOf(this.#steps.get(step)!, attempt),
      removed: false,
    });
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
      pod.outcome = 'deleted';
    }
    return true;
  }

  /** What somebody with no interest in the run does: the pod is gone, and nobody saw how it ended. */
  remove(pod: Pod): void {
    if (pod.endsAt > this.now) {
      pod.endsAt = this.now;
      pod.outcome = 'deleted';
    }
    pod.removed = true;
  }

  isLive(pod: Pod): boolean {
    return !pod.removed && pod.endsAt > this.now;
  }

  live(): Pod[] {
    return [...this.pods.values()].filter((pod) => this.isLive(pod));
  }

  /** The time of the next change after now. */
  nextChange(): Instant | undefined {
    const times = this.live().flatMap((pod) => (pod.startsAt > this.now ? [pod.startsAt, pod.endsAt] : [pod.endsAt]));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** All pods as they are now, as a list request shows them. */
  list(): Observation[] {
    return [...this.pods.values()].filter((pod) => !pod.removed).map((pod) => this.observe(pod, this.now));
  }

  /** What changed at this very moment, as a watch shows it. */
  changes(): Observation[] {
    return this.list().filter(({ step, attempt }) => {
      const { startsAt, endsAt } = this.pods.get(`${step}-${attempt}`)!;
      return startsAt === this.now || endsAt === this.now;
    });
  }

  observe(pod: Pod, now: Instant): Observation {
    return { step: pod.step, attempt: pod.attempt, state: this.#stateAt(pod, now) };
  }

  #stateAt({ step, attempt, startsAt, endsAt, outcome }: Pod, now: Instant): AttemptState {
    if (now < endsAt) return now < startsAt ? { kind: 'pending' } : { kind: 'running', startedAt: startsAt };
    const times = { ...(startsAt < endsAt && { startedAt: startsAt }), finishedAt: endsAt };
    switch (outcome) {
      case 'ok':
        return {
          kind: 'succeeded',
          ...times,
          outputs: { text: JSON.stringify({ rows: this.#steps.get(step)!.rows, attempt }) },
        };
      case 'bad-outputs':
        return { kind: 'succeeded', ...times, outputs: { text: '{"rows":"many"}' } };
      case 'exit':
        return { kind: 'failed', ...times, failure: 'user', reason: 'ExitCode', exitCode: 1 };
      case 'permanent':
        return { kind: 'failed', ...times, failure: 'permanent', reason: 'Rejected' };
      case 'system':
        return { kind: 'failed', ...times, failure: 'system', reason: 'NodeLost' };
      case 'deleted':
        return { kind: 'failed', ...times, failure: 'system', reason: 'PodDeleted' };
    }
  }
}
