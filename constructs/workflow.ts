import { Construct } from 'constructs';
import { containFailures, inlinedName } from '../lib/graph/inline.ts';
import { DEFAULT_FAILURE_POLICY, GRAPH_API_VERSION, type FailurePolicy, type Graph } from '../lib/graph/graph.ts';
import type { ClusterChoice, ClusterSelector } from '../lib/graph/place-plan.ts';
import { graphProblems } from '../lib/graph/validate.ts';
import { and, type Condition } from '../lib/values/condition.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import { toObjectSchema, type NoValues, type Shape } from '../lib/values/shape.ts';
import { claimName } from './names.ts';
import type { PlacementProps } from './plan-place.ts';
import type { RunDefaults } from './launch-plan-settings.ts';
import { reportProblems } from './problems.ts';
import { Branch } from './branch.ts';
import { CompiledGraph } from './compiled-graph.ts';
import { toSource } from './sources.ts';
import type { AnyStep } from './step-base.ts';
import { InlinedWorkflow } from './inlined-workflow.ts';
import { TaskUse, type AnyTaskStep } from './task-use.ts';
import { checkObject } from './validate-manifests.ts';
import { WorkflowPlaces } from './workflow-places.ts';
import { workflowBuilder, type WorkflowBuilder, type WorkflowOutputs } from './workflow-builder.ts';

export interface WorkflowProps<I extends Shape> {
  /** The workflow's name, for labels and the names of its objects; a DNS label of at most 40 characters. @default the construct's id */
  readonly name?: string;
  /** What it takes, as zod schemas. @default nothing */
  readonly inputs?: I;
  /** What happens to the other steps when one has failed. @default that of the fleet, or 'FinishRunning' */
  readonly failurePolicy?: FailurePolicy;
  /** What holds for its plans and runs that do not say otherwise. Where it is a step of another workflow, that one's run decides. @default the fleet's */
  readonly runDefaults?: Omit<RunDefaults, 'failurePolicy'>;
  /** Where its plans go that say nothing of it. @default the fleet's default cluster, or its only one */
  readonly cluster?: ClusterChoice;
  /** The backups of its plans that say nothing of where they go. @default none */
  readonly backups?: readonly ClusterSelector[];
  /**
   * How many versions are kept on a cluster that no launch plan and no run uses: as many can `rollback` go back to. A whole
   * number from 0.
   * @default 10
   */
  readonly revisionHistoryLimit?: number;
}

/**
 * Steps and the edges between them. Synthesizes to one PodTemplate a step and an immutable ConfigMap with the graph;
 * both carry a hash of their content in the name, so that a run keeps what it started with.
 *
 * @example
 * new Workflow(this, 'site-etl', { inputs: { site: z.string() } }, ({ inputs, step }) => {
 *   const raw = step('extract', extract, { site: inputs.site });
 *   step('load', load, { uri: raw.outputs.uri }).when(gt(raw.outputs.rows, 0));
 *   return { rows: raw.outputs.rows };
 * });
 */
export class Workflow<I extends Shape = NoValues, R extends object = object> extends Construct {
  declare readonly outputTypes?: R;
  readonly name: string;
  readonly inputs: I;
  readonly inputSchema: ObjectSchema;
  readonly failurePolicy: FailurePolicy;
  /** @internal Whether its author chose it. */
  readonly saysFailurePolicy: boolean;
  /** @internal */
  readonly runDefaults: RunDefaults;
  /** @internal Where its plans go that say nothing of it. */
  readonly placement: PlacementProps;
  /** @internal The namespaces that its graph and its templates are in. */
  readonly places: WorkflowPlaces = new WorkflowPlaces(this);
  readonly #steps: AnyStep[] = [];
  readonly #branches: Branch[] = [];
  readonly #compiled = new CompiledGraph(() => this.#compile());
  #arm: Condition<never> | undefined;
  #outputs: Readonly<Record<string, unknown>> = {};

