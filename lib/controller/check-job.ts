import type { TaskStep } from '../graph/graph.ts';
import { CONTROLLER_NAME } from '../graph/labels.ts';
import { describeSource, jobSources } from '../graph/pod-sources.ts';
import type { StepJob } from '../pods/job-template.ts';
import { jobProblems } from '../pods/validate-job.ts';
import type { JsonObject } from '../values/json.ts';
import { InvalidError } from '../values/problems.ts';

/**
 * Checks what values made of the Job around a step's pod. One that waited for none was checked at synth.
 *
 * @throws InvalidError with every problem and where its value came from
 */
export function checkJob(step: TaskStep, job: StepJob): void {
  const sources = [...(step.job ? jobSources(step.job) : [])].map(
    ([place, source]) => [`job.${place}`, describeSource(source)] as const,
  );
  if (sources.length === 0) return;
  const hasOutputs = Object.keys(step.outputs?.properties ?? {}).length > 0;
  const problems = [...jobProblems(job as JsonObject, { hasOutputs, controller: CONTROLLER_NAME })].map((problem) => {
    const { path, message } = problem;
    const from = sources.find(
      ([place]) => place === path || place.startsWith(`${path}[`) || place.startsWith(`${path}.`),
    );
    return from === undefined ? problem : { ...problem, message: `${message} (from ${from[1]})` };
  });
  if (problems.length > 0) throw new InvalidError(`The Job of step ${step.name}`, problems);
}
