import type { ApiObject } from 'cdk8s';
import { annotations } from '../lib/graph/labels.ts';
import { runPolicyNotes, runPolicyProblems } from '../lib/graph/run-policy.ts';
import { runPodSettings } from '../lib/plans/run-job.ts';
import { singleTaskFile } from '../lib/pods/explanation.ts';
import type { Layer } from '../lib/pods/layer.ts';
import type { Problem } from '../lib/values/problems.ts';
import { withDefaults } from '../lib/values/schema.ts';
import type { Shape } from '../lib/values/shape.ts';
import { explainAtSynth } from './explain.ts';
import type { LaunchPlanJob, PlannedRun } from './launch-plan-job.ts';
import { layersOf, mergedOrProblems, policyNote, spotLayers, taskSpotLayers } from './layers.ts';
import { lockedAloneProblem } from './lock.ts';
import { policyOf } from './run-job.ts';
import { seconds } from './settings.ts';
import { inputsInPod, taskJob, taskLabels, taskLayers } from './task-template.ts';
import type { Task } from './task.ts';
import { checkObject } from './validate-manifests.ts';

/** The Job of a plan over one task, which Kubernetes runs by itself. */
export class LaunchPlanTask implements LaunchPlanJob {
  /** The inputs are written into its pod. */
  readonly needsAllInputs = true;
  readonly #task: Task<Shape, Shape>;
  readonly #run: PlannedRun;

  constructor(task: Task<Shape, Shape>, run: PlannedRun) {
    this.#task = task;
    this.#run = { ...run, inputs: withDefaults(task.inputSchema, run.inputs) };
  }

  get labels(): Readonly<Record<string, string>> {
    return taskLabels(this.#task, { plan: this.#run.plan.name, group: this.#run.group });
  }

  // What is in the pod was written there at synth, beside its variables, and nobody would change it there.
  get writtenInputs(): Iterable<string> {
    return inputsInPod(this.#task);
  }

  get template(): object {
    const { metadata, spec } = this.#job;
    const { ttlAfterFinished: ttl } = this.#run.settings;
    const notes = {
      ...this.#run.settings.annotations,
      ...metadata?.annotations,
      ...this.#run.notes,
      // It is in the Job already; here it tells people what the plan says.
      ...runPolicyNotes(policyOf(this.#run.settings)),
      ...this.#policy,
    };
    return {
      metadata: {
        labels: { ...this.#run.settings.labels, ...metadata?.labels, ...this.labels },
        ...(Object.keys(notes).length > 0 && { annotations: notes }),
      },
      spec: { ...spec, ...(ttl && { ttlSecondsAfterFinished: seconds(ttl) }) },
    };
  }

  check(cronJob: ApiObject): void {
    checkObject(cronJob, this.#run.plan, { origins: () => mergedOrProblems(this.#layers).merged?.origins });
    const file = singleTaskFile('CronJob', this.#run.plan.name);
    explainAtSynth(this.#run.plan, () => [{ file, step: this.#task.name, layers: this.#layers }]);
  }

  *problems(): Generator<Problem> {
    yield* mergedOrProblems(this.#layers).problems;
    yield* this.#job.problems;
    yield* lockedAloneProblem(this.#task.locks);
    const { priority, failurePolicy } = this.#run.settings;
    yield* runPolicyProblems(policyOf(this.#run.settings));
    for (const [path, said] of Object.entries({ priority, failurePolicy }))
      if (said !== undefined)
        yield {
          path,
          message: 'says nothing of one task, which no controller sequences',
          fix: 'leave it out',
        };
  }

  get #layers(): readonly Layer[] {
    return taskLayers(this.#run.plan, this.#task, {
      inputs: this.#run.inputs,
      overrides: [
        ...this.#spotLayers,
        ...runPodSettings(this.#run.settings).flatMap((part) =>
          layersOf('plan override', this.#run.plan.node.path, this.#run.site, part),
        ),
      ],
      kind: 'job',
      artifactRoot: this.#run.settings.artifactRoot,
      podLabels: this.labels,
    });
  }

  get #spotLayers(): readonly Layer[] {
    const { plan, site, settings } = this.#run;
    const { spot } = settings;
    if (spot === false) return [];
    if (spot === undefined || this.#task.execution.spot !== undefined) return taskSpotLayers(this.#task);
    return spotLayers('plan override', plan.node.path, site, { spot });
  }

  get #job() {
    const { timeout, job, retries } = this.#run.settings;
    const own = this.#task.execution.retries;
    return taskJob(this.#run.plan, this.#task, {
      template: mergedOrProblems(this.#layers).merged?.template ?? {},
      inputs: this.#run.inputs,
      override: { ...(timeout && { timeout }), ...(job && { job }), retries: own ?? retries },
      kind: 'plan override',
    });
  }

  // A launch may change the pod: the policy goes with it, as it goes with the template of a step.
  get #policy(): Readonly<Record<string, string>> | undefined {
    const policy = policyNote(this.#run.plan, 'Job');
    return policy === undefined ? undefined : { [annotations.policy]: policy };
  }
}
