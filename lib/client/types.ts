import type { Json, JsonObject } from '../values/json.ts';
import type { Shape, ValuesIn } from '../values/shape.ts';

/**
 * What is read of a workflow's type. `typeof` of a `Workflow` is one, and so is its class with the types of its inputs and outputs.
 * Of the workflow itself nothing is needed: `import type` is enough.
 */
export interface WorkflowType {
  readonly inputs: Shape;
  readonly outputTypes?: object;
}

/** A workflow of which no types are known. */
export interface AnyWorkflowType extends WorkflowType {
  readonly inputs: never;
}

/** What a launch may give to the inputs of a workflow; its plan may have given them. */
export type InputsOf<W extends WorkflowType> = [W['inputs']] extends [never]
  ? Readonly<Record<string, Json>>
  : Partial<ValuesIn<W['inputs']>>;

/** What a run of a workflow gives. A step that gives one of them may be skipped, so that any may be missing. */
export type OutputsOf<W extends WorkflowType> = [W['inputs']] extends [never]
  ? JsonObject
  : { readonly [Name in keyof NonNullable<W['outputTypes']>]?: NonNullable<W['outputTypes']>[Name] };
