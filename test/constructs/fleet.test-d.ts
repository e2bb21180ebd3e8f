import { type App, type Chart, Duration } from 'cdk8s';
import { ArgoApplicationSet, Fleet, FluxKustomizations, LaunchPlan, type Workflow } from 'cdk8s-workflows';
import type { ArgoApplicationSetProps, Cluster, FluxKustomizationsProps } from 'cdk8s-workflows';
import { expectTypeOf, it } from 'vitest';

it('clusters are chosen by name or by what their labels are, as Kubernetes selects', (chart: never) => {
  const scope = chart as Chart;
  const workflow = undefined as unknown as Workflow;

  new LaunchPlan(scope, 'a', { workflow, cluster: 'eu', backups: ['us', { matchLabels: { tier: 'prod' } }] });
  new LaunchPlan(scope, 'a', { workflow, cluster: { all: true } });
  new LaunchPlan(scope, 'a', { workflow, cluster: { all: { matchLabels: { tier: 'prod' } } } });
  new LaunchPlan(scope, 'a', {
    workflow,
    cluster: {
      matchExpressions: [
        { key: 'region', operator: 'In', values: ['eu', 'us'] },
        { key: 'gpu', operator: 'Exists' },
      ],
    },
  });

  // @ts-expect-error -- labels belong into matchLabels
  new LaunchPlan(scope, 'a', { workflow, cluster: { tier: 'prod' } });
  // @ts-expect-error -- a label's value is text
  new LaunchPlan(scope, 'a', { workflow, cluster: { matchLabels: { gpus: 8 } } });
  // @ts-expect-error -- In wants values
  new LaunchPlan(scope, 'a', { workflow, cluster: { matchExpressions: [{ key: 'gpu', operator: 'In' }] } });
  new LaunchPlan(scope, 'a', {
    workflow,
    // @ts-expect-error -- Exists has none
    cluster: { matchExpressions: [{ key: 'gpu', operator: 'Exists', values: ['a100'] }] },
  });
  new LaunchPlan(scope, 'a', {
    workflow,
    // @ts-expect-error -- no such operator
    cluster: { matchExpressions: [{ key: 'gpus', operator: 'Gt', values: [] }] },
  });
  // @ts-expect-error -- a plan is on all or on some; to be on none is to leave it out
  new LaunchPlan(scope, 'a', { workflow, cluster: { all: false } });
  // @ts-expect-error -- a backup is one cluster
  new LaunchPlan(scope, 'a', { workflow, cluster: 'eu', backups: [{ all: true }] });
  // @ts-expect-error -- the first of several backups is first
  new LaunchPlan(scope, 'a', { workflow, cluster: 'eu', backups: 'us' });
});

it('a fleet is of clusters that have names, and its function gets each with its app', () => {
  new Fleet(
    { clusters: [{ name: 'eu', labels: { tier: 'prod' }, weight: 3 }], defaultCluster: 'eu' },
    (app, cluster) => {
      expectTypeOf(app).toEqualTypeOf<App>();
      expectTypeOf(cluster).toEqualTypeOf<Cluster>();
    },
  );
  // @ts-expect-error -- a cluster without a name
  new Fleet({ clusters: [{ labels: { tier: 'prod' } }] }, () => {});
  // @ts-expect-error -- what a cluster is, not where it is reached
  new Fleet({ clusters: [{ name: 'eu', server: 'https://eu.example' }] }, () => {});
});

it('GitOps tools are told of the clusters and of the source', (chart: never) => {
  const scope = chart as Chart;
  const { clusters } = undefined as unknown as Fleet;
  const common = { clusters, name: 'etl', path: 'dist' };

  new ArgoApplicationSet(scope, 'a', { ...common, repoUrl: 'https://git.example/etl.git', automated: true });
  new ArgoApplicationSet(scope, 'a', {
    ...common,
    repoUrl: 'https://git.example/etl.git',
    destination: ({ name, labels }) => labels?.argo ?? name,
    automated: { prune: true },
  });
  new FluxKustomizations(scope, 'a', { ...common, source: { name: 'etl' }, interval: Duration.minutes(5) });
  new FluxKustomizations(scope, 'a', {
    ...common,
    source: { kind: 'OCIRepository', name: 'etl' },
    kubeConfig: ({ name }) => (name === 'eu' ? undefined : { name: `${name}-kubeconfig` }),
  });
  // What both are told of is one type.
  expectTypeOf<Pick<ArgoApplicationSetProps, 'clusters' | 'name' | 'path'>>().toEqualTypeOf<
    Pick<FluxKustomizationsProps, 'clusters' | 'name' | 'path'>
  >();

  // @ts-expect-error -- no clusters
  new ArgoApplicationSet(scope, 'a', { repoUrl: 'https://git.example/etl.git' });
  // @ts-expect-error -- no repository
  new ArgoApplicationSet(scope, 'a', { clusters });
  // @ts-expect-error -- the name of a cluster at Argo CD is text
  new ArgoApplicationSet(scope, 'a', { clusters, repoUrl: 'https://git.example/etl.git', destination: () => 1 });
  // @ts-expect-error -- nothing else is automated
  new ArgoApplicationSet(scope, 'a', { clusters, repoUrl: 'https://git.example/etl.git', automated: { sync: true } });
  // @ts-expect-error -- no source
  new FluxKustomizations(scope, 'a', { clusters });
  // @ts-expect-error -- no source of Flux that a Kustomization takes
  new FluxKustomizations(scope, 'a', { clusters, source: { kind: 'HelmRepository', name: 'etl' } });
  // @ts-expect-error -- an interval is a duration
  new FluxKustomizations(scope, 'a', { clusters, source: { name: 'etl' }, interval: '5m' });
  // @ts-expect-error -- the Secret has a name
  new FluxKustomizations(scope, 'a', { clusters, source: { name: 'etl' }, kubeConfig: () => 'eu-kubeconfig' });
});
