import type { V1JobSpec } from '@kubernetes/client-node/dist/gen/models/V1JobSpec.js';
import type { V1ObjectMeta } from '@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js';
import type { JsonObject } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import type { Patch } from './directives.ts';
import { Hole, isUnknown, underneath, type Unknown } from './holes.ts';
import { layerName, type Layer, type LayerKind } from './layer.ts';
import { MergeContext } from './merge-context.ts';
import { mergeFields } from './merge-fields.ts';
import { isPlainObject, MapNode, valueOf } from './node.ts';
import { Origins } from './origins.ts';
import { fieldStep, joinPath } from './path.ts';
import { JOB_TEMPLATE } from './pod-schema.ts';
import { enforceJobPolicy } from './policy.ts';
import type { Override } from './template.ts';

/** Fields of the Job around a pod that are not for an author to set: what they do is done by others. */
export type ManagedJobField =
  | 'template'
  | 'backoffLimit'
  | 'backoffLimitPerIndex'
  | 'maxFailedIndexes'
  | 'selector'
  | 'manualSelector'
  | 'ttlSecondsAfterFinished';

/**
 * Part of the Job around a step's pod, as Kubernetes writes it; merged as pod templates are.
 *
 * @example
 * const queued: JobOverride = {
 *   metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' } },
 *   spec: { suspend: true, podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] } },
 * };
 *
 * Of a step, texts, numbers and booleans may also be values of its workflow, `Scope`: they are filled in when the step starts.
 */
export interface JobOverride<Scope = never> {
  /** Labels and annotations of the Job; those of its pod are in `podTemplate`. */
  readonly metadata?: Override<Pick<V1ObjectMeta, 'labels' | 'annotations'>, Scope>;
  readonly spec?: Override<Omit<V1JobSpec, ManagedJobField>, Scope>;
}

/** One part of a Job and who wrote it. */
export interface JobLayer {
  readonly kind: LayerKind;
  readonly source: string;
  /** `file:line` where it was written, when that is known. */
  readonly at?: string;
  readonly job: JobOverride;
}

/** Part of a Job, as Kubernetes writes it. */
export interface StepJob {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: JsonObject;
}

/** Parts of a Job in one. */
export interface MergedJob {
  /** With a {@link Hole} in every place that waits for a value; the last of its values is what is below it, if anything is. */
  readonly job: JsonObject;
  /** The same with what is below; `undefined` where nothing is. */
  readonly known: JsonObject;
  /** The places where nothing is below. */
  readonly unknown: ReadonlySet<string>;
  /** Every hole by its path. */
  readonly places: ReadonlyMap<string, Hole>;
  /** Whose the fields are. */
  readonly origins: Origins;
}

/**
 * Merges parts of a Job, low to high. Those of the kind `cluster policy` hold over all others, wherever they stand.
 *
 * @throws InvalidError with all that cannot be merged, and everything that a policy excludes
 */
export function mergeJobLayers(layers: readonly JobLayer[]): MergedJob {
  const problems: Problem[] = [];
  const root = new MapNode({ kind: 'base', source: '', template: {} }, new Map());
  const contextOf = (layer: JobLayer) => new MergeContext(asPodLayer(layer), problems, []);
  const isPolicy = ({ kind }: JobLayer) => kind === 'cluster policy';
  for (const layer of layers)
    if (!isPolicy(layer)) mergeFields(root, layer.job as Patch, { type: JOB_TEMPLATE }, contextOf(layer), undefined);
  for (const layer of layers.filter(isPolicy)) enforceJobPolicy(root, layer.job as Patch, contextOf(layer));
  if (problems.length > 0) throw new InvalidError(`Job of ${layers.map(nameOf).join(', ')}`, problems);
  return withHoles(root);
}

function withHoles(root: MapNode): MergedJob {
  const origins = new Origins(root);
  const originAt = new Map(origins.leaves().map(({ path, origin }) => [path, origin]));
  const places = new Map<string, Hole>();
  const known = new Map<string, unknown>();
  const unknown = new Set<string>();
  const job = replaceUnknown(valueOf(root), '', (value, path) => {
    const { values, below } = underneath(value, originAt.get(path));
    const hole = new Hole(below === undefined ? values : [...values, below], 'value');
    places.set(path, hole);
    if (below === undefined) unknown.add(path);
    else known.set(path, below);
    return hole;
  });
  const withBelow = replaceUnknown(job, '', (_, path) => known.get(path));
  return { job: job as JsonObject, known: withBelow as JsonObject, unknown, places, origins };
}

function replaceUnknown(value: unknown, path: string, replace: (value: Unknown, path: string) => unknown): unknown {
  if (isUnknown(value)) return replace(value, path);
  if (Array.isArray(value)) return value.map((item, index) => replaceUnknown(item, `${path}[${index}]`, replace));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [
      field,
      replaceUnknown(inner, joinPath(path, fieldStep(field)), replace),
    ]),
  );
}

const nameOf = (layer: JobLayer) => layerName(asPodLayer(layer));

/** As whoever merges and tells of layers knows them: by their names. */
function asPodLayer({ kind, source, at }: JobLayer): Layer {
  return { kind, source, template: {}, ...(at !== undefined && { at }) };
}
