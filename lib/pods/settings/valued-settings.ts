import type { Reference } from '../../values/reference.ts';
import type { OrReference, PodTemplateOverride } from '../template.ts';
import type { Gpu } from './gpu.ts';
import type { PodSettings } from './pod-settings.ts';

/** The short settings whose values may be references. In `podTemplate` every text, number and boolean may be one. */
type MayRefer =
  | 'annotations'
  | 'args'
  | 'command'
  | 'image'
  | 'labels'
  | 'nodeSelector'
  | 'priorityClass'
  | 'resources'
  | 'runtimeClass'
  | 'sharedMemory'
  | 'tolerations';

/**
 * The settings of a pod whose values may be references to what `Scope`, a workflow or a task, knows once it runs. Each
 * stands for a whole value of its own type: text, a number for an amount, a boolean.
 */
export type ValuedSettings<Scope> = {
  [Setting in keyof PodSettings]: Setting extends 'podTemplate'
    ? PodTemplateOverride<Scope>
    : Setting extends 'env'
      ? ValuedEnvironment<NonNullable<PodSettings['env']>, Scope>
      : Setting extends 'gpu'
        ? ValuedGpu<Scope> | null
        : Setting extends 'serviceAccount'
          ? PodSettings[Setting] | Reference<string | undefined, Scope>
          : Setting extends MayRefer
            ? Valued<PodSettings[Setting], Scope>
            : PodSettings[Setting];
};

/** A `T` whose leaves may be references. */
type Valued<T, Scope> = T extends string | number | boolean
  ? OrReference<T, Scope>
  : T extends readonly (infer Item)[]
    ? readonly Valued<Item, Scope>[]
    : T extends object
      ? { readonly [Field in keyof T]: Valued<T[Field], Scope> }
      : T;

// Whatever a value is, a variable holds it as text, as `INPUT_<NAME>` does.
type ValuedEnvironment<T, Scope> = { readonly [Name in keyof T]: T[Name] | Reference<unknown, Scope> };

type ValuedGpu<Scope> = Omit<Gpu, 'count' | 'model'> & Valued<Pick<Gpu, 'count' | 'model'>, Scope>;
