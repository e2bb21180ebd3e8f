import type { IndexedMapStep, MapStep as MapNode } from '../lib/graph/graph.ts';
import type { Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import { checkValue, type JsonSchema, type ObjectSchema } from '../lib/values/schema.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';
import type { z } from 'zod';
import { indexedFields, indexedProblems } from './indexed-map.ts';
import { containsReference, references, toSource } from './sources.ts';
import type { Given } from './step-base.ts';
import { TaskUse } from './task-use.ts';
import type { Task } from './task.ts';
import type { AnyWorkflow } from './workflow.ts';

/** Values for the inputs of a task that runs for each item of lists: for an input a value as for any step, or a list of such values to go over. */
export type MapInputs<I extends Shape, Scope> = {
  readonly [Name in keyof ValuesIn<I>]: Given<ValuesIn<I>[Name], Scope> | Over<NonNullable<ValuesIn<I>[Name]>, Scope>;
};

/** A list of values: as it is written, or known once the workflow runs. */
type Over<T, Scope> = Reference<readonly T[], Scope> | readonly Given<T, Scope>[];

/** How items run, how many of them at once, and how many must succeed. */
export interface MapOptions {
  /** How many items may run at once. @default as many as the run allows */
  readonly concurrency?: number;
  /** How many items must succeed; of fewer items, all. @default all */
  readonly minSuccesses?: number;
  /** The share of the items that must succeed, from 0 to 1. @default 1 */
  readonly minSuccessRatio?: number;
  /**
   * `IndexedJob`: all items are one Job of Kubernetes, and cost one record. Items find the values that differ by item in files,
   * `$INPUT_SHARD_FILE`, and are tried again as an Indexed Job does. @default a step of its own for each item
   */
  readonly runAs?: 'IndexedJob';
}

/** What a map gives: each output as a list, in the order of the items. Where items may fail, their place has `null`. */
export type MapOutputs<O extends Shape, Options> = {
  readonly [Name in keyof O]: z.ZodArray<MayFail<Options> extends true ? z.ZodNullable<O[Name]> : O[Name]>;
};

type MayFail<Options> = Options extends { minSuccesses: number } | { minSuccessRatio: number } ? true : false;

export interface MapStepProps<I extends Shape, O extends Shape, Scope, Options extends MapOptions> {
  readonly task: Task<I, O>;
  readonly inputs: MapInputs<I, Scope>;
  readonly options?: Options;
}

/**
 * A task that runs once for each item of a list, or for each combination of items of several. `step.map('score', score,
 * { shard: list.outputs.shards, model })` in a workflow's function is the short way to it. What `override` changes
 * holds for each item, but for `timeout`, which is for all of them together.
 */
export class MapStep<I extends Shape, O extends Shape, Scope, Options extends MapOptions = MapOptions> extends TaskUse<
  MapOutputs<O, Options>,
  Scope
> {
  readonly #itemOutputs: ObjectSchema;
  readonly #over: Readonly<Record<string, unknown>>;
  readonly #inputSchema: ObjectSchema;
  readonly #options: MapOptions;

  constructor(workflow: AnyWorkflow, id: string, { task, inputs, options }: MapStepProps<I, O, Scope, Options>) {
    const given = Object.entries(inputs as Readonly<Record<string, unknown>>);
    const over = Object.fromEntries(
      given.filter(([input, value]) => isOver(task.inputSchema.properties[input], value)),
    );
    const item = (input: string) => new Reference(workflow, { item: input }, task.inputSchema.properties[input]!);
    const mayFail = options?.minSuccesses !== undefined || options?.minSuccessRatio !== undefined;
    super(workflow, id, {
      task: task as never,
      inputs: Object.fromEntries(given.map(([input, value]) => [input, input in over ? item(input) : value])),
      outputs: listsOf(task.outputSchema, mayFail),
      ...(options?.runAs === 'IndexedJob' && { runAs: 'Job' }),
    });
    this.#itemOutputs = task.outputSchema;
    this.#inputSchema = task.inputSchema;
    this.#over = over;
    this.#options = options ?? {};
  }

  /** @internal The step as the graph carries it. */
  toNode(): MapNode | IndexedMapStep {
    const { runAs, concurrency, minSuccesses, minSuccessRatio } = this.#options;
    const hasOutputs = Object.keys(this.#itemOutputs.properties).length > 0;
    const items = {
      over: Object.entries(this.#over).map(([input, list]) => ({ input, list: toSource(list, this.workflow) })),
      ...(hasOutputs && { itemOutputs: this.#itemOutputs, outputs: this.outputSchema }),
      ...(concurrency !== undefined && { concurrency }),
      ...(minSuccesses !== undefined && { minSuccesses }),
      ...(minSuccessRatio !== undefined && { minSuccessRatio }),
    };
    const fields = this.fields();
    return runAs === 'IndexedJob' ? { ...indexedFields(fields), ...items } : { kind: 'map', ...fields, ...items };
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    if (this.#options.runAs === 'IndexedJob' && this.nodeProblems.length === 0)
      yield* indexedProblems(this.decided, Object.keys(this.#over));
    for (const [input, list] of Object.entries(this.#over)) {
      const path = `inputs.${input}`;
      for (const reference of references(list)) yield* this.foreign(reference, path);
      for (const [place, item] of (Array.isArray(list) ? list : []).entries())
        if (!containsReference(item))
          yield* checkValue(this.#inputSchema.properties[input]!, item as never, `${path}[${place}]`);
    }
  }
}

/** Whether a map goes over what an input is given: a list, and the input takes none, or a list of lists. */
function isOver(input: JsonSchema | undefined, value: unknown): boolean {
  if (input === undefined) return false;
  const inner = takesLists(input);
  if (value instanceof Reference) {
    const { schema } = value as AnyReference;
    return schema.type === 'array' && (inner === 'no' || (inner === 'yes' && isListSchema(schema.items)));
  }
  if (!Array.isArray(value)) return false;
  return inner === 'no' || (inner === 'yes' && value.length > 0 && value.every(isList));
}

/** Whether an input takes lists; `any` where it takes whatever it is given. */
function takesLists(schema: JsonSchema): 'yes' | 'no' | 'any' {
  const { type, anyOf } = schema;
  if (type === 'array') return 'yes';
  if (Array.isArray(anyOf)) {
    const inner = (anyOf as readonly JsonSchema[]).map(takesLists);
    return inner.includes('any') ? 'any' : inner.includes('yes') ? 'yes' : 'no';
  }
  return type === undefined && schema.enum === undefined && schema.const === undefined ? 'any' : 'no';
}

const isList = (value: unknown) =>
  Array.isArray(value) || (value instanceof Reference && isListSchema((value as AnyReference).schema));
const isListSchema = (schema: unknown) => (schema as JsonSchema | undefined)?.type === 'array';

function listsOf({ properties }: ObjectSchema, mayFail: boolean): ObjectSchema {
  const lists = Object.entries(properties).map(([output, items]): [string, JsonSchema] => [
    output,
    { type: 'array', items: mayFail ? { anyOf: [items, { type: 'null' }] } : items },
  ]);
  return { properties: Object.fromEntries(lists), required: Object.keys(properties) };
}
