import generated from './pod-schema.gen.json' with { type: 'json' };

/** How one field of a Kubernetes type is merged. */
export interface FieldSchema {
  /** The type of the field, of its items or of its values, when that has fields of its own. */
  readonly type?: string;
  /** For lists: replaced whole, merged as a set of values, or merged item by item by the value of a key. */
  readonly list?: 'atomic' | 'set' | { readonly key: string };
}

const types = generated.types as Readonly<Record<string, Readonly<Record<string, FieldSchema>>>>;

/** The type where every merge of a pod template begins. */
export const POD_TEMPLATE = 'PodTemplateSpec';

/** How `field` of `type` is merged; nothing for a field that the pinned version of Kubernetes does not have. */
export function fieldSchema(type: string | undefined, field: string): FieldSchema | undefined {
  return type === undefined ? undefined : types[type]?.[field];
}
