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

/** So much of a key is in the name of its plan, however long the prefix is. */
const KEY_SHOWN = 20;

/** What a hash leaves of the longest name. */
const ROOM = MAX_PLAN_NAME - '-0123456789'.length;

/**
 * The name of the plan of a key, `<prefix>-<key>`. One that would be too long has parts cut off, of the key and, where little of that would be left, of
 * the prefix; it ends in a hash, so that long names with a common beginning keep apart. Nothing when no character of the key is left.
 */
export function planNameOf(prefix: string, key: string): string | undefined {
  const safe = safeKey(key);
  if (safe === undefined) return undefined;
  const name = `${prefix}-${safe}`;
  if (name.length <= MAX_PLAN_NAME) return name;
  const begin = prefix.slice(0, ROOM - '-'.length - Math.min(safe.length, KEY_SHOWN));
  const hash = contentHash(begin === prefix ? key : `${prefix}-${key}`);
  const shown = `${begin.replace(/-+$/, '')}-${safe}`.slice(0, ROOM);
  return `${shown.replace(/-+$/, '')}-${hash}`;
}
