const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** Milliseconds since the epoch of a time in ISO 8601 with its offset from UTC; nothing of other text, and of a day that there is not. */
export function instantIn(text: unknown): number | undefined {
  const [, day = ''] = (typeof text === 'string' && INSTANT.exec(text)) || [];
  // Date.parse takes the 31st of February for the 3rd of March.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const time = Date.parse(text as string);
  return Number.isNaN(time) ? undefined : time;
}
