import type { Instant } from './record.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time from one moment to another, in the units that matter at its size: `14 s`, `3 min 20 s`, `23 h 59 min`, `2 d 4 h`. Nothing is `0 s`. */
export function spanText(from: Instant, to: Instant): string {
  const seconds = Math.max(0, Math.ceil((to - from) / 1000));
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return units([seconds / MINUTE, 'min'], [seconds % MINUTE, 's']);
  if (seconds < DAY) return units([seconds / HOUR, 'h'], [(seconds % HOUR) / MINUTE, 'min']);
  return units([seconds / DAY, 'd'], [(seconds % DAY) / HOUR, 'h']);
}

function units(...parts: readonly (readonly [count: number, unit: string])[]): string {
  return parts
    .filter(([count]) => count >= 1)
    .map(([count, unit]) => `${Math.floor(count)} ${unit}`)
    .join(' ');
}
