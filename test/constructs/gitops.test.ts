import { Duration } from 'cdk8s';
import {
  ArgoApplicationSet,
  FluxKustomizations,
  type ArgoApplicationSetProps,
  type Cluster,
  type FluxKustomizationsProps,
} from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { find, synth, synthProblems } from './support.ts';

const clusters: readonly Cluster[] = [
  { name: 'prod-eu', namespace: 'etl' },
  { name: 'test' },
  { name: 'old', enabled: false },
];

describe('an ApplicationSet of Argo CD', () => {
  const repoUrl = 'https://git.example/acme/etl.git';
  it('has an Application for each cluster that is enabled', () => {
    const [set, ...others] = synth((chart) => {
      new ArgoApplicationSet(chart, 'etl', {
        clusters,
        repoUrl,
        path: './out/',
        automated: { prune: true },
        destination: ({ name }) => `acme/${name}`,
      });
    });
    expect(others).toEqual([]);
    expect(set).toEqual({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'etl', namespace: 'argocd' },
      spec: {
        goTemplate: true,
        goTemplateOptions: ['missingkey=error'],
        generators: [
          {
            list: {
              elements: [
                { cluster: 'prod-eu', destination: 'acme/prod-eu', namespace: 'etl', path: 'out/prod-eu' },
                { cluster: 'test', destination: 'acme/test', namespace: 'default', path: 'out/test' },
              ],
            },
          },
        ],
        syncPolicy: { preserveResourcesOnDeletion: true },
        template: {
          metadata: { name: 'etl-{{.cluster}}' },
          spec: {
            project: 'default',
            source: { repoURL: repoUrl, targetRevision: 'HEAD', path: '{{.path}}' },
            destination: { name: '{{.destination}}', namespace: '{{.namespace}}' },
            syncPolicy: { automated: { prune: true }, syncOptions: ['ServerSideApply=true'] },
          },
        },
      },
    });
  });

  it.each([
    [undefined, undefined],
    [false, undefined],
    [true, {}],
  ])('with automated %s applies by itself as %j', (automated, expected) => {
    const manifests = synth((chart) => void new ArgoApplicationSet(chart, 'etl', { clusters, repoUrl, automated }));
    expect(find(manifests, 'ApplicationSet').spec.template.spec.syncPolicy.automated).toEqual(expected);
  });

  it.each<[string, Partial<ArgoApplicationSetProps>, readonly string[]]>([
    [
      'no cluster',
      { clusters: [{ name: 'old', enabled: false }] },
      ['clusters: has none that is enabled; give those of the fleet'],
    ],
    [
      'what is empty',
      { repoUrl: '', project: '', revision: '', destination: () => '' },
      [
        'repoUrl: is empty',
        'revision: is empty',
        'project: is empty',
        'destination: gives nothing for the cluster "prod-eu"',
        'destination: gives nothing for the cluster "test"',
      ],
    ],
    [
      'a path out of the source',
      { path: '../dist' },
      ['path: "../dist" is no path from the root of the source; such as "dist"'],
    ],
    [
      'a namespace that is none',
      { namespace: 'Argo' },
      ['namespace: "Argo" must be lower-case letters, digits and "-", and begin and end with a letter or digit'],
    ],
    [
      'a name that is too long',
      { name: 'a'.repeat(60) },
      [
        expect.stringMatching(/^name: .* has 68 characters; at most 63 fit$/),
        expect.stringMatching(/^name: .* has 65/),
      ] as never,
    ],
  ])('is refused with %s', (_what, props, problems) => {
    const found = synthProblems((chart) => void new ArgoApplicationSet(chart, 'etl', { clusters, repoUrl, ...props }));
    expect(found.map((line) => line.replace('[etl] ', ''))).toEqual(problems);
  });
});

describe('Kustomizations of Flux', () => {
  const kubeConfig = ({ name }: Cluster) => ({ name: `${name}-kubeconfig` });
  it('are one for each cluster that is enabled', () => {
    const manifests = synth((chart) => {
      new FluxKustomizations(chart, 'etl', {
        clusters,
        source: { kind: 'OCIRepository', name: 'etl', namespace: 'sources' },
        interval: Duration.minutes(5),
        timeout: Duration.minutes(2),
        prune: true,
        wait: true,
        serviceAccount: 'etl-deployer',
        kubeConfig: (cluster) => (cluster.name === 'test' ? undefined : { ...kubeConfig(cluster), key: 'config' }),
      });
    });
    const spec = {
      interval: '300s',
      prune: true,
      sourceRef: { kind: 'OCIRepository', name: 'etl', namespace: 'sources' },
      wait: true,
      timeout: '120s',
      serviceAccountName: 'etl-deployer',
    };
    expect(manifests).toEqual([
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'etl-prod-eu', namespace: 'flux-system' },
        spec: {
          ...spec,
          path: './dist/prod-eu',
          kubeConfig: { secretRef: { name: 'prod-eu-kubeconfig', key: 'config' } },
        },
      },
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'etl-test', namespace: 'flux-system' },
        spec: { ...spec, path: './dist/test' },
      },
    ]);
  });

  it('delete nothing unless they are told to', () => {
    const manifests = synth(
      (chart) =>
        void new FluxKustomizations(chart, 'etl', { clusters: clusters.slice(1), source: { name: 'etl' }, path: '.' }),
    );
    expect(find(manifests, 'Kustomization').spec).toEqual({
      interval: '600s',
      path: './test',
      prune: false,
      sourceRef: { kind: 'GitRepository', name: 'etl' },
    });
  });

  it.each<[string, Partial<FluxKustomizationsProps>, readonly string[]]>([
    [
      'two clusters that would be one',
      { kubeConfig: undefined },
      [
        'kubeConfig: says nothing of prod-eu, test, and only one can be the cluster that Flux is on; name the Secret with the kubeconfig of each of the others',
      ],
    ],
    ['no source', { source: { name: '' } }, ['source.name: is empty; name the source of Flux']],
    [
      'no time',
      { interval: Duration.millis(0), timeout: Duration.millis(0) },
      [
        'interval: must be longer than nothing; such as Duration.minutes(10)',
        'timeout: must be longer than nothing; such as Duration.minutes(10)',
      ],
    ],
    [
      'names that are none',
      { namespace: '', serviceAccount: '-', source: { name: 'etl', namespace: 'A' } },
      [
        'namespace: "" is empty',
        'source.namespace: "A" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        'serviceAccount: "-" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
      ],
    ],
  ])('are refused with %s', (_what, props, problems) => {
    const found = synthProblems(
      (chart) => void new FluxKustomizations(chart, 'etl', { clusters, source: { name: 'etl' }, kubeConfig, ...props }),
    );
    expect(found.map((line) => line.replace('[etl] ', ''))).toEqual(problems);
  });
});
