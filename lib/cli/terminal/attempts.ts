/** What of a step tells how often it was tried. */
interface Tried {
  readonly attempts: readonly { readonly reason: string }[];
  /** Of a map step. */
  readonly items?: number;
  /** Of a map step that is one Indexed Job. */
  readonly indexes?: number;
}

/** How many attempts a step had, and why there was another: `-`, `1`, `4 (ExitCode x2, OOMKilled)`; of a map, `100 items`. */
export function attemptsText({ attempts, indexes, items = attempts.length > 1 ? undefined : indexes }: Tried): string {
  if (items !== undefined) return items === 1 ? '1 item' : `${items} items`;
  if (attempts.length === 0) return '-';
  const counts = new Map<string, number>();
  for (const { reason } of attempts.slice(0, -1)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (counts.size === 0) return String(attempts.length);
  const reasons = [...counts].map(([reason, count]) => (count === 1 ? reason : `${reason} x${count}`));
  return `${attempts.length} (${reasons.join(', ')})`;
}
