import { Lazy } from 'cdk8s';

/** A value of a manifest that is computed at synth: steps may be added and overridden until then. */
export function later<T>(produce: () => T): T {
  return Lazy.any({ produce }) as T;
}
