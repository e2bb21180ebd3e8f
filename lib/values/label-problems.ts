import { labelValueProblem, qualifiedNameProblem } from './names.ts';
import { show, type Problem } from './problems.ts';

/** What Kubernetes would refuse of labels and annotations. */
export function* labelProblems(
  given: Readonly<Record<string, string>> = {},
  notes: Readonly<Record<string, string>> = {},
): Generator<Problem> {
  for (const [key, value] of Object.entries(given)) {
    const wrong = qualifiedNameProblem(key) ?? labelValueProblem(value);
    if (wrong !== undefined) yield { path: `labels.${key}`, message: `${show(value)} ${wrong}` };
  }
  for (const key of Object.keys(notes)) {
    const wrong = qualifiedNameProblem(key);
    if (wrong !== undefined) yield { path: `annotations.${key}`, message: wrong };
  }
}
