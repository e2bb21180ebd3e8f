import type { Manifest } from '../../lib/fleet/apply/apply-result.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';

const ours = { 'app.kubernetes.io/managed-by': 'cdk8s-workflows' };

/** A manifest of a file of its own, with the label of this project. */
export function manifest(kind: string, name: string, rest: object = {}, apiVersion = 'v1'): Manifest {
  const { metadata, ...fields } = rest as { metadata?: { labels?: object } };
  const labels = { ...ours, ...metadata?.labels };
  const object = { apiVersion, kind, metadata: { name, ...metadata, labels }, ...fields };
  return { object: object as KubeObject, source: `dist/${name}.k8s.yaml` };
}

/** A graph, whose name carries the hash of its content. */
export function graph(name: string): Manifest {
  const labels = { 'cdk8s-workflows.dev/version': 'abc', 'cdk8s-workflows.dev/content': 'graph' };
  return manifest('ConfigMap', name, { metadata: { labels }, immutable: true, data: { 'graph.json': '{}' } });
}

/** A launch plan that never fires by itself. */
export function plan(name: string, fields: object = {}, metadata: object = {}): Manifest {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'driver', image: 'x' }] } };
  const spec = { schedule: '0 0 31 2 *', suspend: true, jobTemplate: { spec: { template } }, ...fields };
  return manifest('CronJob', name, { metadata, spec }, 'batch/v1');
}
