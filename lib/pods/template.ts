import type { V1PodTemplateSpec } from '@kubernetes/client-node/dist/gen/models/V1PodTemplateSpec.js';
import type { Reference } from '../values/reference.ts';

/** A pod template as it crosses the wire. */
export type PodTemplate = V1PodTemplateSpec;

/** The container whose end is the step's end. Overrides reach it by this name. */
export const MAIN_CONTAINER = 'main';

/** Where a container leaves its outputs: Kubernetes keeps up to 4096 bytes of this file as the termination message. */
export const OUTPUTS_PATH = '/dev/termination-log';

/** What Kubernetes keeps of a termination message, in bytes. (kubelet: MaxPodTerminationMessageLogLength) */
export const MAX_OUTPUTS_BYTES = 4096;

type Wire = string | number | boolean | Date;

/**
 * Part of a pod template, to be merged over another: what is left out stays as it was, `null` removes.
 * Lists with a merge key (containers and env by `name`, ...) merge by it; all others are replaced. A field may be a
 * function of what it inherits, and Kubernetes' directives (`$patch`, `$retainKeys`, ...) work as in a patch.
 *
 * @example
 * const override: PodTemplateOverride = {
 *   spec: {
 *     nodeSelector: { gpu: 'a100' },
 *     tolerations: (inherited) => [...(inherited ?? []), { key: 'a100', operator: 'Exists' }],
 *     containers: [{ name: 'main', env: [{ name: 'DEBUG', $patch: 'delete' }], livenessProbe: null }],
 *   },
 * };
 *
 * Where the pod is one of a step, texts, numbers and booleans may also be values of its workflow, `Scope`: they are
 * filled in when the step starts.
 */
export type PodTemplateOverride<Scope = never> = Override<PodTemplate, Scope>;

/** Part of a `T`, to be merged over another. */
export type Override<T, Scope = never> = [T] extends [Wire]
  ? OrReference<T, Scope>
  : T extends readonly (infer Item)[]
    ? Override<Item, Scope>[]
    : string extends keyof T
      ? { [Key in keyof T]?: OverrideField<T[Key], Scope> }
      : { [Field in keyof T]?: OverrideField<NonNullable<T[Field]>, Scope> } & MergeDirectives & ListDirectives<T>;

/** A value, or one that is known only when the step starts. Where that turns out to be none, what is inherited stays. */
export type OrReference<T, Scope> = T | Reference<T | undefined, Scope>;

/** A field of an override: its part, `null` to remove it, or a function of what is inherited. `undefined` from it changes nothing. */
export type OverrideField<T, Scope = never> =
  Override<T, Scope> | null | ((inherited: T | undefined) => T | Override<T, Scope> | null | undefined);

/** How a map or an item of a list is merged, where the default will not do. */
export interface MergeDirectives {
  /** `replace`: nothing else stays of it (as the only field of an item: of the list); `delete`: the item or the content goes. @default 'merge' */
  readonly $patch?: 'replace' | 'merge' | 'delete';
  /** The fields that stay; all others go. */
  readonly $retainKeys?: readonly string[];
}

type ListFields<T> = {
  [Field in keyof T]-?: NonNullable<T[Field]> extends readonly unknown[] ? Field : never;
}[keyof T] &
  string;

/** The order of the items of a list, by their keys or values; and what goes from a list of plain values. */
export type ListDirectives<T> = {
  readonly [Field in ListFields<T> as `$setElementOrder/${Field}`]?: readonly unknown[];
} & {
  readonly [Field in ListFields<T> as `$deleteFromPrimitiveList/${Field}`]?: readonly (string | number)[];
};
