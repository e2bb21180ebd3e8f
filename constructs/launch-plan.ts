import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { labels } from '../lib/graph/labels.ts';
import { LaunchPlanInputs } from '../lib/plans/launch-plan-inputs.ts';
import { LaunchPlanTiming } from '../lib/plans/launch-plan-timing.ts';
import { planCronJob } from '../lib/plans/plan-cron-job.ts';
import { overrideProblems, planLabels } from '../lib/plans/run-job.ts';
import { originNote, type Effective, type Level } from '../lib/plans/setting-levels.ts';
import { MAX_PLAN_NAME } from '../lib/values/key-names.ts';
import { labelProblems } from '../lib/values/label-problems.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { CallSite } from './call-site.ts';
import { namespaceOf } from './cluster.ts';
import { later } from './later.ts';
import type { LaunchPlanJob } from './launch-plan-job.ts';
import { checkLaunched, type Launched, type LaunchPlanProps, type LaunchPlanSettings } from './launch-plan-settings.ts';
import { LaunchPlanTask } from './launch-plan-task.ts';
import { LaunchPlanWorkflow } from './launch-plan-workflow.ts';
import { claimName } from './names.ts';
import { capabilityProblems } from './plan-capabilities.ts';
import { Grantable } from './grantable.ts';
import { PlanGrants } from './plan-grants.ts';
import { defaultLevels, effective, taskDefaultLevels } from './plan-levels.ts';
import { namespaceProblems } from './plan-namespace.ts';
import { PlanNotifications } from './plan-notifications.ts';
import { backupNotes, placeHere, type PlanPlace } from './plan-place.ts';
import type { Launchable } from './plan-reference.ts';
import { reportProblems } from './problems.ts';
import { seconds } from './settings.ts';
import type { Task } from './task.ts';
import { warnAtSynth } from './warnings.ts';
import type { AnyWorkflow } from './workflow.ts';

/** The group that a plan is one of, and what is said for all of them. */
interface PlanGroup<I extends Shape> {
  readonly name: string;
  readonly settings: LaunchPlanSettings<I>;
  /** What the plan's key gives to inputs. */
  readonly keyInputs: LaunchPlanSettings<I>['fixedInputs'];
}

function groupLevels<I extends Shape>({ settings, keyInputs }: PlanGroup<I>): readonly Level<LaunchPlanSettings<I>>[] {
  return [
    { name: 'group', settings },
    { name: 'group', settings: { fixedInputs: keyInputs } },
  ];
}

/**
 * A way to launch a workflow or task: its inputs, schedule and settings. Synthesizes to a CronJob, which is suspended
 * when it has no schedule. `kubectl create job --from=cronjob/<plan> <run>` launches it by hand.
 *
 * @example
 * new LaunchPlan(this, 'etl-site-a', {
 *   workflow: etl,
 *   fixedInputs: { site: 'site-a' },
 *   schedule: Schedule.cron('0 *\/6 * * *'),
 *   timeZone: 'Europe/Berlin',
 * });
 */
export class LaunchPlan<I extends Shape, R extends object = object> extends Grantable {
  declare readonly outputTypes?: R;
  readonly name: string;
  /** The namespace of the plan and its runs; left out where only the cluster that it is applied to knows. */
  readonly namespace: string | undefined;
  /** Whether the plan is on the cluster that is being synthesized, active or as a backup. In an app without a fleet it always is. */
  readonly placedHere: boolean;
  readonly #place: PlanPlace;
  readonly #launched: Launched<I, R>;
  readonly #settings: LaunchPlanSettings<I>;
  readonly #origins: Effective<LaunchPlanSettings<I>>['origins'];
  readonly #inputs: LaunchPlanInputs;
  readonly #job: LaunchPlanJob;
  readonly #timing: LaunchPlanTiming;
  readonly #notifications: PlanNotifications;
  readonly #wrong: readonly Problem[];
  /** @internal */
  protected override readonly grants: PlanGrants;

