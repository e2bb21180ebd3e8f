import { firstOf } from './first-of.ts';
import { formatProblem, type Problem } from './problems.ts';

/** What is wrong with one of several things of a kind. */
export interface NamedProblem {
  readonly name: string;
  readonly problem: Problem;
}

/** Tells once what is wrong with several things in the same way, and of which: nothing more when it is all of them. */
export function* sharedProblems(found: Iterable<NamedProblem>, all: number): Generator<Problem> {
  const shared = new Map<string, { readonly problem: Problem; readonly names: string[] }>();
  for (const { name, problem } of found) {
    const text = formatProblem(problem);
    const entry = shared.get(text) ?? { problem, names: [] };
    entry.names.push(name);
    shared.set(text, entry);
  }
  for (const { problem, names } of shared.values()) {
    const { path, message } = problem;
    if (names.length === all) yield problem;
    else if (names.length === 1) yield { ...problem, path: path === '' ? names[0]! : `${names[0]!}: ${path}` };
    else yield { ...problem, message: `${message} (in ${firstOf(names)})` };
  }
}
