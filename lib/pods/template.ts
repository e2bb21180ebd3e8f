import type { V1PodTemplateSpec } from '@kubernetes/client-node/dist/gen/models/V1PodTemplateSpec.js';
import type { Json } from '../values/json.ts';

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
 * Lists with a merge key (containers and env by `name`, ...) merge by it; all others are replaced.
 */
export type PodTemplateOverride = Override<PodTemplate>;

export type Override<T> = T extends Wire
  ? T
  : T extends readonly (infer Item)[]
    ? Override<Item>[]
    : { [Field in keyof T]?: Override<T[Field]> | null };

/** The untyped view that merging works on. */
export type Tree = { readonly [field: string]: Json | undefined };
