import { TimeZone } from '../../../lib/values/time-zone.ts';
import type { Random } from '../../engine/random.ts';

/** What the Go program is asked. */
export interface Question {
  readonly expression: string;
  readonly zone: string;
  /** Seconds since the epoch. */
  readonly after: number;
  readonly count: number;
}

/** With summer time from midnight, one, two or three on, by half an hour, given up since, or none; ahead of and behind UTC. */
export const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'Europe/Dublin',
  'America/New_York',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Havana',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/Asuncion',
  'Atlantic/Azores',
  'Africa/Cairo',
  'Europe/Istanbul',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
];

// Apia left out the 30th of December 2011: there the Go parser never ends.
const FIRST = Date.UTC(2012, 0, 1);
const LAST = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;

const FIELDS: readonly { readonly min: number; readonly max: number; readonly names?: string }[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: 'JAN feb Mar apr may jun jul aug sep oct nov dec' },
  { min: 0, max: 6, names: 'Sun mon TUE wed thu fri sat' },
];

const ALIASES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const DURATIONS = [
  '90m',
  '1h30m',
  '45s',
  '1.5h',
  '0.25h',
  '10m0.5s',
  '-5m',
  '0',
  '+3h',
  '.5s',
  '1m1ms',
  '100µs',
  '7h3m',
];

/** A time zone with the times at which its clocks are set. */
export interface ZoneWithChanges {
  readonly zone: string;
  readonly changes: readonly number[];
}

export function withChanges(zone: string): ZoneWithChanges {
  const clocks = new TimeZone(zone);
  const changes: number[] = [];
  for (let day = FIRST; day < LAST; day += DAY) {
    const offset = clocks.offsetAt(day);
    if (offset === clocks.offsetAt(day + DAY)) continue;
    let [before, after] = [day, day + DAY];
    while (after - before > 1000) {
      const middle = (before + after) / 2;
      if (clocks.offsetAt(middle) === offset) before = middle;
      else after = middle;
    }
    changes.push(after);
  }
  return { zone, changes };
}

/** A question about a random expression; half of them begin in the hours before the clocks are set. */
export function drawQuestion(random: Random, { zone, changes }: ZoneWithChanges): Question {
  const near = changes.length > 0 && random.chance(0.5);
  const from = near ? random.pick(changes) : FIRST + random.upTo(LAST - FIRST);
  return {
    expression: drawExpression(random),
    zone,
    after: Math.floor(from / 1000) - (near ? random.upTo(random.chance(0.5) ? 300 : 30_000) : 0),
    count: 10,
  };
}

function drawExpression(random: Random): string {
  if (random.chance(0.06)) return random.pick(ALIASES);
  if (random.chance(0.06)) return `@every ${random.pick(DURATIONS)}`;
  // Days and months are `*` more often than not, as people have them: else few would come within five years.
  return FIELDS.map((field, index) =>
    random.chance([0.2, 0.35, 0.65, 0.75, 0.65][index]!) ? '*' : drawField(random, field),
  ).join(' ');
}

function drawField(random: Random, field: (typeof FIELDS)[number]): string {
  const parts = Array.from({ length: random.chance(0.3) ? 1 + random.upTo(2) : 1 }, () => drawPart(random, field));
  return parts.join(',');
}

function drawPart(random: Random, { min, max, names }: (typeof FIELDS)[number]): string {
  const value = () => min + random.upTo(max - min);
  const text = (number: number) => (names && random.chance(0.5) ? names.split(' ')[number - min]! : String(number));
  const step = random.chance(0.4) ? `/${1 + random.upTo(random.chance(0.2) ? 69 : 8)}` : '';
  if (random.chance(0.3)) return `${random.pick(['*', '?'])}${step}`;
  const low = value();
  if (random.chance(0.5)) return `${text(low)}${step}`;
  return `${text(low)}-${text(low + random.upTo(max - low))}${step}`;
}

/** An expression with a letter or two changed: some are still right. */
export function spoil(random: Random, expression: string): string {
  const letters = [...expression];
  for (let changes = 1 + random.upTo(1); changes > 0; changes--) {
    const at = random.upTo(letters.length);
    const letter = random.pick([...'0123456789*/-,?+@ #LW7aZ\t\u0085\ufeff']);
    letters.splice(at, random.upTo(1), letter);
  }
  return letters.join('');
}
