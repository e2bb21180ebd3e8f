import { annotations, labels } from '../graph/labels.ts';
import { taskSteps, type Graph } from '../graph/graph.ts';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { podTemplates } from '../kube/resources.ts';
import type { JobOverride } from '../pods/job-template.ts';
import { mergeWithOrigins } from '../pods/merge.ts';
import { EVERY_STEP, type RunOverride } from '../pods/run-override.ts';
import {
  layerProblems,
  readPolicy,
  runtimeLayers,
  type RunLayers,
  type SynthesizedTemplate,
} from '../pods/runtime-template.ts';
import type { PodTemplate, PodTemplateOverride } from '../pods/template.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import { formatProblem, type Problem } from '../values/problems.ts';
import { THIS_LAUNCH } from './launch-layers.ts';
import { stepJobProblems } from './launch-step-jobs.ts';
import type { JobSpec, PlanCronJob } from './run-objects.ts';

/** The part of a plan that becomes the Job of a single task. */
interface TaskJobTemplate {
  readonly metadata?: PlanCronJob['spec']['jobTemplate']['metadata'];
  readonly spec: JobSpec;
}

/** By what name a single task is meant, where a workflow has steps. */
export function taskName(plan: PlanCronJob): string {
  return plan.spec.jobTemplate.metadata?.labels?.[labels.task] ?? plan.metadata.name;
}

/**
 * The pod of a single task with what a launch changes of it.
 *
 * @throws InvalidError with what contradicts the cluster's policy
 */
export function taskPod(job: TaskJobTemplate, layers: RunLayers): PodTemplate {
  const { name, synthesized } = taskOf(job);
  return mergeWithOrigins(runtimeLayers(name, synthesized, layers)).template;
}

/** What keeps a launch from changing the pod of a single task so. */
export function taskPodProblems(plan: PlanCronJob, override: RunOverride): readonly Problem[] {
  const { name, synthesized } = taskOf(plan.spec.jobTemplate);
  return newProblems(name, synthesized, { run: THIS_LAUNCH }, override);
}

/**
 * What keeps a launch from changing the pods of a workflow's steps so, as far as it is known before they start; the run finds the rest. Who may
 * not read pod templates learns it from the run too.
 */
export async function stepPodProblems(
  client: KubeClient,
  plan: PlanCronJob,
  graph: Graph,
  override: RunOverride,
): Promise<readonly Problem[]> {
  const affected = taskSteps(graph).filter(({ name }) => EVERY_STEP in override || Object.hasOwn(override, name));
  const templates = await templatesOf(client, plan.metadata.namespace, graph.workflow);
  const podOverride = planOverride(plan, annotations.podOverride) as PodTemplateOverride | undefined;
  const jobOverride = planOverride(plan, annotations.jobOverride) as JobOverride | undefined;
  const layers: RunLayers = {
    run: THIS_LAUNCH,
    plan: plan.metadata.name,
    ...(podOverride && { podOverride }),
    ...(jobOverride && { jobOverride }),
  };
  const told = new Map<string, { readonly problem: Problem; readonly steps: string[] }>();
  for (const step of affected) {
    const { name, template } = step;
    const synthesized = templates.get(template);
    const found = [
      ...(synthesized ? newProblems(name, synthesized, layers, override) : []),
      ...stepJobProblems(step, synthesized?.jobPolicy, layers, override),
    ];
    for (const problem of found) {
      const text = formatProblem(problem);
      const known = told.get(text);
      if (known === undefined) told.set(text, { problem, steps: [name] });
      else known.steps.push(name);
    }
  }
  return [...told.values()].map(({ problem, steps: names }) => ({
    ...problem,
    path: `step ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}: ${problem.path}`,
  }));
}

/** The problems that there would not be without the override. */
function newProblems(
  step: string,
  synthesized: SynthesizedTemplate,
  layers: RunLayers,
  runOverride: RunOverride,
): readonly Problem[] {
  const before = layerProblems(runtimeLayers(step, synthesized, layers)).map(formatProblem);
  return layerProblems(runtimeLayers(step, synthesized, { ...layers, runOverride }))
    .filter((problem) => !before.includes(formatProblem(problem)))
    .map((problem) => {
      const named = problem.message.includes('run override');
      return named ? problem : { ...problem, message: `${problem.message}, with the run override of ${THIS_LAUNCH}` };
    });
}

function taskOf({ metadata, spec }: TaskJobTemplate): { name: string; synthesized: SynthesizedTemplate } {
  const given = metadata?.annotations?.[annotations.policy];
  const held = readPolicy(given, `annotation ${annotations.policy} of the plan`);
  const template = (spec.template ?? {}) as PodTemplate;
  return { name: metadata?.labels?.[labels.task] ?? 'task', synthesized: { template, ...held } };
}

async function templatesOf(
  client: KubeClient,
  namespace: string | undefined,
  workflow: string,
): Promise<ReadonlyMap<string, SynthesizedTemplate>> {
  try {
    const labelSelector = `${labels.workflow}=${workflow}`;
    const { items } = await client.list<KubeObject & { template?: PodTemplate }>(podTemplates, {
      namespace,
      labelSelector,
    });
    return new Map(
      items.flatMap(({ metadata, template }) => {
        const held = readPolicy(metadata.annotations?.[annotations.policy], `PodTemplate ${metadata.name}`);
        return template === undefined ? [] : [[metadata.name, { template, ...held }] as const];
      }),
    );
  } catch (error) {
    if (isForbidden(error)) return new Map();
    throw error;
  }
}

/** What the plan itself changes; one that cannot be read is refused by whoever runs it. */
function planOverride({ spec }: PlanCronJob, key: string): JsonObject | undefined {
  try {
    const override: unknown = JSON.parse(spec.jobTemplate.metadata?.annotations?.[key] ?? 'null');
    return isJsonObject(override) ? (override as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
