import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';

/**
 * Ten letters and digits that stand for a value's content, for names such as `site-etl-4k2f9x1b0c`.
 * Equal content gives the equal hash whatever the order of keys. 50 bits: two of a million different
 * contents of one name share a hash with a chance of about one in two thousand.
 */
export function contentHash(value: unknown): string {
  const digest = createHash('sha256').update(canonicalJson(value)).digest();
  return (digest.readBigUInt64BE(0) >> 14n).toString(32).padStart(10, '0');
}

/** Forty letters and digits that stand for a value's content where two contents must never be taken for each other. */
export function fullHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 40);
}

/** A number from 0 up to, not including, 1 that depends on nothing but the text: jitter and spreading without a random source. */
export function unitHash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
