import { isJsonObject, type JsonObject } from '../values/json.ts';
import { kickoffText } from './kickoff.ts';

/** What is remembered of a plan that none of its runs can tell: those that were skipped never were, and others are deleted in time. */
export interface PlanRecord {
  /** Up to when its times are dealt with, in milliseconds since the epoch; of a plan that makes up for missed ones. */
  readonly through?: number;
  /** The schedule that those were times of. */
  readonly schedule?: string;
  /** The last runs that were skipped, the oldest first. */
  readonly skipped: readonly SkippedRun[];
  /** Of each notification the last time that was told to be late without a run, in milliseconds since the epoch. */
  readonly late?: Readonly<Record<string, number>>;
}

/** A run that a plan did not start at its time. */
export interface SkippedRun {
  /** The name that it would have had. */
  readonly name: string;
  /** The time that it was for, in milliseconds since the epoch. */
  readonly time: number;
  readonly reason: SkipReason;
  /** Why, in words. */
  readonly message: string;
}

/**
 * Why a run is skipped. `PlanPaused`: it was scheduled before the pause ends. `OutsideDates`: it was scheduled for before or after the dates of
 * the plan. `RunGoesOn`: the last run still did. `QueueFull`: as many as may wait already did. `TooLate`: it could not be started within the
 * starting deadline. `TooManyMissed`: more were missed than are made up for.
 */
export const skipReasons = [
  'PlanPaused',
  'OutsideDates',
  'RunGoesOn',
  'QueueFull',
  'TooLate',
  'TooManyMissed',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** How many skipped runs are remembered of a plan. */
export const KEPT_SKIPS = 10;

/** The key of the ConfigMap that has it. */
export const PLAN_RECORD_KEY = 'record';

/** The record with one more that was skipped; those before give way. */
export function withSkipped(record: PlanRecord, skipped: readonly SkippedRun[]): PlanRecord {
  const names = new Set(skipped.map(({ name }) => name));
  const others = record.skipped.filter(({ name }) => !names.has(name));
  const all = [...others, ...skipped].sort((a, b) => a.time - b.time);
  return { ...record, skipped: all.slice(-KEPT_SKIPS) };
}

export function encodePlanRecord({ through, schedule, skipped, late = {} }: PlanRecord): string {
  const told = Object.entries(late).map(([notification, time]) => [notification, kickoffText(time)] as const);
  return JSON.stringify({
    ...(through !== undefined && { through: new Date(through).toISOString() }),
    ...(schedule !== undefined && { schedule }),
    ...(skipped.length > 0 && { skipped: skipped.map((each) => ({ ...each, time: kickoffText(each.time) })) }),
    ...(told.length > 0 && { late: Object.fromEntries(told) }),
  });
}

/** Reads it; what anybody broke is left out. */
export function decodePlanRecord(text: string | undefined): PlanRecord {
  const value = parsed(text);
  const through = timeOf(value.through);
  const skipped = Array.isArray(value.skipped) ? value.skipped.flatMap(decodeSkipped) : [];
  const late = Object.entries(isJsonObject(value.late) ? value.late : {}).flatMap(([notification, text]) => {
    const time = timeOf(text);
    return time === undefined ? [] : [[notification, time] as const];
  });
  return {
    ...(through !== undefined && typeof value.schedule === 'string' && { through, schedule: value.schedule }),
    skipped,
    ...(late.length > 0 && { late: Object.fromEntries(late) }),
  };
}

function decodeSkipped(value: unknown): readonly SkippedRun[] {
  if (!isJsonObject(value)) return [];
  const { name, message } = value;
  const time = timeOf(value.time);
  const reason = skipReasons.find((each) => each === value.reason);
  if (typeof name !== 'string' || typeof message !== 'string' || time === undefined || reason === undefined) return [];
  return [{ name, time, reason, message }];
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

function parsed(text: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return isJsonObject(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}
