import { annotations, CATCH_UP_LIMIT, NEVER, type Concurrency } from '../graph/labels.ts';
import { instantIn } from '../values/instant.ts';
import { show, type Problem } from '../values/problems.ts';
import { timeZoneProblem } from '../values/time-zone.ts';
import { PlanSchedule } from './plan-schedule.ts';
import type { Schedule } from './schedule.ts';

/** When a plan fires, and what happens when it does. */
export interface PlanTimingSettings {
  /**
   * When it fires by itself; of several schedules, whenever one of them does, and once when two do. Several that no single cron expression
   * could say need a controller, and are read in UTC without a `timeZone`.
   * @default never: it is launched by hand
   */
  readonly schedule?: Schedule | readonly Schedule[];
  /** The zone that the schedule is read in, such as `Europe/Berlin`. @default that of the cluster's controller manager, most often UTC */
  readonly timeZone?: string;
  /**
   * What happens when it fires while its last run still goes on: both run (`Allow`), the new one is not made until the last has ended (`Forbid`), the
   * last one is deleted (`Replace`), or the new one waits for its turn (`{ queue: 5 }`) behind at most so many others, and is skipped when
   * there are more. A queue needs a controller, and those who launch by hand wait in it and are never skipped.
   * @default 'Forbid'
   */
  readonly concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace' | { readonly queue: number };
  /** Switches the schedule off. @default false */
  readonly suspended?: boolean;
  /**
   * What becomes of times that were missed while the control plane was down or the plan suspended: `latest` starts a run for the last of them, as
   * Kubernetes does; `none` starts no run that is more than 30 seconds late; `all` starts a run for each of them, in their order, but for no more
   * than the last 100 and for none that is older than the `startingDeadline`. It needs a controller, and with `'Forbid'` runs wait for each other.
   * @default 'latest'
   */
  readonly catchUp?: 'none' | 'latest' | 'all';
  /**
   * The times from which on and up to which it fires, in ISO 8601 with their offset from UTC. What is scheduled for another time is skipped by the
   * controller, which it needs; a launch by hand is not.
   * @default always
   */
  readonly between?: { readonly from?: string; readonly to?: string };
  /**
   * Until when it is paused, in ISO 8601 with its offset from UTC: what is scheduled for before is skipped by the controller, which it needs.
   * @default it is not
   */
  readonly pausedUntil?: string;
}

/** The same, with what constructs say as a duration. */
export interface TimedSettings extends PlanTimingSettings {
  /** How late a run may start; later it is missed. @default Kubernetes' own: no limit */
  readonly startingDeadlineSeconds?: number;
}

/** The runs of a minute that has passed are none any more. */
const MINUTE = 60;

/** How late the CronJob controller may be before a time counts as missed, in seconds: it is at work each few, and not always at once. */
const CATCH_UP_NONE = 30;

/** How often the CronJob controller looks whether one has come due, in seconds. */
const LOOKS = 10;

/** When a plan fires, and what then happens: what of it the CronJob carries, and what its runs carry for the controller. */
export class LaunchPlanTiming {
  readonly #settings: TimedSettings;
  /** Whether a controller sequences the runs. */
  readonly #managed: boolean;
  readonly #schedule: PlanSchedule | undefined;

  constructor(settings: TimedSettings, managed: boolean) {
    this.#settings = settings;
    this.#managed = managed;
    const { schedule = [] } = settings;
    const schedules = [schedule].flat();
    this.#schedule = schedules.length === 0 ? undefined : new PlanSchedule(schedules);
  }

  /** Whether it has a schedule, switched off or not. */
  get scheduled(): boolean {
    return this.#schedule !== undefined;
  }

  /** Whether the plan fires by itself. */
  get fires(): boolean {
    return this.scheduled && this.#settings.suspended !== true;
  }

  /** Of the CronJob's spec. */
  get spec() {
    const { catchUp } = this.#settings;
    const schedule = this.#schedule;
    const timeZone = this.#timeZone;
    const late = catchUp === 'none' ? CATCH_UP_NONE : catchUp !== 'all' && schedule?.withinMinute ? MINUTE : undefined;
    const deadline = this.#settings.startingDeadlineSeconds ?? late;
    return {
      schedule: schedule?.expression ?? NEVER,
      ...(timeZone !== undefined && { timeZone }),
      concurrencyPolicy: this.#byController ? 'Allow' : this.#concurrency.policy,
      ...(deadline !== undefined && { startingDeadlineSeconds: deadline }),
    };
  }

