import generated from './pod-schema.gen.json' with { type: 'json' };

/** A list that is merged item by item. */
export interface KeyedList {
  /** The field by whose value an item is found. */
  readonly key: string;
  /** The items are unions: of the fields beside the key only one may be set. */
  readonly retainKeys?: boolean;
}

/** How one field of a Kubernetes type is merged. */
export interface FieldSchema {
  /** The type of the field, of its items or of its values, when that has fields of its own. */
  readonly type?: string;
  /** For lists: replaced whole, merged as a set of values, or merged item by item by the value of a key. */
  readonly list?: 'atomic' | 'set' | KeyedList;
  /** Whether its keys are the author's own, such as labels. */
  readonly map?: boolean;
}

const types = generated.types as Readonly<Record<string, Readonly<Record<string, FieldSchema>>>>;

/** The version of Kubernetes that the table of fields was made from. */
export const KUBERNETES_VERSION = generated.kubernetes;

/** The type where every merge of a pod template begins. */
export const POD_TEMPLATE = 'PodTemplateSpec';

/** The type where the merge of the Job around a pod begins. */
export const JOB_TEMPLATE = 'JobTemplateSpec';

/** How `field` of `type` is merged; nothing for a field that the pinned version of Kubernetes does not have. */
export function fieldSchema(type: string | undefined, field: string): FieldSchema | undefined {
  return type === undefined ? undefined : types[type]?.[field];
}

/** The names of the fields of a type. */
export function fieldNames(type: string): readonly string[] {
  return Object.keys(types[type] ?? {});
}

/** All fields whose list is merged by key and whose items are unions. */
export function unionLists(): readonly { readonly type: string; readonly key: string }[] {
  return Object.values(types).flatMap((fields) =>
    Object.values(fields).flatMap(({ type, list }) =>
      type !== undefined && typeof list === 'object' && list.retainKeys === true ? [{ type, key: list.key }] : [],
    ),
  );
}
