import { CRON_ALIASES, neverComes, parseCron } from './cron.ts';
import { unitHash } from './hash.ts';
import { show } from './problems.ts';

/** Spreads what would fire at the same minute over a window, by nothing but its key: another key moves nobody. */

const HOUR = 60;
const DAY = 24 * HOUR;

/** Minutes from 0 up to, not including, the window's. */
export function spreadOffset(key: string, windowMinutes: number): number {
  return Math.floor(unitHash(key) * windowMinutes);
}

/** A cron expression that fires so many minutes later, or why there is none that does so for every part of the window. */
export type Shifted = { readonly expression: string } | { readonly problem: string };

/**
 * The cron expression that fires `offset` minutes after every time that this one does. Whether there is one is asked of the
 * whole window, so that it does not depend on the key.
 */
export function shiftCron(expression: string, offset: number, windowMinutes: number): Shifted {
  const read = parseCron(expression);
  if ('problem' in read) return read;
  if ('delaySeconds' in read) return { problem: `${show(expression)} has no minute that could be moved` };
  // Told once of a group, and not of each of its plans in other words.
  if (neverComes(read)) return { expression };
  // An alias fires at one minute, and is written out.
  const [, hourField = '', ...days] = (CRON_ALIASES[expression] ?? expression).trim().split(/\s+/);
  const [minutes, hours] = [inOrder(read.minutes), inOrder(read.hours)];
  const [everyMinute, everyHour] = [minutes.length === HOUR, hours.length === 24];
  if (everyMinute) return { problem: `${show(expression)} fires every minute, so that nothing is to be spread` };
  const last = minutes.at(-1)!;
  if (!everyHour && minutes.length > 1 && last + windowMinutes > HOUR)
    return {
      problem: `${show(expression)} fires several times in some hours, and some of them would come into the next hour`,
    };
  if (days.some((field) => !isAny(field)) && (everyHour ? 23 : hours.at(-1)!) * HOUR + last + windowMinutes > DAY)
    return {
      problem: `${show(expression)} fires on some days only, and some of its runs would come into the next day`,
    };
  const moved = minutes.map((minute) => minute + offset);
  // Where it fires in some hours only, all of its minutes come into the same hour.
  const hoursLater = Math.floor(moved[0]! / HOUR);
  const movedMinutes = listOf(moved.map((minute) => minute % HOUR));
  const movedHours = everyHour || hoursLater === 0 ? hourField : listOf(hours.map((hour) => (hour + hoursLater) % 24));
  return { expression: [movedMinutes, movedHours, ...days].join(' ') };
}

const inOrder = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

const listOf = (values: readonly number[]) => inOrder(values).join(',');

const isAny = (field: string) => field === '*' || field === '?';
