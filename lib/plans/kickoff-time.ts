import type { Shape, ValuesIn } from '../values/shape.ts';

/** What {@link kickoffTime} is. */
export class KickoffTime {
  declare private readonly isKickoffTime: true;

  /** As problems show it. */
  toJSON(): string {
    return '<kickoff time>';
  }
}

/**
 * In a plan's inputs, for an input that is text: the time that a run was scheduled for, or was made at when it was launched by hand. In UTC, to the
 * second, such as `2026-03-29T01:00:00Z`, as `z.iso.datetime()` takes it. A launch may give another one, unless it is fixed.
 *
 * @example
 * new LaunchPlan(this, 'nightly', {
 *   workflow: report, // inputs: { at: z.iso.datetime() }
 *   inputs: { at: kickoffTime },
 *   schedule: Schedule.cron('0 3 * * *'),
 * });
 */
export const kickoffTime = new KickoffTime();

/** Values that a plan gives to inputs. */
export type PlannedValues<I extends Shape> = {
  readonly [K in keyof ValuesIn<I>]?: ValuesIn<I>[K] | (string extends ValuesIn<I>[K] ? KickoffTime : never);
};