  constructor(
    scope: Construct,
    id: string,
    props: WorkflowProps<I>,
    build?: <Scope>(workflow: WorkflowBuilder<I, Scope>) => WorkflowOutputs<R, Scope> | void,
  ) {
    super(scope, id);
    this.name = props.name ?? id;
    this.inputs = props.inputs ?? ({} as I);
    this.failurePolicy = props.failurePolicy ?? DEFAULT_FAILURE_POLICY;
    this.runDefaults = props.runDefaults ?? {};
    this.saysFailurePolicy = props.failurePolicy !== undefined;
    this.placement = { cluster: props.cluster, backups: props.backups };
    const schemaProblems: Problem[] = [];
    this.inputSchema = toObjectSchema(this.inputs, 'input', 'inputs', schemaProblems);
    const taken = claimName(this, 'workflow', this.name);
    reportProblems(this, () => [...schemaProblems, ...taken, ...limitProblem(props), ...this.#problems()]);
    const graph = this.#compiled.emit(this, props.revisionHistoryLimit);
    checkObject(graph, this, { name: this.name });
    if (build === undefined) return;
    const builder = workflowBuilder<I, never>(this, (branch) => this.#branch(branch));
    this.#outputs = { ...build<never>(builder) };
  }

  /** The steps in the order in which they were added. */
  get steps(): readonly AnyStep[] {
    return this.#steps;
  }

  /** What it gives. */
  get outputSchema(): ObjectSchema {
    const outputs = Object.entries(this.#outputs).filter(([, value]) => value instanceof Reference);
    const properties = Object.fromEntries(outputs.map(([name, value]) => [name, (value as AnyReference).schema]));
    // A step that gives one of them may be skipped, and the run succeed all the same.
    return { properties, required: [] };
  }

  /** Those of them that run a task, and so have a pod. */
  get taskSteps(): readonly AnyTaskStep[] {
    return this.#steps.filter((step) => step instanceof TaskUse);
  }

  /** @internal All steps with a pod, also those of workflows that are part of this one, by the names that they have here. */
  get podSteps(): readonly PodStep[] {
    return this.#steps.flatMap((step): readonly PodStep[] => {
      if (step instanceof TaskUse) return [{ name: step.name, step }];
      if (!(step instanceof InlinedWorkflow) || step.nodeProblems.length > 0) return [];
      return step.inlined.podSteps.map((inner) => ({ ...inner, name: inlinedName(step.name, inner.name) }));
    });
  }

  /** @internal The names of the workflows from this one to another whose graph it cannot do without. */
  pathTo(other: AnyWorkflow, seen = new Set<object>()): readonly string[] | undefined {
    if ((this as object) === other) return [this.name];
    if (seen.has(this)) return undefined;
    seen.add(this);
    for (const step of this.#steps) {
      const path = step.uses?.pathTo(other, seen);
      if (path !== undefined) return [this.name, ...path];
    }
    return undefined;
  }

  /** @internal Another one cannot do without the graph of this one, and is to be compiled anew when this one is. */
  tellOfChanges(parent: AnyWorkflow): void {
    this.#compiled.usedBy(parent);
    parent.places.use(this.places);
  }

  /** The compiled graph. */
  get graph(): Graph {
    return this.#compiled.graph;
  }

  /** The hash of the graph's content: the version that runs and plans are labelled with. */
  get version(): string {
    return this.#compiled.version;
  }

  /** Name of the ConfigMap that carries the graph. */
  get graphName(): string {
    return `${this.name}-${this.version}`;
  }

  /** @internal */
  addStep(step: AnyStep): void {
    this.#steps.push(step);
    this.changed();
  }

  /** @internal */
  changed(): void {
    this.#compiled.changed();
  }

  /** @internal Whether the arm runs whose function runs now. */
  get arm(): Condition<never> | undefined {
    return this.#arm;
  }

  /** @internal Runs the function of an arm: the steps that it makes have the condition, and those of the arm around it. */
  within<R>(condition: Condition<never>, build: () => R) {
    const outer = this.#arm;
    const before = this.#steps.length;
    const arm = outer === undefined ? condition : and(outer, condition);
    this.#arm = arm;
    try {
      const result = build();
      const steps: ReadonlySet<string> = new Set(this.#steps.slice(before).map(({ name }) => name));
      return { result, steps, condition: arm };
    } finally {
      this.#arm = outer;
    }
  }

  /** @internal An id for a step's construct. Two steps of one name are reported at synth with everything else, not thrown at once. */
  freeId(id: string): string {
    let free = id;
    for (let count = 2; this.node.tryFindChild(free) !== undefined; count++) free = `${id} (${count})`;
    return free;
  }

  #branch(name: string): Branch {
    const branch = new Branch(this, name);
    this.#branches.push(branch);
    return branch;
  }

  #compile(): Graph {
    return {
      apiVersion: GRAPH_API_VERSION,
      workflow: this.name,
      inputs: this.inputSchema,
      outputs: Object.fromEntries(Object.entries(this.#outputs).map(([name, value]) => [name, toSource(value, this)])),
      failurePolicy: this.failurePolicy,
      steps: containFailures(this.#steps.flatMap((step) => step.toNodes())),
    };
  }

  *#problems(): Generator<Problem> {
    const wrong = dnsLabelProblem(this.name, MAX_WORKFLOW_NAME);
    if (wrong !== undefined) yield { path: 'name', message: `${show(this.name)} ${wrong}` };
    for (const [name, value] of Object.entries(this.#outputs))
      if (!(value instanceof Reference) || value.owner !== this)
        yield {
          path: `outputs.${name}`,
          message: 'is no input and no step output of this workflow',
          fix: 'return references only',
        };
    const branches = new Set<string>();
    for (const branch of this.#branches) {
      if (branches.has(branch.name))
        yield { path: `branch ${branch.name}`, message: 'two branches have this name', fix: 'rename one' };
      branches.add(branch.name);
      yield* branch.problems();
    }
    // A step that cannot be compiled, say for a pod template that cannot be merged, says so itself.
    if (this.#steps.some((step) => step.nodeProblems.length > 0)) return;
    yield* graphProblems(this.graph, (step) => step ?? '');
    yield* this.#compiled.problems();
  }
}

function* limitProblem({
  revisionHistoryLimit: limit,
}: {
  readonly revisionHistoryLimit?: number;
}): Generator<Problem> {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0))
    yield { path: 'revisionHistoryLimit', message: `must be a whole number from 0, not ${show(limit)}` };
}

// A run is `<plan>-<time>`, at most 63 characters, and a plan is often named `<workflow>-<key>`.
const MAX_WORKFLOW_NAME = 40;

/** A step with a pod, by the name that it has in a workflow. */
export interface PodStep {
  readonly name: string;
  readonly step: AnyTaskStep;
}

/** A workflow of whatever inputs and outputs. */
export type AnyWorkflow = Workflow<Shape, object>;
