import type { ApiObject } from 'cdk8s';
import { runLabels, runPodSettings } from '../lib/plans/run-job.ts';
import type { Problem } from '../lib/values/problems.ts';
import { explainAtSynth } from './explain.ts';
import type { LaunchPlanJob, PlannedRun } from './launch-plan-job.ts';
import { layersOf, spotLayers } from './layers.ts';
import { sharingProblems, stepJobOverrideProblems, targetOf, workflowRunJob } from './run-job.ts';
import { checkObject } from './validate-manifests.ts';
import type { AnyWorkflow } from './workflow.ts';

/** The Job of a plan over a workflow: a run, which the controller or a driver sequences. */
export class LaunchPlanWorkflow implements LaunchPlanJob {
  readonly writtenInputs = [];
  readonly needsAllInputs = false;
  readonly #workflow: AnyWorkflow;
  readonly #run: PlannedRun;

  constructor(workflow: AnyWorkflow, run: PlannedRun) {
    this.#workflow = workflow;
    this.#run = run;
  }

  get labels(): Readonly<Record<string, string>> {
    return runLabels(targetOf(this.#workflow), this.#whose);
  }

  get #whose() {
    const { plan, group } = this.#run;
    return { plan: plan.name, group };
  }

  get template(): object {
    const { inputs, settings, notes } = this.#run;
    const { metadata, spec } = workflowRunJob(this.#workflow, inputs, settings, this.#whose);
    return { metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } }, spec };
  }

  check(cronJob: ApiObject): void {
    checkObject(cronJob, this.#run.plan, { launches: this.#workflow });
    const { plan, site, settings } = this.#run;
    const { spot } = settings;
    const kind = 'plan override';
    const own = () => runPodSettings(settings).flatMap((part) => layersOf(kind, plan.node.path, site, part));
    explainAtSynth(
      plan,
      () =>
        this.#workflow.podSteps.map(({ name, step }) => ({
          file: step.toNode().template,
          step: name,
          layers: [
            ...step.layersIn(spot),
            ...own(),
            ...(step.spotIn(spot) === 'run' ? spotLayers(kind, plan.node.path, site, { spot }) : []),
          ],
        })),
      plan.name,
    );
  }

  *problems(): Generator<Problem> {
    yield* sharingProblems(this.#workflow, this.#run.settings);
    yield* stepJobOverrideProblems(this.#workflow, this.#run.settings, {
      kind: 'plan override',
      source: this.#run.plan.name,
    });
  }
}
