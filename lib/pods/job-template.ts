import type { V1JobSpec } from '@kubernetes/client-node/dist/gen/models/V1JobSpec.js';
import type { V1ObjectMeta } from '@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js';
import type { JsonObject } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import type { Patch } from './directives.ts';
import { layerName, type LayerKind } from './layer.ts';
import { MergeContext } from './merge-context.ts';
import { mergeFields } from './merge-fields.ts';
import { MapNode, valueOf } from './node.ts';
import { JOB_TEMPLATE } from './pod-schema.ts';
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
 */
export interface JobOverride {
  /** Labels and annotations of the Job; those of its pod are in `podTemplate`. */
  readonly metadata?: Override<Pick<V1ObjectMeta, 'labels' | 'annotations'>>;
  readonly spec?: Override<Omit<V1JobSpec, ManagedJobField>>;
}

/** One part of a Job and who wrote it. */
export interface JobLayer {
  readonly kind: LayerKind;
  readonly source: string;
  readonly job: JobOverride;
}

/**
 * Merges parts of a Job, low to high.
 *
 * @throws InvalidError with all that cannot be merged
 */
export function mergeJobLayers(layers: readonly JobLayer[]): JsonObject {
  const problems: Problem[] = [];
  const root = new MapNode({ kind: 'base', source: '', template: {} }, new Map());
  for (const { kind, source, job } of layers) {
    const context = new MergeContext({ kind, source, template: {} }, problems, []);
    mergeFields(root, job as Patch, { type: JOB_TEMPLATE }, context, undefined);
  }
  if (problems.length > 0) throw new InvalidError(`Job of ${layers.map(nameOf).join(', ')}`, problems);
  return valueOf(root) as JsonObject;
}

function nameOf({ kind, source }: JobLayer): string {
  return layerName({ kind, source, template: {} });
}
