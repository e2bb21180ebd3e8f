/** Names for a message: the first of them, and how many others there are. */
export function firstOf(names: readonly string[], most = 3): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
