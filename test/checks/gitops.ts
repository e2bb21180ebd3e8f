/**
 * `npm run check:gitops`: whether the API server takes what `ArgoApplicationSet` and `FluxKustomizations` write, by the custom resource
 * definitions that Argo CD and Flux themselves come with, every field known. Ends with 1 when it does not. Needs Go and its module proxy.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Duration } from 'cdk8s';
import { ArgoApplicationSet, FluxKustomizations, type Cluster } from 'cdk8s-workflows';
import { KubeClient } from '../../lib/kube/client.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { synth } from '../constructs/support.ts';

const definitions = [
  { module: 'github.com/argoproj/argo-cd/v3@v3.1.0', file: 'manifests/crds/applicationset-crd.yaml' },
  {
    module: 'github.com/fluxcd/kustomize-controller@v1.6.0',
    file: 'config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml',
  },
];
const paths: Readonly<Record<string, string>> = {
  ApplicationSet: '/apis/argoproj.io/v1alpha1/namespaces/default/applicationsets',
  Kustomization: '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations',
};
const clusters: readonly Cluster[] = [{ name: 'eu', namespace: 'etl' }, { name: 'us' }];

/** All that the two can be asked for. */
const manifests = synth((chart) => {
  new ArgoApplicationSet(chart, 'few', { clusters, repoUrl: 'https://git.example/etl.git', namespace: 'default' });
  new ArgoApplicationSet(chart, 'all', {
    clusters,
    repoUrl: 'https://git.example/etl.git',
    namespace: 'default',
    path: 'out',
    revision: 'v1',
    project: 'etl',
    automated: { prune: true, selfHeal: true },
    destination: ({ name }) => `acme/${name}`,
  });
  const source = { name: 'etl' };
  new FluxKustomizations(chart, 'few-flux', { clusters: [clusters[0]!], source, namespace: 'default' });
  new FluxKustomizations(chart, 'all-flux', {
    clusters,
    source: { kind: 'OCIRepository', name: 'etl', namespace: 'sources' },
    namespace: 'default',
    interval: Duration.minutes(5),
    timeout: Duration.minutes(2),
    prune: true,
    wait: true,
    serviceAccount: 'deployer',
    kubeConfig: ({ name }) => ({ name: `${name}-kubeconfig`, key: 'config' }),
  });
});

await using cluster = await startControlPlane({ name: 'gitops', scheduler: false, controllerManager: false });
for (const { module, file } of definitions) {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd: tmpdir() });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  await cluster.kubectl(['apply', '--server-side', '-f', join(Dir, file)]);
}
await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
const client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
let refused = 0;
for (const body of manifests) {
  const query = { fieldValidation: 'Strict' };
  const name = `${body.kind} ${body.metadata.name}`;
  await client.request('POST', paths[body.kind]!, { body, query }).then(
    () => console.log(`${name}: taken`),
    (error: Error) => {
      refused += 1;
      console.log(`${name}: ${error.message}`);
    },
  );
}
await client.close();
console.log(`${manifests.length} objects, ${refused} refused`);
process.exitCode = refused === 0 ? 0 : 1;
