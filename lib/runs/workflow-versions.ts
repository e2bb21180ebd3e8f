import { decodeGraph } from '../graph/config-map.ts';
import type { Graph } from '../graph/graph.ts';
import { annotations, CONTENT_GRAPH, labels, MANAGED_BY } from '../graph/labels.ts';
import { newestFirst, type VersionObject } from '../graph/old-versions.ts';
import type { KubeClient } from '../kube/client.ts';
import { eachObject } from '../kube/pages.ts';
import { configMaps } from '../kube/resources.ts';
import type { FindOptions } from './find.ts';
import type { ConfigMapObject } from './run-objects.ts';

/** A version of a workflow that is on the cluster. */
export interface WorkflowVersion extends VersionObject {
  readonly version: string;
  /** Left out when it cannot be read. */
  readonly graph?: Graph;
  /** What is said of plans of it, a document. */
  readonly planDefaults?: string;
}

const GRAPHS = `${labels.managedBy}=${MANAGED_BY},${labels.content}=${CONTENT_GRAPH}`;

/** The names of the workflows that are on the cluster. */
export async function workflowNames(client: KubeClient, options: FindOptions): Promise<readonly string[]> {
  const names = new Set<string>();
  const select = { ...options, labelSelector: GRAPHS, limit: 20 };
  for await (const { metadata } of eachObject<ConfigMapObject>(client, configMaps, select))
    names.add(metadata.labels?.[labels.workflow] ?? metadata.name);
  return [...names];
}

/** The versions of a workflow that are on the cluster, the newest first. */
export async function workflowVersions(
  client: KubeClient,
  workflow: string,
  options: FindOptions,
): Promise<readonly WorkflowVersion[]> {
  const labelSelector = `${GRAPHS},${labels.workflow}=${workflow}`;
  const versions: WorkflowVersion[] = [];
  const select = { ...options, labelSelector, limit: 20 };
  for await (const object of eachObject<ConfigMapObject>(client, configMaps, select)) {
    const { name, creationTimestamp, labels: given, annotations: notes } = object.metadata;
    const decoded = decodeGraph(object);
    versions.push({
      name,
      version: given?.[labels.version] ?? name,
      createdAt: Date.parse(creationTimestamp ?? ''),
      ...('graph' in decoded && { graph: decoded.graph }),
      planDefaults: notes?.[annotations.planDefaults],
    });
  }
  return versions.sort(newestFirst);
}
