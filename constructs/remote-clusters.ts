import { Chart } from 'cdk8s';
import type { ISecret } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { clusterContext, namespaceOf } from './cluster.ts';

/** Access to another cluster that steps may have their runs on. */
export interface RemoteClusterAccess {
  /** As the fleet names it. The cluster that the controller is on itself is passed over. */
  readonly name: string;
  /** The Secret with a kubeconfig of that cluster, in the namespace of the controller. All of it is mounted, so the kubeconfig may name other keys as files, such as `tokenFile: token`. */
  readonly secret: ISecret | string;
  /** The key of the Secret that has the kubeconfig. @default 'kubeconfig' */
  readonly key?: string;
  /** @default the current context of the kubeconfig */
  readonly context?: string;
  /**
   * Where the runs are there.
   * @default in the namespace of that name in which the run around it is here. For a controller of one namespace, which a chart of a fleet does not name: the cluster's `namespace` in the fleet
   */
  readonly namespace?: string;
}

const DIRECTORY = '/etc/cdk8s-workflows/clusters';

/** @internal The clusters that a controller has access to, without the one that it is on. */
export function clustersElsewhere(
  scope: Construct,
  clusters: readonly RemoteClusterAccess[],
): readonly RemoteClusterAccess[] {
  const own = clusterContext(scope)?.cluster.name;
  // That there is a second one of a name is told with all that is wrong.
  const isFirst = (name: string, index: number) => clusters.findIndex((other) => other.name === name) === index;
  return clusters.filter(({ name }, index) => name !== own && isFirst(name, index));
}

/** @internal The arguments that tell a controller of them. */
export function remoteClusterArgs(
  scope: Construct,
  clusters: readonly RemoteClusterAccess[],
  clusterWide: boolean,
): readonly string[] {
  return clusters.map((cluster) => {
    const { name, key = 'kubeconfig', context } = cluster;
    const namespace = cluster.namespace ?? (clusterWide ? undefined : otherNamespace(scope, name));
    const given = { name, kubeconfig: `${DIRECTORY}/${name}/${key}`, context, namespace };
    const parts = Object.entries(given).filter(([, value]) => value !== undefined);
    return `--remote-cluster=${parts.map(([field, value]) => `${field}=${value}`).join(',')}`;
  });
}

/** @internal What mounts their kubeconfigs into the controller's pod. */
export function remoteClusterMounts(clusters: readonly RemoteClusterAccess[]): PodTemplateOverride | undefined {
  if (clusters.length === 0) return undefined;
  const volumes = clusters.map(({ name, secret }, index) => ({
    volume: { name: `cluster-${index}`, secret: { secretName: typeof secret === 'string' ? secret : secret.name } },
    mount: { name: `cluster-${index}`, mountPath: `${DIRECTORY}/${name}`, readOnly: true },
  }));
  return {
    spec: {
      volumes: volumes.map(({ volume }) => volume),
      containers: [{ name: 'controller', volumeMounts: volumes.map(({ mount }) => mount) }],
    },
  };
}

/** @internal What is wrong with them. */
export function* remoteClusterProblems(scope: Construct, clusters: readonly RemoteClusterAccess[]): Generator<Problem> {
  const fleet = clusterContext(scope)?.clusters.map(({ name }) => name);
  const seen = new Set<string>();
  for (const [index, { name, key, context, namespace }] of clusters.entries()) {
    const at = `remoteClusters[${index}]`;
    const wrong = dnsLabelProblem(name);
    if (wrong !== undefined) yield { path: `${at}.name`, message: `${show(name)} ${wrong}` };
    else if (fleet?.includes(name) === false)
      yield { path: `${at}.name`, message: `there is no cluster ${show(name)}`, fix: suggest(name, fleet) };
    if (seen.has(name)) yield { path: `${at}.name`, message: `${show(name)} is given twice`, fix: 'keep one' };
    seen.add(name);
    // The controller is told of them in one argument.
    for (const [field, value] of Object.entries({ key, context }))
      if (value === '' || value?.includes(','))
        yield { path: `${at}.${field}`, message: `${show(value)} must be a text without ","` };
    const wrongNamespace = namespace === undefined ? undefined : dnsLabelProblem(namespace);
    if (wrongNamespace !== undefined)
      yield { path: `${at}.namespace`, message: `${show(namespace)} ${wrongNamespace}` };
  }
}

/** The namespace of another cluster of the fleet that stands for the one that the controller is in; nothing when they have the same name. */
function otherNamespace(scope: Construct, name: string): string | undefined {
  const other = clusterContext(scope)?.clusters.find((cluster) => cluster.name === name);
  if (other === undefined || Chart.of(scope).namespace !== undefined) return undefined;
  const { namespace = 'default' } = other;
  return namespace === namespaceOf(scope) ? undefined : namespace;
}
