import { CATCH_UP_LIMIT } from '../../graph/labels.ts';
import { lastTimes, type Timetable } from '../../graph/timetable.ts';
import type { ObjectMeta } from '../../kube/objects.ts';

/** Which times of a plan were missed. Pure. */

/** Where to look for them, in milliseconds since the epoch. */
export interface Missed {
  /** Up to and with this time nothing was missed. */
  readonly since: number;
  /** They are before this one. */
  readonly before: number;
  /** Those before this one are too old. */
  readonly notBefore?: number;
}

/** Times that were missed, in their order. */
export interface MissedTimes {
  readonly times: readonly number[];
  /** The last one that is left out, since there are too many. */
  readonly leftOut?: number;
}

/** The last of the times that were missed, as many as are made up for. */
export function missedTimes(timetable: Timetable, { since, before, notBefore = -Infinity }: Missed): MissedTimes {
  const after = Math.max(since, notBefore - 1);
  // What `@every` counts from is where its runs were, as the one that is there now.
  const found = lastTimes(timetable, { after, before, count: CATCH_UP_LIMIT + 1, since: before });
  const leftOut = found.at(-CATCH_UP_LIMIT - 1);
  return { times: found.slice(-CATCH_UP_LIMIT), ...(leftOut !== undefined && { leftOut }) };
}

/** What is read of an entry of `metadata.managedFields`. */
export interface ManagedFields {
  readonly time?: string;
  readonly subresource?: string;
}

/**
 * Since when a plan may have missed something of which nobody has written: what it was before its spec was last changed, it did not miss as
 * what it is now.
 */
export function lastChanged({ creationTimestamp = '', managedFields = [] }: ObjectMeta): number {
  const changes = (managedFields as readonly ManagedFields[])
    .filter(({ subresource }) => subresource === undefined || subresource === '')
    .map(({ time = '' }) => Date.parse(time));
  return Math.max(...[Date.parse(creationTimestamp), ...changes].filter((time) => !Number.isNaN(time)));
}
