/** So many failed items are named in a message. */
export const NAMED_ITEMS = 5;

/** `12 of 100 items done, 3 of them failed` */
export function progressText(done: number, count: number, failed: number): string {
  return `${done} of ${count} items done${failed > 0 ? `, ${failed} of them failed` : ''}`;
}

/**
 * `3 of 100 items failed: score-2 (exit code 1), score-17 (OOMKilled), score-40 (exit code 1)`
 *
 * @param named the first {@link NAMED_ITEMS} of them, with why they failed
 */
export function failuresText(failed: number, count: number, named: readonly string[]): string {
  const more = failed > named.length ? ` and ${failed - named.length} more` : '';
  return `${failed} of ${count} items failed: ${named.join(', ')}${more}`;
}
