import { isJsonObject, type JsonObject } from '../values/json.ts';
import { InvalidError, show, suggest, type Problem } from '../values/problems.ts';
import { mergeJobLayers, type JobOverride } from './job-template.ts';
import type { Layer } from './layer.ts';
import { mergePodTemplate } from './merge.ts';
import type { PodTemplateOverride } from './template.ts';

/** What was changed of the pods of one run when it was launched: templates by step, with {@link EVERY_STEP} for all of them. */
export type RunOverride = Readonly<Record<string, PodTemplateOverride>>;

/** Stands for every step. No step can be named so. */
export const EVERY_STEP = '*';

/** What keeps a document from being a {@link RunOverride}, without a look at the steps that there are. */
export function runOverrideProblems(document: JsonObject, path: string): readonly Problem[] {
  return Object.entries(document).flatMap(([step, template]) => {
    const at = `${path}: ${step}`;
    if (!isJsonObject(template))
      return [{ path: at, message: `must be part of a pod template, not ${show(template)}` }];
    return overrideProblems(template as PodTemplateOverride, (place) => `${at}.${place}`);
  });
}

/** What keeps an override from being merged with any template. */
export function overrideProblems(override: PodTemplateOverride, at: (path: string) => string): readonly Problem[] {
  try {
    mergePodTemplate({}, override);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.problems.map((problem) => ({ ...problem, path: at(problem.path) }));
    throw error;
  }
}

/** What keeps an override from being merged with the Job around any pod. */
export function jobOverrideProblems(job: JobOverride, at: (path: string) => string): readonly Problem[] {
  try {
    mergeJobLayers([{ kind: 'run override', source: '', job }]);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.problems.map((problem) => ({ ...problem, path: at(problem.path) }));
    throw error;
  }
}

/** Overrides of steps that there are none of. */
export function unknownStepProblems(override: RunOverride, steps: readonly string[], path: string): readonly Problem[] {
  return Object.keys(override)
    .filter((step) => step !== EVERY_STEP && !steps.includes(step))
    .map((step) => ({ path, message: `there is no step ${show(step)}`, fix: suggest(step, [...steps, EVERY_STEP]) }));
}

/** The override as layers of a step's pod: what is said for all steps, then what is said for this one. */
export function runOverrideLayers(override: RunOverride, step: string, run: string): readonly Layer[] {
  return [EVERY_STEP, step].flatMap((name) => {
    const template = Object.hasOwn(override, name) ? override[name] : undefined;
    return template === undefined ? [] : [{ kind: 'run override', source: run, template } as const];
  });
}