  constructor(scope: Construct, id: string, props: LaunchPlanProps<I, R>);
  /** @internal One of a group. */
  constructor(scope: Construct, id: string, props: LaunchPlanProps<I, R>, group: PlanGroup<I>);
  constructor(scope: Construct, id: string, props: LaunchPlanProps<I, R>, group?: PlanGroup<I>) {
    super(scope, id);
    this.name = props.name ?? id;
    const { workflow, task, ...own } = props;
    checkLaunched(this, props);
    this.#launched = { workflow, task } as Launched<I, R>;
    const defaults = workflow ? defaultLevels(this, workflow as unknown as AnyWorkflow) : taskDefaultLevels(this);
    const { settings, origins, problems } = effective<LaunchPlanSettings<I>>([
      ...defaults,
      ...(group ? groupLevels(group) : []),
      { name: 'plan', settings: own },
    ]);
    this.#settings = settings;
    this.#origins = origins;
    this.#inputs = new LaunchPlanInputs(settings.inputs, settings.fixedInputs);
    const { startingDeadline: deadline } = settings;
    const timed = { ...settings, startingDeadlineSeconds: deadline && seconds(deadline) };
    this.#timing = new LaunchPlanTiming(timed, workflow !== undefined && !settings.driver);
    this.#notifications = new PlanNotifications(this, settings, {
      plan: this.name,
      labels: {
        ...settings.labels,
        ...planLabels({ plan: this.name, group: group?.name }),
        [workflow ? labels.workflow : labels.task]: this.#target.name,
      },
    });
    const run = {
      plan: this,
      ...(group && { group: group.name }),
      settings,
      inputs: this.#inputs.values,
      notes: { ...this.#timing.notes, ...this.#inputs.notes, ...this.#notifications.notes },
      site: new CallSite(),
    };
    this.#job =
      task === undefined
        ? new LaunchPlanWorkflow(workflow as unknown as AnyWorkflow, run)
        : new LaunchPlanTask(task as unknown as Task<Shape, Shape>, run);
    this.namespace = settings.namespace ?? Chart.of(this).namespace;
    const taken = claimName(this, 'launch plan', this.name, this.#namespace);
    this.#place = placeHere(this, settings, workflow);
    this.#wrong = [...taken, ...problems, ...this.#place.problems];
    // A group tells once what is wrong with several of its plans.
    if (group === undefined) {
      reportProblems(this, () => this.problems());
      warnAtSynth(this, () => this.warnings());
    }
    this.placedHere = this.#place.role !== 'elsewhere';
    this.grants = new PlanGrants(this, 'plan', this.placedHere ? [this] : []);
    if (this.placedHere) this.#emit();
  }

  /** @internal What a step that launches it must know of it. */
  get launchable(): Launchable {
    const { workflow } = this.#launched;
    return {
      name: this.name,
      inputSchema: this.#target.inputSchema,
      ...(workflow && { outputSchema: workflow.outputSchema }),
      fixedInputs: this.#inputs.fixed,
      filledInputs: this.#inputs.filled,
      scope: this,
      namespace: this.namespace,
    };
  }

  /** Also where only the cluster of the fleet says it. */
  get #namespace(): string | undefined {
    return this.namespace ?? namespaceOf(this);
  }

  get #target() {
    return this.#launched.workflow ?? this.#launched.task;
  }

  #emit(): void {
    const namespace = this.#namespace;
    if (namespace !== undefined) this.#launched.workflow?.places.add(namespace);
    this.#notifications.noteSecrets();
    const off = !this.#timing.fires;
    const { successfulRunsHistoryLimit, failedRunsHistoryLimit } = this.#settings;
    const manifest = planCronJob({
      name: this.name,
      namespace: this.#settings.namespace,
      labels: { ...this.#settings.labels, ...this.#job.labels },
      annotations: { ...this.#settings.annotations, ...originNote(this.#origins), ...backupNotes(this.#place, off) },
      fixedInputs: [...this.#inputs.fixed, ...this.#job.writtenInputs],
      timing: this.#timing,
      suspend: off || this.#place.role === 'backup',
      successfulRunsHistoryLimit,
      failedRunsHistoryLimit,
      jobTemplate: later(() => this.#job.template),
    });
    const cronJob = new ApiObject(this, 'CronJob', manifest);
    this.#job.check(cronJob);
  }

  /** @internal What is likely a mistake. */
  *warnings(): Generator<Problem> {
    yield* this.#timing.warnings();
    yield* this.#notifications.warnings();
  }

  /** @internal Everything that is wrong with it. */
  *problems(): Generator<Problem> {
    yield* this.#wrong;
    const wrongName = dnsLabelProblem(this.name, MAX_PLAN_NAME);
    if (wrongName !== undefined) yield { path: 'name', message: `${show(this.name)} ${wrongName}` };
    yield* namespaceProblems(this.#settings, this.#namespace, this.#launched.workflow?.places.namespaces[0]);
    yield* this.#timing.problems();
    yield* this.#notifications.problems();
    yield* labelProblems(this.#settings.labels, this.#settings.annotations);
    yield* overrideProblems(this.#settings);
    yield* this.#job.problems();
    if (this.placedHere)
      yield* capabilityProblems(this, () => this.#job.template, this.#launched.workflow as unknown as AnyWorkflow);
    // Nobody is there to give an input when a plan fires by itself.
    yield* this.#inputs.problems(this.#target, this.#timing.scheduled || this.#job.needsAllInputs);
    if (this.#launched.task !== undefined) yield* this.#inputs.kickoffProblems();
  }
}
