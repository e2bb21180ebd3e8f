import type { PodTemplateOverride } from './template.ts';

/** Who may shape a pod, low to high. A layer changes what the ones before it say; nothing changes the policy. */
export type LayerKind =
  'base' | 'cluster defaults' | 'task' | 'step override' | 'plan override' | 'run override' | 'cluster policy';

/** One part of the pod's template and who wrote it. */
export interface Layer {
  readonly kind: LayerKind;
  /** Who wrote it: a construct path, a cluster, a file, a flag. Empty when nobody asks. */
  readonly source: string;
  /** `file:line` where it was written, when that is known. */
  readonly at?: string;
  readonly template: PodTemplateOverride;
}

/** A layer as messages name it: `step override of site-etl/extract (main.ts:12)`. */
export function layerName({ kind, source, at }: Layer): string {
  return `${kind}${source === '' ? '' : ` of ${source}`}${at === undefined ? '' : ` (${at})`}`;
}
