import type { RunSource, RunStep as RunNode } from '../lib/graph/graph.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import type { Shape } from '../lib/values/shape.ts';
import type { OutputShape } from './inlined-workflow.ts';
import { namespaceOf } from './cluster.ts';
import { InputValues, titleOf } from './input-values.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { otherCluster, type OtherCluster } from './other-cluster.ts';
import type { Launchable, PlanReference } from './plan-reference.ts';
import { retryPolicy } from './retries.ts';
import { seconds } from './settings.ts';
import { StepBase } from './step-base.ts';
import type { GivenInputs } from './task-use.ts';
import type { ExecutionSettings } from './task.ts';
import type { AnyWorkflow, Workflow } from './workflow.ts';

/** How a step launches a plan: what is tried again, and for how long. */
export interface LaunchOptions extends Pick<
  ExecutionSettings,
  'retries' | 'systemRetries' | 'attemptTimeout' | 'timeout' | 'continueOnFailure'
> {
  /** How many runs there may be one in the other, this one included: a workflow may launch itself, and must come to an end. @default 10 */
  readonly maxDepth?: number;
  /**
   * The cluster of the fleet that the run is on. The controller of the run around it needs access to that cluster, see
   * `remoteClusters` of `WorkflowController`.
   * @default the cluster of the run around it
   */
  readonly cluster?: string;
}

/** How a step runs a workflow as a run of its own. */
export interface RunStepOptions extends LaunchOptions {
  /** How many steps of that run may run at once. @default as many as of the run around it */
  readonly parallelism?: number;
}

/** Values for the inputs of a plan; it has values of its own for those that are left out. */
export type PlanInputs<I extends Shape, Scope> = Partial<GivenInputs<I, Scope>>;

/** A launch plan, at hand or by its name. */
export type AnyPlan<I extends Shape, R extends object> = LaunchPlan<I, R> | PlanReference<I, R>;

/** What such a step runs. */
export type RunStepProps<I extends Shape, R extends object, Scope> =
  | {
      readonly workflow: Workflow<I, R>;
      readonly inputs: GivenInputs<I, Scope>;
      readonly options?: RunStepOptions;
    }
  | {
      readonly plan: AnyPlan<I, R>;
      readonly inputs: PlanInputs<I, Scope>;
      readonly options?: LaunchOptions;
    };

/**
 * A step that is a run of its own: of a workflow, or of a launch plan as it stands when the step begins.
 * `step.run('score', score, { ... })` and `step.launch('etl', plan, { ... })` in a workflow's function are the short ways to it.
 */
export class RunStep<I extends Shape, R extends object, Scope> extends StepBase<OutputShape<R>, Scope> {
  declare readonly inputTypes?: I;
  readonly #runs: AnyWorkflow | Launchable;
  /** Left out on the cluster of the run around it. */
  readonly #elsewhere: OtherCluster | Problem | undefined;
  readonly #inputs: InputValues;
  readonly #options: RunStepOptions;

  constructor(workflow: AnyWorkflow, id: string, props: RunStepProps<I, R, Scope>) {
    const runs = 'plan' in props ? props.plan.launchable : (props.workflow as unknown as AnyWorkflow);
    super(workflow, id, runs.outputSchema ?? NO_OUTPUTS);
    this.#runs = runs;
    this.#options = props.options ?? {};
    this.#elsewhere = otherCluster(this, this.#options.cluster, () => this.#allDefined());
    const title = titleOf('plan' in props ? 'launch plan' : 'workflow', runs.name);
    const isComplete = !isPlan(runs) || runs.filledInputs !== undefined;
    const filled = isPlan(runs) ? (runs.filledInputs ?? []) : [];
    const { properties, required } = runs.inputSchema;
    const inputSchema = {
      properties,
      required: isComplete ? required.filter((input) => !filled.includes(input)) : [],
    };
    const given = props.inputs as Readonly<Record<string, unknown>>;
    // A plan may have other values than the defaults of its workflow.
    this.#inputs = new InputValues({ title, inputSchema }, given, isPlan(runs) ? 'without defaults' : 'with defaults');
    if (!isPlan(runs)) runs.tellOfChanges(workflow);
  }