  /** Annotations of each run. */
  get notes(): Readonly<Record<string, string>> {
    const { between, pausedUntil, catchUp = 'latest' } = this.#settings;
    const { withinMinute, several } = this.#schedule ?? {};
    const makesUp = catchUp === 'all' || (catchUp === 'latest' && several !== undefined);
    return {
      ...(this.#byController && { [annotations.concurrency]: JSON.stringify(this.#turns) }),
      ...(withinMinute !== undefined && { [annotations.every]: String(withinMinute) }),
      ...(several && { [annotations.schedules]: JSON.stringify({ cron: several, timeZone: this.#timeZone }) }),
      ...(makesUp && this.scheduled && { [annotations.catchUp]: catchUp }),
      ...(between && { [annotations.between]: JSON.stringify(between) }),
      ...(pausedUntil !== undefined && { [annotations.pausedUntil]: pausedUntil }),
    };
  }

  /**
   * Whether the controller has one run wait for the other. Kubernetes knows no queue, only of one run a minute, not of runs that were made for
   * missed times, and would replace a run by what is none.
   */
  get #byController(): boolean {
    const { policy } = this.#concurrency;
    const { withinMinute, several } = this.#schedule ?? {};
    if (policy === 'Queue' || withinMinute !== undefined) return true;
    return this.#settings.catchUp === 'all' || (policy === 'Replace' && several !== undefined);
  }

  /** As the controller is told: with every time made up for, none is passed over because a run still goes on. */
  get #turns(): Concurrency {
    const concurrency = this.#concurrency;
    if (concurrency.policy !== 'Forbid' || this.#settings.catchUp !== 'all') return concurrency;
    return { policy: 'Queue', max: CATCH_UP_LIMIT };
  }

  /** The controller does not know the zone of Kubernetes' own. */
  get #timeZone(): string | undefined {
    return this.#settings.timeZone ?? (this.#schedule?.several && 'Etc/UTC');
  }

  get #concurrency(): Concurrency {
    const { concurrencyPolicy: said = 'Forbid' } = this.#settings;
    return typeof said === 'string' ? { policy: said } : { policy: 'Queue', max: said.queue };
  }

  *warnings(): Generator<Problem> {
    yield* this.#schedule?.warnings() ?? [];
    const { startingDeadlineSeconds: deadline } = this.#settings;
    // https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
    if (this.fires && deadline !== undefined && deadline < LOOKS)
      yield {
        path: 'startingDeadline',
        message: `${deadline}s is shorter than the ${LOOKS}s after which Kubernetes looks at CronJobs again: runs may be missed`,
        fix: `give at least ${LOOKS}s`,
      };
  }

  *problems(): Generator<Problem> {
    const { timeZone, catchUp, startingDeadlineSeconds } = this.#settings;
    const schedule = this.#schedule;
    yield* schedule?.problems() ?? [];
    if (!this.#managed && schedule?.withinMinute !== undefined) yield needsController('schedule');
    if (!this.#managed && schedule?.several !== undefined)
      yield needsController('schedule', 'take schedules that one cron expression can say');
    const wrongZone = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
    if (wrongZone !== undefined) yield { path: 'timeZone', message: `${show(timeZone)} ${wrongZone}` };
    if (catchUp === 'none' && startingDeadlineSeconds !== undefined)
      yield {
        path: 'catchUp',
        message: "'none' and a startingDeadline say two things of how late a run may start",
        fix: 'keep one',
      };
    const concurrency = this.#concurrency;
    if (catchUp === 'all') {
      if (!this.#managed) yield needsController('catchUp');
      if (concurrency.policy === 'Replace')
        yield {
          path: 'catchUp',
          message: "'all' makes nothing up with the concurrencyPolicy 'Replace': each run would end the one before it",
          fix: "use 'latest'",
        };
    }
    if (concurrency.policy === 'Queue') {
      if (!Number.isSafeInteger(concurrency.max) || concurrency.max < 1)
        yield {
          path: 'concurrencyPolicy.queue',
          message: `must be a whole number of at least 1, not ${show(concurrency.max)}`,
        };
      if (!this.#managed) yield needsController('concurrencyPolicy.queue');
    }
    yield* this.#dateProblems();
  }

  *#dateProblems(): Generator<Problem> {
    const { between, pausedUntil } = this.#settings;
    if (between !== undefined && !this.#managed) yield needsController('between');
    if (pausedUntil !== undefined && !this.#managed) yield needsController('pausedUntil');
    const dates = { 'between.from': between?.from, 'between.to': between?.to, pausedUntil };
    for (const [path, text] of Object.entries(dates))
      // Without a zone it would be read in that of whoever runs the controller.
      if (text !== undefined && instantIn(text) === undefined)
        yield {
          path,
          message: `must be a time with its offset from UTC, not ${show(text)}`,
          fix: 'write it as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00',
        };
    if (between === undefined) return;
    const { from, to } = between;
    if (from === undefined && to === undefined)
      yield { path: 'between', message: 'has neither from nor to', fix: 'leave it out' };
    if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
      yield { path: 'between', message: `ends at ${to}, before it begins at ${from}` };
  }
}

function needsController(path: string, fix = 'leave it out'): Problem {
  return { path, message: 'needs a controller, which sequences neither a single task nor runs with a driver', fix };
}
