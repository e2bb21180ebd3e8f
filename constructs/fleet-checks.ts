import { capabilityProblems } from '../lib/graph/capabilities.ts';
import { choiceProblems } from '../lib/graph/place-plan.ts';
import { labelsProblems } from '../lib/values/label-selector.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import type { Cluster } from './cluster.ts';
import type { FleetProps } from './fleet.ts';

/** What is wrong with a fleet before anything is put into it. */
export function* fleetProblems(props: FleetProps): Generator<Problem> {
  const { name, clusters } = props;
  const wrongName = name === undefined ? undefined : dnsLabelProblem(name);
  if (wrongName !== undefined) yield { path: 'name', message: `${show(name)} ${wrongName}` };
  if (clusters.length === 0) yield { path: 'clusters', message: 'is empty', fix: 'a fleet has at least one cluster' };
  else if (clusters.every(({ enabled }) => enabled === false))
    yield { path: 'clusters', message: 'are all disabled', fix: 'enable one' };
  const names = new Set<string>();
  for (const [index, cluster] of clusters.entries()) {
    yield* clusterProblems(cluster, `clusters[${index}]`, props);
    if (names.has(cluster.name))
      yield {
        path: `clusters[${index}].name`,
        message: `two clusters are named ${show(cluster.name)}`,
        fix: 'rename one',
      };
    names.add(cluster.name);
  }
  yield* defaultProblems(props);
}

function* clusterProblems(cluster: Cluster, path: string, { clusterNaming }: FleetProps): Generator<Problem> {
  const { name, context, namespace, labels = {}, weight = 1, capabilities = {} } = cluster;
  const wrong = dnsLabelProblem(name) ?? namingProblem(name, clusterNaming);
  if (wrong !== undefined) yield { path: `${path}.name`, message: `${show(name)} ${wrong}` };
  if (context === '') yield { path: `${path}.context`, message: 'is empty', fix: 'leave it out to use the name' };
  const wrongNamespace = namespace === undefined ? undefined : dnsLabelProblem(namespace);
  if (wrongNamespace !== undefined)
    yield { path: `${path}.namespace`, message: `${show(namespace)} ${wrongNamespace}` };
  yield* labelsProblems(labels, `${path}.labels`);
  if (!(weight > 0 && Number.isFinite(weight)))
    yield {
      path: `${path}.weight`,
      message: `must be a number above 0, not ${show(weight)}`,
      fix: 'enabled: false takes a cluster out of use',
    };
  yield* capabilityProblems(capabilities, `${path}.capabilities`);
}

function namingProblem(name: string, naming: FleetProps['clusterNaming']): string | undefined {
  if (typeof naming === 'function') return naming(name);
  // A regular expression with the flag g or y goes on from where it was.
  return naming === undefined || name.search(naming) >= 0
    ? undefined
    : `does not match ${naming}, as clusterNaming asks`;
}

function* defaultProblems({ clusters, defaultCluster }: FleetProps): Generator<Problem> {
  if (defaultCluster === undefined) return;
  const path = 'defaultCluster';
  yield* choiceProblems(defaultCluster, path);
  if (typeof defaultCluster !== 'string') return;
  const named = clusters.find(({ name }) => name === defaultCluster);
  const enabled = clusters.filter((cluster) => cluster.enabled !== false).map(({ name }) => name);
  if (named === undefined)
    yield { path, message: `there is no cluster ${show(defaultCluster)}`, fix: suggest(defaultCluster, enabled) };
  else if (named.enabled === false)
    yield { path, message: `the cluster ${show(defaultCluster)} is disabled`, fix: 'enable it, or name another' };
}
