import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import type { Layer, LayerKind } from './layer.ts';
import type { MergedTemplate } from './merge.ts';
import type { Problem } from '../values/problems.ts';
import { originChain, type Origin, type PlaceStep } from './origins.ts';
import type { PodTemplate } from './template.ts';

/** The environment variable that has an app write explanations at synth: the directory to write them to. */
export const EXPLAIN_DIRECTORY = 'CDK8S_WORKFLOWS_EXPLAIN';

/** The environment variable that names a launch plan whose changes are to be explained too. */
export const EXPLAIN_PLAN = 'CDK8S_WORKFLOWS_EXPLAIN_PLAN';

/** The environment variable that has, as JSON, what a launch would change of the pods. */
export const EXPLAIN_OVERRIDE = 'CDK8S_WORKFLOWS_EXPLAIN_OVERRIDE';

/** A value and who set it. */
export interface ExplainedValue {
  /** Left out when it was removed. */
  readonly value?: Json;
  readonly layer: LayerKind;
  /** Who wrote the layer: a construct path, a cluster. */
  readonly source: string;
  /** `file:line` where it was written, when that is known. */
  readonly at?: string;
}

/** A field of a pod template, or one that was removed, with all that was there before, latest first. */
export interface ExplainedField extends ExplainedValue {
  /** `spec.nodeSelector[acme.example/gpu]` */
  readonly path: string;
  /** The same, in steps. */
  readonly place: readonly PlaceStep[];
  readonly replaced: readonly ExplainedValue[];
}

/** A pod template and where its fields came from, in the template's order; as plain JSON. */
export interface Explanation {
  readonly template: PodTemplate;
  readonly fields: readonly ExplainedField[];
}

/** In place of an {@link Explanation}: why there is none with what the launch would change. */
export interface Refusal {
  readonly problems: readonly Problem[];
}

/** What merging remembered, as plain JSON. */
export function explain({ template, origins }: MergedTemplate): Explanation {
  const fields = origins.fields().map(({ path, place, origin }) => {
    const chain = originChain(origin);
    // A layer gives an item's key to reach the item: who began it set the key.
    const [value, ...replaced] = changes(isKey(place, origin.value) ? firstOfSame(chain) : chain);
    return { path, place, ...value!, replaced };
  });
  return { template, fields };
}

/**
 * Where the explanation of a pod is, below the directory.
 *
 * @param name of its PodTemplate, or the {@link singleTaskFile}
 */
export function explanationFile(cluster: string | undefined, name: string, plan?: string): string {
  const file = plan === undefined ? `${name}.json` : `${name}@${plan}.json`;
  return cluster === undefined ? file : `${cluster}/${file}`;
}

/** How the explanation of a single task is named, after the object that has its pod. No PodTemplate can be named so. */
export function singleTaskFile(kind: 'CronJob' | 'Job' | 'Pod', name: string): string {
  return `${kind}.${name}`;
}

/** A layer that says what the one below said has changed nothing. */
function changes(chain: readonly Origin[]): readonly ExplainedValue[] {
  return chain
    .filter((at, place) => place === 0 || !isDeepStrictEqual(at.value, chain[place - 1]!.value))
    .map(({ layer, value }) => ({ ...(value !== undefined && { value }), ...named(layer) }));
}

function isKey(place: readonly PlaceStep[], value: Json | undefined): boolean {
  const around = place.at(-2);
  return typeof around === 'object' && typeof place.at(-1) === 'string' && isDeepStrictEqual(around.item, value);
}

function firstOfSame(chain: readonly Origin[]): readonly Origin[] {
  const other = chain.findIndex(({ value }) => !isDeepStrictEqual(value, chain[0]!.value));
  return chain.slice((other < 0 ? chain.length : other) - 1);
}

function named({ kind, source, at }: Layer): Omit<ExplainedValue, 'value'> {
  return { layer: kind, source, ...(at !== undefined && { at }) };
}
