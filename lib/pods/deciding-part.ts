import { fullHash } from '../values/hash.ts';
import type { JsonObject } from '../values/json.ts';
import { runOverrideLayers } from './run-override.ts';
import type { RunLayers } from './runtime-template.ts';
import { MAIN_CONTAINER } from './template.ts';

/**
 * What of a pod decides what its step gives: what the main container runs. Where it runs, with how much, and beside what does
 * not.
 */
const deciding = ['image', 'command', 'args', 'workingDir', 'env', 'envFrom'] as const;

/** That part of a pod template; of one that is merged over others, with its directives. Nothing when it says nothing of it. */
export function decidingPart(template: unknown): JsonObject | undefined {
  const { spec } = (template ?? {}) as { readonly spec?: { readonly containers?: unknown } };
  const containers = Array.isArray(spec?.containers) ? (spec.containers as readonly JsonObject[]) : [];
  const main = containers.find((container) => container?.name === MAIN_CONTAINER);
  const fields = Object.entries(main ?? {}).filter(
    ([field]) => (deciding as readonly string[]).includes(field) || field.startsWith('$'),
  );
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** The key of a step's result in a run that may change what its pod runs. */
export function resultKey(key: string, step: string, { podOverride, runOverride = {}, run }: RunLayers): string {
  const layers = [podOverride, ...runOverrideLayers(runOverride, step, run).map(({ template }) => template)];
  const changes = layers.map(decidingPart).filter((part) => part !== undefined);
  return changes.length === 0 ? key : fullHash([key, changes]);
}
