import { taskSteps } from '../graph/graph.ts';
import { mergeWithOrigins } from '../pods/merge.ts';
import {
  readPolicy,
  runtimeLayers,
  runtimeTemplate,
  type HoleValues,
  type SynthesizedTemplate,
} from '../pods/runtime-template.ts';
import type { PodTemplate } from '../pods/template.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import type { LocalRun } from './run-directory.ts';

/**
 * The pod that a step's attempts would be on a cluster, as the run changes it; nothing when its template is not known.
 *
 * @throws InvalidError when it contradicts the cluster's policy or is no pod
 */
export function localTemplate(run: LocalRun, step: string, values?: HoleValues): PodTemplate | undefined {
  const synthesized = synthesizedOf(run, step);
  return synthesized && runtimeTemplate(step, synthesized, run.layers ?? { run: run.name }, values);
}

/**
 * The same before the step's inputs are known, when fields that wait for them may be missing yet.
 *
 * @throws InvalidError when it contradicts the cluster's policy
 */
export function unresolvedTemplate(run: LocalRun, step: string): PodTemplate | undefined {
  const synthesized = synthesizedOf(run, step);
  return synthesized && mergeWithOrigins(runtimeLayers(step, synthesized, run.layers ?? { run: run.name })).template;
}

/** Why the overrides of a run cannot be merged with its steps' pods, or what of them a policy excludes. */
export function localTemplateProblems(run: LocalRun): readonly Problem[] {
  return taskSteps(run.graph).flatMap(({ name }) => {
    try {
      unresolvedTemplate(run, name);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return error.problems.map((problem) => ({ ...problem, path: `step ${name}: ${problem.path}` }));
    }
  });
}

function synthesizedOf({ graph, templates, policies = {} }: LocalRun, step: string): SynthesizedTemplate | undefined {
  const name = taskSteps(graph).find((node) => node.name === step)!.template;
  const template = templates[name];
  return template && { template, ...readPolicy(policies[name], `PodTemplate ${name}`) };
}
