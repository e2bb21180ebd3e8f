import { contentHash } from '../values/hash.ts';
import type { StepNode } from './graph.ts';
import { MAX_ITEM_DIGITS } from './items.ts';

/** Names of what the controller creates for a run. They depend on nothing but the run, so that creating twice is creating once. */

/**
 * The Pod or Job of an attempt: `<run>-<step>-<attempt>`. Beyond 63 characters, where a Job's name would not fit
 * into its pods' labels, the middle gives way to a hash.
 */
export function attemptObjectName(run: string, step: string, attempt: number, longest = 63): string {
  const name = `${run}-${step}-${attempt}`;
  if (name.length <= longest) return name;
  const end = `-${contentHash([run, step])}-${attempt}`;
  return `${`${run}-${step}`.slice(0, longest - end.length).replace(/-+$/, '')}${end}`;
}

/**
 * The same for a step of whatever kind: after the name of an Indexed Job comes the index, in the host names of its pods.
 * (pkg/apis/batch/validation: ValidateJob) A run on another cluster has a part that stands for the uid of the run around it:
 * runs of other clusters may be named as that one, and its own predecessor was.
 *
 * @param run the metadata of its Job
 */
export function attemptNameOf(
  run: { readonly name: string; readonly uid?: string },
  step: Pick<StepNode, 'kind' | 'name'> & { readonly cluster?: string },
  attempt: number,
): string {
  const { kind, name, cluster } = step;
  const part = kind === 'run' && cluster !== undefined ? `${name}-${contentHash(run.uid).slice(0, 5)}` : name;
  return attemptObjectName(run.name, part, attempt, kind === 'indexedMap' ? 63 - 1 - MAX_ITEM_DIGITS : undefined);
}

/** A ConfigMap with values of the items of an attempt, counted from 0. */
export function itemsConfigMapName(attempt: string, number: number): string {
  return `${attempt}-items-${number}`;
}

/** The ConfigMap of a run's record. It holds the key `run` for each step that something happened to `step.<name>`, and for each hundred items of a map step `items.<name>.<hundred>`. */
export function recordName(run: string): string {
  return `${run}-record`;
}

export const RECORD_RUN_KEY = 'run';
export const RECORD_STEP_PREFIX = 'step.';
export const RECORD_ITEMS_PREFIX = 'items.';

/** The ConfigMap of a plan's record: what of its schedule is dealt with. */
export function planRecordName(plan: string): string {
  return `${plan}-plan`;
}
