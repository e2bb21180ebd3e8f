import { labelValueProblem, qualifiedNameProblem } from './names.ts';
import { show, type Problem } from './problems.ts';

/** Labels and annotations that are the project's own say what it reads there; what a user wrote would be lost, or misread. */
const OURS = /^(cdk8s-workflows\.dev\/|app\.kubernetes\.io\/managed-by$)/;

/** What Kubernetes would refuse of labels and annotations, and those that are not the user's to set. */
export function* labelProblems(
  given: Readonly<Record<string, string>> = {},
  notes: Readonly<Record<string, string>> = {},
): Generator<Problem> {
  for (const [key, value] of Object.entries(given)) {
    const wrong = qualifiedNameProblem(key) ?? textProblem(value) ?? labelValueProblem(value);
    if (wrong !== undefined) yield { path: `labels.${key}`, message: `${show(value)} ${wrong}` };
    else if (OURS.test(key)) yield reserved(`labels.${key}`);
  }
  for (const [key, value] of Object.entries(notes)) {
    const wrong = qualifiedNameProblem(key) ?? textProblem(value);
    if (wrong !== undefined) yield { path: `annotations.${key}`, message: wrong };
    else if (OURS.test(key)) yield reserved(`annotations.${key}`);
  }
}

function reserved(path: string): Problem {
  return { path, message: 'is set by cdk8s-workflows itself', fix: 'take another name' };
}

/** What was read from a file, or is of a program without types, may be anything. */
function textProblem(value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : 'must be text';
}
