/** How many attempts a step had, and why there was another: `-`, `1`, `4 (ExitCode x2, OOMKilled)`. */
export function attemptsText(attempts: readonly { readonly reason: string }[]): string {
  if (attempts.length === 0) return '-';
  const counts = new Map<string, number>();
  for (const { reason } of attempts.slice(0, -1)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (counts.size === 0) return String(attempts.length);
  const reasons = [...counts].map(([reason, count]) => (count === 1 ? reason : `${reason} x${count}`));
  return `${attempts.length} (${reasons.join(', ')})`;
}
