import { Reference, type AnyReference } from './reference.ts';

/** One thing that is wrong with what a user gave, in words that let them mend it. */
export interface Problem {
  /** The construct path, field path or flag, such as `site-etl/extract.inputs.site` or `--input site`. */
  readonly path: string;
  /** What is wrong, with the value, such as `must be a string, not 3`. */
  readonly message: string;
  /** What to do, such as `did you mean "site"?`. */
  readonly fix?: string;
}

/** Bad input. Thrown once all of it was checked, so that it carries every problem and not only the first. */
export class InvalidError extends Error {
  override readonly name = 'InvalidError';
  declare readonly problems: readonly Problem[];

  constructor(subject: string, problems: readonly Problem[], options?: ErrorOptions) {
    super([`${subject}:`, ...problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n'), options);
    // The message has them already: Node would print them once more beside it.
    Object.defineProperty(this, 'problems', { value: problems });
    // Where bad input was found helps nobody to mend it; Node would print it to whoever wrote the app.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function formatProblem({ path, message, fix }: Problem): string {
  return `${path === '' ? '' : `${path}: `}${message}${fix === undefined ? '' : `; ${fix}`}`;
}

/** A value as it is shown in a problem: JSON, cut after 60 characters; a reference by its name. */
export function show(value: unknown): string {
  if (value instanceof Reference) return (value as AnyReference).expression;
  const text = inJson(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Nothing of what JSON does not know. */
function inJson(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  try {
    return JSON.stringify(value, named);
  } catch {
    return undefined;
  }
}

function named(_key: string, value: unknown): unknown {
  return value instanceof Reference ? `<${(value as AnyReference).expression}>` : value;
}

/** `did you mean "x"?` for the candidate nearest to what was written, or a list of the candidates, or nothing. */
export function suggest(written: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const near = all
    .map((candidate) => ({ candidate, distance: editDistance(written.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.max(1, Math.floor(Math.min(written.length, candidate.length) / 3)),
    )
    .sort((a, b) => a.distance - b.distance)[0];
  if (near !== undefined) return `did you mean ${show(near.candidate)}?`;
  return all.length > 0 && all.length <= 12 ? `known are ${all.join(', ')}` : undefined;
}

/** Levenshtein's distance in which swapping two neighbouring letters counts as one edit. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
