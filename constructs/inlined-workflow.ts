import { Chart } from 'cdk8s';
import type { z } from 'zod';
import { GRAPH_API_VERSION, type Graph, type GroupStep, type StepNode } from '../lib/graph/graph.ts';
import { inline, inlinedName } from '../lib/graph/inline.ts';
import { MAX_STEP_NAME } from '../lib/graph/step-name.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { NoValues, Shape } from '../lib/values/shape.ts';
import { InputValues, titleOf } from './input-values.ts';
import { StepBase } from './step-base.ts';
import type { GivenInputs } from './task-use.ts';
import type { AnyWorkflow, Workflow } from './workflow.ts';

/** The outputs of a workflow, as those of a step. */
export type OutputShape<R> = [keyof R] extends [never] ? NoValues : { readonly [Name in keyof R]: z.ZodType<R[Name]> };

export interface InlinedWorkflowProps<I extends Shape, R extends object, Scope> {
  /** What becomes part of this workflow. */
  readonly workflow: Workflow<I, R>;
  readonly inputs: GivenInputs<I, Scope>;
}

/**
 * A workflow as part of another one: its steps become steps of that one, named `<id>-<step>`. To the other steps it is one step:
 * it begins when its inputs are there and what comes before it has ended, gives the outputs of the workflow, and has
 * failed when a run of the workflow would have. `step('prepare', prepare, { ... })` in a workflow's function is the short way to it.
 */
export class InlinedWorkflow<I extends Shape, R extends object, Scope> extends StepBase<OutputShape<R>, Scope> {
  declare readonly inputTypes?: I;
  /** What became part of this workflow. */
  readonly inlined: AnyWorkflow;
  readonly #inputs: InputValues;

  constructor(workflow: AnyWorkflow, id: string, { workflow: inlined, inputs }: InlinedWorkflowProps<I, R, Scope>) {
    super(workflow, id, inlined.outputSchema);
    this.inlined = inlined as unknown as AnyWorkflow;
    const taker = { title: titleOf('workflow', inlined.name), inputSchema: inlined.inputSchema };
    this.#inputs = new InputValues(taker, inputs as Readonly<Record<string, unknown>>);
    this.inlined.tellOfChanges(workflow);
  }

  /** @internal The step that stands for the others. */
  toNode(): GroupStep {
    return this.toNodes().at(-1) as GroupStep;
  }

  /** @internal */
  override toNodes(): readonly StepNode[] {
    const { name, role: _, ...asked } = this.common();
    const { properties } = this.outputSchema;
    const step = { name, ...asked, ...(Object.keys(properties).length > 0 && { outputs: this.outputSchema }) };
    // One that contains itself has no end; that it does is told with all that is wrong.
    const graph = this.#cycle === undefined ? this.inlined.graph : nothing(this.inlined);
    return inline({ graph, step, inputs: this.#inputs.sources(this.workflow) });
  }

  /** The workflows through which this one comes to contain itself, by name. */
  get #cycle(): readonly string[] | undefined {
    return this.inlined.pathTo(this.workflow);
  }

  /** @internal */
  override get uses(): AnyWorkflow {
    return this.inlined;
  }

  /** @internal */
  override get nodeProblems(): readonly Problem[] {
    const cycle = this.#cycle;
    const asRun = 'run it as a run of its own with step.run(...)';
    const asPlan = "launch a plan of it with step.launch(..., planNamed('...'))";
    const { name } = this.inlined;
    if (cycle !== undefined)
      return [
        {
          path: '',
          message: `workflow ${show(name)} would contain itself: ${cycle.join(' -> ')}`,
          fix: asPlan,
        },
      ];
    if (this.inlined.steps.some((step) => step.nodeProblems.length > 0))
      return [{ path: '', message: `workflow ${show(name)} cannot be compiled`, fix: 'see what is told of it' }];
    const { steps, failurePolicy } = this.inlined.graph;
    const problems: Problem[] = [];
    const handlers = steps.filter(({ role }) => role !== undefined).map((step) => step.name);
    if (handlers.length > 0)
      problems.push({
        path: '',
        message: `workflow ${show(name)} has steps for its end (${handlers.join(', ')}), which cannot be part of another workflow`,
        fix: asRun,
      });
    if (this.common().role !== undefined)
      problems.push({
        path: '',
        message: 'runs at the end of a run, where no step waits for another',
        fix: asRun,
      });
    if (failurePolicy !== this.workflow.failurePolicy)
      problems.push({
        path: '',
        message: `workflow ${show(name)} has the failure policy ${failurePolicy}, this one has ${this.workflow.failurePolicy}`,
        fix: `give both the same, or ${asRun}`,
      });
    const longest = Math.max(0, ...steps.map((step) => inlinedName(this.name, step.name).length));
    if (longest > MAX_STEP_NAME)
      problems.push({
        path: '',
        message: `names of its steps have up to ${longest} characters together with ${show(this.name)}; at most ${MAX_STEP_NAME} fit`,
        fix: `shorten it, or ${asRun}`,
      });
    return problems;
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    yield* this.#inputs.problems(this.workflow);
    yield* this.nodeProblems;
    const [here, there] = [Chart.of(this), Chart.of(this.inlined)];
    if (here.node.root !== there.node.root || here.namespace !== there.namespace)
      yield {
        path: '',
        message: `workflow ${show(this.inlined.name)} belongs to another ${here.node.root === there.node.root ? 'namespace' : 'app'}, where its pod templates are`,
        fix: 'define it in the same one',
      };
  }
}

function nothing({ name, inputSchema, failurePolicy }: AnyWorkflow): Graph {
  return { apiVersion: GRAPH_API_VERSION, workflow: name, inputs: inputSchema, outputs: {}, failurePolicy, steps: [] };
}
