import { formatDuration } from '../../values/duration.ts';

export { formatDuration };

const SECOND = 1000;

/** As {@link formatDuration}, with a fraction while that is worth telling: `8ms`, `0.3s`, `7.4s`, `45s`. */
export function formatElapsed(milliseconds: number): string {
  const ms = Math.max(0, Math.floor(milliseconds));
  if (ms >= 10 * SECOND) return formatDuration(ms);
  return ms > 0 && ms < SECOND / 10 ? `${ms}ms` : `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
}

/** Time passed since a timestamp of Kubernetes, as in kubectl's AGE column; `<unknown>` without one. */
export function formatAge(timestamp: string | undefined, now: number): string {
  const then = timestamp === undefined ? NaN : Date.parse(timestamp);
  return Number.isNaN(then) ? '<unknown>' : formatDuration(now - then);
}
