import { annotations, SCHEDULED_AT } from './labels.ts';

/** A time as runs get it: in UTC, to the second, such as `2026-03-29T01:00:00Z`. */
export function kickoffText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
}

/** The names of the inputs that get the time of a run; none when anybody broke the annotation. */
export function kickoffNames(metadata: Annotated | undefined): readonly string[] {
  try {
    const names: unknown = JSON.parse(metadata?.annotations?.[annotations.kickoffInputs] ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** The inputs of a run that are its time: what it was scheduled for, else when it was made. Those that it was given win over them. */
export function kickoffInputs(metadata: Annotated | undefined): Readonly<Record<string, string>> {
  const time = Date.parse(metadata?.annotations?.[SCHEDULED_AT] ?? metadata?.creationTimestamp ?? '');
  if (Number.isNaN(time)) return {};
  return Object.fromEntries(kickoffNames(metadata).map((name) => [name, kickoffText(time)]));
}
