import { validatePartialJob, validatePartialTemplate } from '../manifests/validate.ts';
import { isJsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import { inJob, jobOverrideProblems, overrideProblems } from './run-override.ts';
import type { PodTemplateOverride } from './template.ts';

/**
 * What no template takes of a run override: fields that there are not, values of other types, and what no merge can do, such as an item without
 * its name.
 *
 * @param at how a message names a place of a step's part
 */
export function runOverrideFieldProblems(
  override: Readonly<Record<string, unknown>>,
  at: (step: string, place: string) => string,
): readonly Problem[] {
  return Object.entries(override).flatMap(([step, part]) => {
    if (!isJsonObject(part))
      return [{ path: at(step, ''), message: `must be part of a pod template, not ${show(part)}` }];
    const { job, ...template } = part;
    const ofJob = (place: string) => at(step, inJob(place));
    return [
      ...misfits(validatePartialTemplate(template), (place) => at(step, place)),
      ...overrideProblems(template as PodTemplateOverride, (place) => at(step, place)),
      ...(isJsonObject(job) ? misfits(validatePartialJob(job), ofJob) : []),
      ...(job === undefined ? [] : jobOverrideProblems(job, ofJob)),
    ];
  });
}

function misfits(found: readonly Problem[], at: (place: string) => string): readonly Problem[] {
  return found.map(({ path, message, fix }) => ({ path: at(path), message, ...(fix !== undefined && { fix }) }));
}
