import { labels } from '../graph/labels.ts';
import { labelValueProblem } from '../values/names.ts';
import { InvalidError, show, type Problem } from '../values/problems.ts';

/**
 * What selects objects by labels of the project.
 *
 * @throws InvalidError for values that no label has
 */
export function selectorOf(base: string, wanted: { readonly [Label in keyof typeof labels]?: string }): string {
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const problems = given.flatMap(([path, value]): Problem[] => {
    const wrong = labelValueProblem(value);
    return wrong === undefined ? [] : [{ path, message: `${show(value)} ${wrong}` }];
  });
  if (problems.length > 0) throw new InvalidError('Cannot select', problems);
  return [base, ...given.map(([label, value]) => `${labels[label as keyof typeof labels]}=${value}`)].join();
}
