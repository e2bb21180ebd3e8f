import { contentHash } from '../values/hash.ts';

/** Names of what the controller creates for a run. They depend on nothing but the run, so that creating twice is creating once. */

/**
 * The Pod or Job of an attempt: `<run>-<step>-<attempt>`. Beyond 63 characters, where a Job's name would not fit
 * into its pods' labels, the middle gives way to a hash.
 */
export function attemptObjectName(run: string, step: string, attempt: number): string {
  const name = `${run}-${step}-${attempt}`;
  if (name.length <= 63) return name;
  const end = `-${contentHash([run, step])}-${attempt}`;
  return `${`${run}-${step}`.slice(0, 63 - end.length).replace(/-+$/, '')}${end}`;
}

/** The ConfigMap of a run's record. It holds the key `run` for each step that something happened to `step.<name>`, and for each hundred items of a map step `items.<name>.<hundred>`. */
export function recordName(run: string): string {
  return `${run}-record`;
}

export const RECORD_RUN_KEY = 'run';
export const RECORD_STEP_PREFIX = 'step.';
export const RECORD_ITEMS_PREFIX = 'items.';
