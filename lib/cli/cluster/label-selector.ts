import { labelValueProblem } from '../../values/names.ts';
import { UsageError } from '../errors.ts';

/** An option that selects objects by a label. */
export type LabelOption = readonly [option: string, label: string, value: string | undefined];

/**
 * Selectors for the options that were given.
 *
 * @throws UsageError for a value that no label can have
 */
export function labelSelectors(options: readonly LabelOption[]): readonly string[] {
  return options.flatMap(([option, label, value]) => {
    if (value === undefined) return [];
    const problem = labelValueProblem(value);
    if (problem !== undefined) throw new UsageError(`${option} ${JSON.stringify(value)} ${problem}`);
    return [`${label}=${value}`];
  });
}
