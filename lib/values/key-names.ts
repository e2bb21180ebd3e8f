import { contentHash } from './hash.ts';

/** Longest name of a plan: the CronJob controller adds up to 11 characters to name a run, and a run's name is a label of its pods. */
export const MAX_PLAN_NAME = 52;

/**
 * A key as part of a DNS label: lower-case, accents left out, and every run of other characters than letters and digits
 * as one `-`. Keys that differ in nothing else come to the same. Nothing when no character is left.
 */
export function safeKey(key: string): string | undefined {
  const plain = key.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || undefined;
}

/**
 * The name of the plan of a key, `<prefix>-<key>`. One that would be too long is cut off and ends in a hash of the key, so that
 * long keys with a common beginning keep apart. Nothing when no character of the key is left.
 */
export function planNameOf(prefix: string, key: string): string | undefined {
  const safe = safeKey(key);
  if (safe === undefined) return undefined;
  const name = `${prefix}-${safe}`;
  if (name.length <= MAX_PLAN_NAME) return name;
  const hash = contentHash(key);
  return `${name.slice(0, MAX_PLAN_NAME - hash.length - 1).replace(/-+$/, '')}-${hash}`;
}
