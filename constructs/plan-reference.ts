import type { Construct } from 'constructs';
import type { Problem } from '../lib/values/problems.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import { toObjectSchema, type NoValues, type Shape, type ValuesOut } from '../lib/values/shape.ts';

/** What a step that launches a plan must know of it. */
export interface Launchable {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
  /** Left out when it runs a task. */
  readonly outputSchema?: ObjectSchema;
  /** Inputs that nobody else may give. */
  readonly fixedInputs: readonly string[];
  /** Inputs that it has values for; left out when that is not known here. */
  readonly filledInputs?: readonly string[];
  /** Left out when it may be anywhere. */
  readonly scope?: Construct;
  /** Its namespace. @default that of the scope */
  readonly namespace?: string | undefined;
  /** What is wrong with what was said of it. */
  readonly problems?: readonly Problem[];
}

/** What is said of a plan that is not at hand. */
export interface PlanReferenceProps<I extends Shape, O extends Shape> {
  /** What its workflow takes, as zod schemas. @default nothing */
  readonly inputs?: I;
  /** What its workflow gives, as zod schemas. @default nothing */
  readonly outputs?: O;
}

/** A launch plan by its name; made by {@link planNamed}. */
export class PlanReference<I extends Shape, R extends object> {
  declare readonly inputTypes?: I;
  declare readonly outputTypes?: R;
  readonly name: string;
  /** @internal */
  readonly launchable: Launchable;

  /** @internal */
  constructor(name: string, inputs: Shape, outputs: Shape) {
    this.name = name;
    const problems: Problem[] = [];
    const inputSchema = toObjectSchema(inputs, 'input', 'inputs', problems);
    const { properties } = toObjectSchema(outputs, 'output', 'outputs', problems);
    this.launchable = { name, inputSchema, outputSchema: { properties, required: [] }, fixedInputs: [], problems };
  }
}

/**
 * A launch plan by its name, for a step that launches one that is made elsewhere or later: above all one of the workflow
 * that the step is in.
 *
 * @example
 * const again = planNamed('crawl-from-here', { inputs: { page: z.int() } });
 * const crawl = new Workflow(this, 'crawl', { inputs: { page: z.int() } }, ({ inputs, step }) => {
 *   const found = step('fetch', fetch, { page: inputs.page });
 *   step.launch('next', again, { page: found.outputs.next }).when(gt(found.outputs.next, 0));
 * });
 * new LaunchPlan(this, 'crawl-from-here', { workflow: crawl, inputs: { page: 1 } });
 */
export function planNamed<I extends Shape = NoValues, O extends Shape = NoValues>(
  name: string,
  { inputs, outputs }: PlanReferenceProps<I, O> = {},
): PlanReference<I, ValuesOut<O>> {
  return new PlanReference(name, inputs ?? {}, outputs ?? {});
}
