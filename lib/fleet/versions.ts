import { labels } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';

/**
 * Whether an object is a version of a workflow: a graph or a PodTemplate, whose name carries the hash of its content. A new version
 * stands beside the old one, which runs may still use. So versions are members of no inventory and leave by garbage collection.
 */
export function isVersion({ kind, immutable, metadata }: KubeObject): boolean {
  if (kind === 'ConfigMap') return immutable === true && metadata.labels?.[labels.version] !== undefined;
  return kind === 'PodTemplate' && metadata.labels?.[labels.step] !== undefined;
}
