import type { IndexedMapStep, TaskStep } from '../../graph/graph.ts';
import { CONTROLLER_NAME } from '../../graph/labels.ts';
import { describeSource, jobSources } from '../../graph/pod-sources.ts';
import { mergeJobLayers, type StepJob } from '../../pods/job-template.ts';
import { jobLayerProblems, runtimeJobLayers, type SynthesizedJob } from '../../pods/runtime-job.ts';
import type { RunLayers } from '../../pods/runtime-template.ts';
import { InvalidError } from '../../values/problems.ts';

/**
 * What is said of the Job around the pod of a step's attempt. One that waits for no value, and that the run does not change, was
 * checked at synth.
 *
 * @param graphStep what a run knows the step by
 * @throws InvalidError with every problem, and whose value it is or where it came from
 */
export function runtimeJob(
  step: TaskStep | IndexedMapStep,
  graphStep: string,
  synthesized: SynthesizedJob,
  run: RunLayers,
): StepJob | undefined {
  const layers = runtimeJobLayers(graphStep, synthesized, run);
  const sources = [...(step.job ? jobSources(step.job) : [])].map(
    ([place, source]) => [`job.${place}`, describeSource(source)] as const,
  );
  if (sources.length === 0 && layers.every(({ kind }) => kind === 'task' || kind === 'cluster policy'))
    return synthesized.job;
  const hasOutputs = Object.keys(step.outputs?.properties ?? {}).length > 0;
  const use = { hasOutputs, controller: CONTROLLER_NAME, indexed: step.kind === 'indexedMap' };
  const problems = jobLayerProblems(layers, use).map((problem) => {
    const { path, message } = problem;
    const from = sources.find(
      ([place]) => place === path || place.startsWith(`${path}[`) || place.startsWith(`${path}.`),
    );
    if (from === undefined || message.includes(' override of ')) return problem;
    return { ...problem, message: `${message} (from ${from[1]})` };
  });
  if (problems.length > 0) throw new InvalidError(`The Job of step ${step.name}`, problems);
  return mergeJobLayers(layers).job as StepJob;
}
