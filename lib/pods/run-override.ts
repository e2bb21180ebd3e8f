import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { InvalidError, show, suggest, type Problem } from '../values/problems.ts';
import { mergeJobLayers, type JobLayer, type JobOverride } from './job-template.ts';
import type { Layer } from './layer.ts';
import { mergePodTemplate } from './merge.ts';
import { joinPath } from './path.ts';
import type { PodTemplateOverride } from './template.ts';

/** What a launch changes of a step: part of its pod template, and of the Job around the pod. */
export type LaunchOverride = PodTemplateOverride & { readonly job?: JobOverride };

/** What was changed of the pods of one run when it was launched: templates by step, with {@link EVERY_STEP} for all of them. */
export type RunOverride = Readonly<Record<string, LaunchOverride>>;

/** Stands for every step. No step can be named so. */
export const EVERY_STEP = '*';

/** What keeps a document from being a {@link RunOverride}, without a look at the steps that there are. */
export function runOverrideProblems(document: JsonObject, path: string): readonly Problem[] {
  return Object.entries(document).flatMap(([step, part]) => {
    const at = `${path}: ${step}`;
    if (!isJsonObject(part)) return [{ path: at, message: `must be part of a pod template, not ${show(part)}` }];
    const { job, ...template } = part;
    return [
      ...overrideProblems(template as PodTemplateOverride, (place) => `${at}.${place}`),
      ...(job === undefined ? [] : jobOverrideProblems(job, (place) => `${at}.${inJob(place)}`)),
    ];
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

/** A place of the Job around a pod beside those of the pod. */
export const inJob = (place: string) => (place === '' ? 'job' : joinPath('job', place));

/** What keeps an override from being merged with the Job around any pod. */
export function jobOverrideProblems(job: Json, at: (path: string) => string): readonly Problem[] {
  if (!isJsonObject(job)) return [{ path: at(''), message: `must be part of a Job, not ${show(job)}` }];
  try {
    mergeJobLayers([{ kind: 'run override', source: '', job: job as JobOverride }]);
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

/** Parts for a Job where there is none: of a step that runs as a Pod, or of all steps when all of them do. */
export function withoutJobProblems(
  override: RunOverride,
  steps: readonly { readonly name: string; readonly runAs?: 'Pod' | 'Job' }[],
  at: (step: string) => string,
): readonly Problem[] {
  return Object.entries(override).flatMap(([name, { job }]) => {
    const meant = steps.filter((step) => name === EVERY_STEP || name === step.name);
    if (job === undefined || meant.some(({ runAs }) => runAs === 'Job')) return [];
    // A step that there is not is told by itself.
    if (meant.length === 0 && name !== EVERY_STEP) return [];
    const message = name === EVERY_STEP ? 'is set, and no step runs as a Job' : 'is set, and the step runs as a Pod';
    return [{ path: at(name), message, fix: "leave it out, or set runAs: 'Job' of the task or step" }];
  });
}

/** The override as layers of a step's pod: what is said for all steps, then what is said for this one. */
export function runOverrideLayers(override: RunOverride, step: string, run: string): readonly Layer[] {
  return partsFor(override, step).map(({ job: _, ...template }) => ({ kind: 'run override', source: run, template }));
}

/** The same of the Job around the pod. */
export function runOverrideJobs(override: RunOverride, step: string, run: string): readonly JobLayer[] {
  return partsFor(override, step).flatMap(({ job }) =>
    job === undefined ? [] : [{ kind: 'run override', source: run, job } as const],
  );
}

function partsFor(override: RunOverride, step: string): readonly LaunchOverride[] {
  return [EVERY_STEP, step].flatMap((name) => (Object.hasOwn(override, name) ? [override[name]!] : []));
}
