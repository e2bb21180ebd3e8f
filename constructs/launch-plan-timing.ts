import { annotations, NEVER, type Concurrency } from '../lib/graph/labels.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { timeZoneProblem } from '../lib/values/time-zone.ts';
import type { LaunchPlanTimingSettings } from './launch-plan-settings.ts';
import { seconds } from './settings.ts';

/** The runs of a minute that has passed are none any more. */
const MINUTE = 60;

/** How late the CronJob controller may be before a time counts as missed, in seconds: it is at work each few, and not always at once. */
const CATCH_UP_NONE = 30;

/** When a plan fires, and what then happens: what of it the CronJob carries, and what its runs carry for the controller. */
export class LaunchPlanTiming {
  readonly #settings: LaunchPlanTimingSettings;
  /** Whether a controller sequences the runs. */
  readonly #managed: boolean;

  constructor(settings: LaunchPlanTimingSettings, managed: boolean) {
    this.#settings = settings;
    this.#managed = managed;
  }

  /** Whether the plan fires by itself. */
  get fires(): boolean {
    return this.#settings.schedule !== undefined && this.#settings.suspended !== true;
  }

  /** Of the CronJob's spec. */
  get spec() {
    const { schedule, timeZone, catchUp } = this.#settings;
    const late = catchUp === 'none' ? CATCH_UP_NONE : schedule?.withinMinute && MINUTE;
    const deadline = this.#settings.startingDeadline ? seconds(this.#settings.startingDeadline) : late;
    return {
      schedule: schedule?.expression ?? NEVER,
      ...(timeZone !== undefined && { timeZone }),
      concurrencyPolicy: this.#byController ? 'Allow' : this.#concurrency.policy,
      ...(deadline !== undefined && { startingDeadlineSeconds: deadline }),
    };
  }

  /** Annotations of each run. */
  get notes(): Readonly<Record<string, string>> {
    const { between, pausedUntil, schedule } = this.#settings;
    return {
      ...(this.#byController && { [annotations.concurrency]: JSON.stringify(this.#concurrency) }),
      ...(schedule?.withinMinute !== undefined && { [annotations.every]: String(schedule.withinMinute) }),
      ...(between && { [annotations.between]: JSON.stringify(between) }),
      ...(pausedUntil !== undefined && { [annotations.pausedUntil]: pausedUntil }),
    };
  }

  /** Whether the controller has one run wait for the other: Kubernetes knows no queue, and only of one run a minute. */
  get #byController(): boolean {
    return this.#concurrency.policy === 'Queue' || this.#settings.schedule?.withinMinute !== undefined;
  }

  get #concurrency(): Concurrency {
    const { concurrencyPolicy: said = 'Forbid' } = this.#settings;
    return typeof said === 'string' ? { policy: said } : { policy: 'Queue', max: said.queue };
  }

  *warnings(): Generator<Problem> {
    yield* this.#settings.schedule?.warnings('schedule') ?? [];
  }

  *problems(): Generator<Problem> {
    const { schedule, timeZone, catchUp, startingDeadline } = this.#settings;
    if (schedule?.problem !== undefined) yield { path: 'schedule', message: schedule.problem };
    if (schedule?.withinMinute !== undefined && !this.#managed) yield needsController('schedule');
    const wrongZone = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
    if (wrongZone !== undefined) yield { path: 'timeZone', message: `${show(timeZone)} ${wrongZone}` };
    if (catchUp === 'none' && startingDeadline !== undefined)
      yield {
        path: 'catchUp',
        message: "'none' and a startingDeadline say two things of how late a run may start",
        fix: 'keep one',
      };
    const concurrency = this.#concurrency;
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
      if (text !== undefined && (Number.isNaN(Date.parse(text)) || !/(Z|[+-]\d\d:?\d\d)$/.test(text)))
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

function needsController(path: string): Problem {
  return {
    path,
    message: 'needs a controller, which sequences neither a single task nor runs with a driver',
    fix: 'leave it out',
  };
}
