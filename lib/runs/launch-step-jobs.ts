import { CONTROLLER_NAME, DOMAIN, annotations, labels, MANAGED_BY_LABEL } from '../graph/labels.ts';
import { hasItems, type PodStep } from '../graph/graph.ts';
import { jobSources, knownPart } from '../graph/pod-sources.ts';
import { mergeJobLayers, type JobLayer, type StepJob } from '../pods/job-template.ts';
import type { RunOverride } from '../pods/run-override.ts';
import { jobLayerProblems, runtimeJobLayers, type SynthesizedJob } from '../pods/runtime-job.ts';
import { readPolicy, type RunLayers } from '../pods/runtime-template.ts';
import { isManagedJobField, type JobUse } from '../pods/validate-job.ts';
import type { JsonObject } from '../values/json.ts';
import { formatProblem, type Problem } from '../values/problems.ts';
import { THIS_LAUNCH } from './launch-layers.ts';
import type { PlanCronJob } from './run-objects.ts';

/** What keeps a launch from changing the Job around a step's pod so, as far as it is known before it starts. */
export function stepJobProblems(
  step: PodStep,
  policy: JobLayer | undefined,
  layers: RunLayers,
  runOverride: RunOverride,
): readonly Problem[] {
  if (step.runAs !== 'Job') return [];
  const outputs = hasItems(step) ? step.itemOutputs : step.outputs;
  const waits = step.job ? [...jobSources(step.job)].some(([place]) => place === 'spec.completionMode') : false;
  const hasOutputs = Object.keys(outputs?.properties ?? {}).length > 0 && !waits;
  const job = step.job && (knownPart(step.job) as StepJob | undefined);
  const use = { hasOutputs, indexed: step.kind === 'indexedMap' };
  return newProblems(step.name, { job, policy }, layers, runOverride, use);
}

/** The same of the Job of a single task. */
export function taskJobProblems(plan: PlanCronJob, override: RunOverride): readonly Problem[] {
  const { name, synthesized } = taskJobOf(plan);
  return newProblems(name, synthesized, { run: THIS_LAUNCH }, override, { hasOutputs: false });
}

/**
 * A plan over a single task, its Job as a launch changes it.
 *
 * @throws InvalidError with what contradicts the cluster's policy
 */
export function withTaskJob(plan: PlanCronJob, layers: RunLayers): PlanCronJob {
  const { name, synthesized, kept } = taskJobOf(plan);
  const { metadata, spec } = mergeJobLayers(runtimeJobLayers(name, synthesized, layers)).job as StepJob;
  const { jobTemplate } = plan.spec;
  return {
    ...plan,
    spec: {
      ...plan.spec,
      jobTemplate: {
        ...jobTemplate,
        metadata: {
          ...jobTemplate.metadata,
          labels: { ...metadata?.labels, ...ours(jobTemplate.metadata?.labels) },
          annotations: { ...metadata?.annotations, ...ours(jobTemplate.metadata?.annotations) },
        },
        spec: { ...spec, ...kept },
      },
    },
  };
}

/** The problems that there would not be without the override. */
function newProblems(
  step: string,
  synthesized: SynthesizedJob,
  layers: RunLayers,
  runOverride: RunOverride,
  use: Omit<JobUse, 'controller'>,
): readonly Problem[] {
  const told = (run: RunLayers) =>
    jobLayerProblems(runtimeJobLayers(step, synthesized, run), { ...use, controller: CONTROLLER_NAME });
  const before = new Set(told(layers).map(formatProblem));
  return told({ ...layers, runOverride }).filter((problem) => !before.has(formatProblem(problem)));
}

/** The Job of a single task as a step's; apart from it, what is not its author's. */
function taskJobOf({ spec: { jobTemplate } }: PlanCronJob) {
  const { metadata, spec } = jobTemplate;
  const fields = Object.entries(spec);
  const job = {
    metadata: { labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} },
    spec: Object.fromEntries(fields.filter(([field]) => !isManagedJobField(field))) as JsonObject,
  };
  const path = `annotation ${annotations.policy} of the plan`;
  const { jobPolicy: policy } = readPolicy(metadata?.annotations?.[annotations.policy], path);
  return {
    name: metadata?.labels?.[labels.task] ?? 'task',
    synthesized: { job, policy },
    kept: Object.fromEntries(fields.filter(([field]) => isManagedJobField(field))),
  };
}

/** The labels or annotations that a run is known by. */
function ours(all: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => key === MANAGED_BY_LABEL || key.startsWith(`${DOMAIN}/`)),
  );
}