  /** @internal */
  toNode(): RunNode {
    const { retries, systemRetries, attemptTimeout, timeout, continueOnFailure, maxDepth, cluster } = this.#options;
    const policy = retryPolicy(retries);
    return {
      kind: 'run',
      ...this.common(),
      runs: this.#source,
      ...(this.#elsewhere !== undefined && cluster !== undefined && { cluster }),
      inputs: this.#inputs.sources(this.workflow),
      ...(Object.keys(this.outputSchema.properties).length > 0 && { outputs: this.outputSchema }),
      ...(policy && { retries: policy }),
      ...(systemRetries !== undefined && { systemRetries }),
      ...(attemptTimeout && { attemptTimeoutSeconds: seconds(attemptTimeout) }),
      ...(timeout && { timeoutSeconds: seconds(timeout) }),
      ...(continueOnFailure && { continueOnFailure }),
      ...(maxDepth !== undefined && { maxDepth }),
    };
  }

  get #source(): RunSource {
    const runs = this.#runs;
    if (isPlan(runs)) return { plan: runs.name };
    const { parallelism } = this.#options;
    const { name: workflow } = runs;
    // A graph that names itself has no name, nor has one that is not there; both are told with all that is wrong.
    const unnamed = { graphName: workflow, version: '' };
    const { graphName: graph, version } = this.#cycle === undefined ? (this.uses ?? unnamed) : unnamed;
    return { workflow, graph, version, ...(parallelism !== undefined && { parallelism }) };
  }

  /** The workflows through which this one comes to run itself, by name. */
  get #cycle(): readonly string[] | undefined {
    return this.uses?.pathTo(this.workflow);
  }

  /** @internal The graph that it cannot do without: pods differ from cluster to cluster, and so do the names of graphs. */
  override get uses(): AnyWorkflow | undefined {
    if (isPlan(this.#runs)) return undefined;
    const elsewhere = this.#elsewhere;
    if (elsewhere === undefined || 'message' in elsewhere) return this.#runs;
    return elsewhere.at(this.#runs) as AnyWorkflow | undefined;
  }

  #allDefined(): void {
    this.uses?.tellOfChanges(this.workflow);
    this.changed();
  }

  /** @internal A graph is named by its content, which cannot name itself. */
  override get nodeProblems(): readonly Problem[] {
    const [runs, elsewhere] = [this.#runs, this.#elsewhere];
    if (elsewhere !== undefined && 'message' in elsewhere) return [elsewhere];
    if (elsewhere !== undefined && !isThere(runs, elsewhere)) return [notThere(runs, this.#options.cluster!)];
    if (isPlan(runs)) return [];
    const cycle = this.#cycle;
    if (cycle !== undefined)
      return [
        {
          path: '',
          message: `workflow ${show(runs.name)} would run itself: ${cycle.join(' -> ')}`,
          fix: "launch a plan of it with step.launch(..., planNamed('...'))",
        },
      ];
    if (this.uses?.steps.some((step) => step.nodeProblems.length > 0))
      return [{ path: '', message: `workflow ${show(runs.name)} cannot be compiled`, fix: 'see what is told of it' }];
    return [];
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    yield* this.#inputs.problems(this.workflow);
    yield* this.nodeProblems;
    const runs = this.#runs;
    const scope = isPlan(runs) ? runs.scope : runs;
    const there = scope && ((isPlan(runs) && runs.namespace) || namespaceOf(scope));
    if (scope && (this.node.root !== scope.node.root || namespaceOf(this) !== there))
      yield {
        path: '',
        message: `${show(runs.name)} belongs to another namespace or app`,
        fix: 'define it in the same one',
      };
    if (!isPlan(runs)) return;
    const [, ...others] = this.workflow.places.namespaces;
    const lacking = others.filter((namespace) => scope !== undefined && namespace !== there);
    if (lacking.length > 0)
      yield {
        path: '',
        message: `launch plan ${show(runs.name)} is not in ${lacking.map(show).join(' and ')}, where runs of this workflow are too`,
        fix: 'launch planNamed(...), and make a plan of that name in each namespace',
      };
    yield* runs.problems ?? [];
    if (runs.outputSchema === undefined)
      yield {
        path: '',
        message: `launch plan ${show(runs.name)} runs a single task, which is no run of a workflow`,
        fix: 'use step(...) with the task',
      };
    for (const input of runs.fixedInputs)
      if (this.#inputs.gives(input))
        yield { path: `inputs.${input}`, message: `is fixed by launch plan ${show(runs.name)}`, fix: 'leave it out' };
  }
}

function isThere(runs: AnyWorkflow | Launchable, elsewhere: OtherCluster): boolean {
  if (!isPlan(runs)) return elsewhere.at(runs) !== undefined;
  // One that is only named may be anywhere.
  return runs.scope === undefined || elsewhere.at(runs.scope)?.node.tryFindChild('CronJob') !== undefined;
}

function notThere(runs: AnyWorkflow | Launchable, cluster: string): Problem {
  const what = `${isPlan(runs) ? 'launch plan' : 'workflow'} ${show(runs.name)}`;
  return {
    path: 'cluster',
    message: `${what} is not on cluster ${show(cluster)}`,
    fix: isPlan(runs) ? 'place it there' : 'define it there too',
  };
}

const NO_OUTPUTS: ObjectSchema = { properties: {}, required: [] };

function isPlan(runs: AnyWorkflow | Launchable): runs is Launchable {
  return 'fixedInputs' in runs;
}
