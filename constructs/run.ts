import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { labels } from '../lib/graph/labels.ts';
import { overrideProblems } from '../lib/plans/run-job.ts';
import { contentHash } from '../lib/values/hash.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { checkValues } from '../lib/values/schema.ts';
import type { NoValues, Shape, ValuesIn } from '../lib/values/shape.ts';
import { namespaceOf } from './cluster.ts';
import { later } from './later.ts';
import { labelProblems } from '../lib/values/label-problems.ts';
import { claimName } from './names.ts';
import { defaultLevels, effective } from './plan-levels.ts';
import { PlanNotifications } from './plan-notifications.ts';
import { reportProblems } from './problems.ts';
import { sharingProblems, stepJobOverrideProblems, workflowRunJob, type RunSettings } from './run-job.ts';
import { checkObject } from './validate-manifests.ts';
import { warnAtSynth } from './warnings.ts';
import type { Workflow } from './workflow.ts';

export type RunProps<I extends Shape> = RunSettings & {
  readonly workflow: Workflow<I, object>;
  /**
   * Name of the run and its Job; a DNS label.
   * @default the construct's id and a hash of the workflow's version and the inputs: applying the same again starts nothing, a change starts a new run
   */
  readonly name?: string;
} & (NoValues extends ValuesIn<I> ? { readonly inputs?: ValuesIn<I> } : { readonly inputs: ValuesIn<I> });

/** One run of a workflow, as a manifest: to apply it is to run it. */
export class Run<I extends Shape> extends Construct {
  readonly #props: RunProps<I>;
  readonly #settings: RunSettings;
  readonly #wrong: readonly Problem[];
  readonly #notifications: PlanNotifications;

  constructor(scope: Construct, id: string, props: RunProps<I>) {
    super(scope, id);
    this.#props = props;
    const { workflow, name: _name, inputs: _inputs, ...own } = props as RunProps<Shape>;
    const { settings, problems } = effective<RunSettings>([
      ...defaultLevels(this, workflow),
      { name: 'run', settings: own },
    ]);
    this.#settings = settings;
    const namespace = namespaceOf(this);
    if (namespace !== undefined) workflow.places.add(namespace);
    this.#notifications = new PlanNotifications(this, this.#settings, {
      labels: { ...this.#settings.labels, [labels.workflow]: workflow.name },
    });
    this.#notifications.noteSecrets();
    const taken = claimName(this, 'run', props.name ?? id);
    this.#wrong = [...taken, ...problems];
    reportProblems(this, () => this.#problems());
    warnAtSynth(this, () => this.#notifications.warnings());
    const job = () => workflowRunJob(props.workflow, this.#inputs, this.#settings);
    const { metadata } = job();
    const object = new ApiObject(this, 'Job', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: later(() => this.name),
        labels: metadata.labels,
        annotations: {
          ...Object.fromEntries(
            Object.keys(metadata.annotations).map((key) => [
              key,
              later(() => (job().metadata.annotations as Record<string, string>)[key]!),
            ]),
          ),
          ...this.#notifications.notes,
        },
      },
      spec: later(() => job().spec),
    });
    checkObject(object, this, { name: props.name ?? id, launches: props.workflow });
  }

  /** Name of the run. */
  get name(): string {
    const { name, workflow } = this.#props;
    return name ?? `${this.node.id}-${contentHash([workflow.version, this.#inputs])}`;
  }

  get #inputs(): JsonObject {
    return (this.#props.inputs ?? {}) as JsonObject;
  }

  *#problems(): Generator<Problem> {
    yield* this.#wrong;
    const wrong = dnsLabelProblem(this.name);
    if (wrong !== undefined) yield { path: 'name', message: `${show(this.name)} ${wrong}` };
    yield* labelProblems(this.#settings.labels, this.#settings.annotations);
    yield* this.#notifications.problems();
    yield* overrideProblems(this.#settings);
    yield* sharingProblems(this.#props.workflow, this.#settings);
    yield* stepJobOverrideProblems(this.#props.workflow, this.#settings, { kind: 'run override', source: this.name });
    const checked = checkValues(this.#props.workflow.inputSchema, this.#inputs, 'refuse', 'inputs');
    if (!checked.ok) yield* checked.problems;
  }
}
