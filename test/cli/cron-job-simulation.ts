import { kickoffText } from '../../lib/graph/kickoff.ts';
import { SCHEDULED_AT } from '../../lib/graph/labels.ts';
import { timesAfter } from '../../lib/graph/timetable.ts';
import type { PlanCronJob, RunJob } from '../../lib/runs/run-objects.ts';

/** What happens to a plan and its runs; times and durations in seconds from the beginning. */
export interface SimulatedWorld {
  readonly schedule: string;
  readonly deadline?: number;
  /** Of its runs, one after the other, again and again. Each second one fails. */
  readonly durations: readonly number[];
  readonly history: { readonly succeeded: number; readonly failed: number };
  /** When the CronJob controller was down, and for how long. Runs go on meanwhile. */
  readonly downtimes: readonly (readonly [from: number, seconds: number])[];
  /** When somebody deletes the last run. */
  readonly deletions: readonly number[];
}

/** What somebody sees who looks. */
export interface SimulatedView {
  readonly plan: PlanCronJob;
  readonly jobs: readonly RunJob[];
  readonly now: number;
}

interface SimulatedRun {
  readonly name: string;
  readonly time: number;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

const BEGIN = Date.UTC(2026, 0, 1);

/** What the CronJob controller of Kubernetes does with `Forbid`, second by second. (pkg/controller/cronjob/cronjob_controllerv2.go: syncCronJob) */
export class CronJobSimulation {
  /** The times that a run was made for, whether or not it is still there. */
  readonly made = new Set<number>();
  /** From when to when each run went on. */
  readonly spans = new Map<string, { readonly from: number; readonly to: number }>();
  /** All times of the schedule. */
  readonly times: readonly number[];
  readonly #world: SimulatedWorld;
  readonly #seconds: number;
  #runs: SimulatedRun[] = [];
  #last = BEGIN;

  /** @param seconds how long it goes on */
  constructor(world: SimulatedWorld, seconds: number) {
    this.#world = world;
    this.#seconds = seconds;
    const timetable = { expressions: [world.schedule], from: -Infinity, to: BEGIN + seconds * 1000 + 1 };
    // With `@every`, too: each run is for one of these times, and the next ones count from it.
    this.times = [...timesAfter(timetable, BEGIN)];
  }

  /** Lets the time pass, and gives what was seen at some seconds. */
  run<T>(looks: readonly number[], look: (view: SimulatedView) => T): readonly T[] {
    const seen: T[] = [];
    for (let second = 0; second <= this.#seconds; second++) {
      const now = BEGIN + second * 1000;
      if (this.#world.deletions.includes(second)) this.#delete(this.#runs.at(-1), now);
      if (!this.#world.downtimes.some(([from, long]) => from <= second && second < from + long)) this.#sync(now);
      if (looks.includes(second)) seen.push(look(this.#view(now)));
    }
    return seen;
  }

  #sync(now: number): void {
    this.#prune(now);
    const { deadline = Infinity, durations } = this.#world;
    const time = this.times.findLast((each) => each <= now);
    const done = time === undefined || time <= this.#last || now > time + deadline * 1000;
    if (done || this.#runs.some(({ to }) => to > now)) return;
    const number = this.made.size;
    const to = now + durations[number % durations.length]! * 1000;
    const name = `p-${Math.floor(time / 60_000)}`;
    this.#runs.push({ name, time, from: now, to, failed: number % 2 === 1 });
    this.spans.set(name, { from: now, to });
    this.made.add(time);
    this.#last = time;
  }

  #prune(now: number): void {
    for (const failed of [false, true]) {
      const kept = failed ? this.#world.history.failed : this.#world.history.succeeded;
      const ended = this.#runs.filter((run) => run.failed === failed && run.to <= now);
      const old = new Set(ended.slice(0, Math.max(0, ended.length - kept)));
      this.#runs = this.#runs.filter((run) => !old.has(run));
    }
  }

  #delete(run: SimulatedRun | undefined, now: number): void {
    if (run === undefined) return;
    this.#runs = this.#runs.filter((each) => each !== run);
    this.spans.set(run.name, { from: run.from, to: Math.min(run.to, now) });
  }

  #view(now: number): SimulatedView {
    const { schedule, deadline } = this.#world;
    const plan: PlanCronJob = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'p', creationTimestamp: kickoffText(BEGIN) },
      spec: {
        schedule,
        concurrencyPolicy: 'Forbid',
        ...(deadline !== undefined && { startingDeadlineSeconds: deadline }),
        jobTemplate: { spec: {} },
      },
    };
    return { plan, jobs: this.#runs.map((run) => jobOf(run, now)), now };
  }
}

function jobOf({ name, time, from, to, failed }: SimulatedRun, now: number): RunJob {
  const type = failed ? 'Failed' : 'Complete';
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, creationTimestamp: kickoffText(from), annotations: { [SCHEDULED_AT]: kickoffText(time) } },
    spec: {},
    status: to > now ? {} : { conditions: [{ type, status: 'True', lastTransitionTime: kickoffText(to) }] },
  };
}
