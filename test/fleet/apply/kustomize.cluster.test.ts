import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { cli } from '../../cli/cli.ts';

let cluster: ControlPlane;
let output: string;
beforeAll(async () => {
  [cluster, output] = await Promise.all([
    startControlPlane({ name: 'kustomize', scheduler: false, controllerManager: false }),
    mkdtemp(join(tmpdir(), 'cdk8s-workflows-kustomize-')),
  ]);
  expect(await cli(['synth', 'apps/site-etl', '--output', output])).toMatchObject({ code: 0 });
  await cluster.kubectl(['create', 'namespace', 'etl']);
});
afterAll(async () => {
  await cluster?.stop();
  if (output !== undefined) await rm(output, { recursive: true });
});

interface Read {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const read = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Read);
const named = ({ kind, metadata }: Read) => `${kind} ${metadata.namespace}/${metadata.name}`;

describe('the directory of a cluster', () => {
  it('is what its files are for kubectl kustomize, in the namespace of the cluster', async () => {
    const { stdout } = await cluster.kubectl(['kustomize', join(output, 'prod-eu')]);
    const files = ['controller', 'plans', 'site-etl'].map((chart) => join(output, 'prod-eu', `${chart}.k8s.yaml`));
    const written = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).flatMap(read);
    const clusterWide = ['ClusterRole', 'ClusterRoleBinding'];
    const expected = written.map((object) =>
      clusterWide.includes(object.kind)
        ? object
        : { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? 'etl' } },
    );
    const byName = (a: Read, b: Read) => (named(a) < named(b) ? -1 : 1);
    expect(read(stdout).sort(byName)).toEqual(expected.sort(byName));
  });

  it.each([
    ['prod-eu', 'etl'],
    ['test', 'default'],
  ])('is applied by kubectl apply -k: %s to the namespace %s', async (name, namespace) => {
    const { code, stderr } = await cluster.kubectl(['apply', '--server-side', '-k', join(output, name)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { stdout } = await cluster.kubectl([
      'get',
      'cronjobs,configmaps,podtemplates',
      '-n',
      namespace,
      '-o',
      'name',
    ]);
    const kinds = new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split('/')[0]),
    );
    expect([...kinds].sort()).toEqual(['configmap', 'cronjob.batch', 'podtemplate']);
  });

  it('is what apply takes for the same: nothing is left to do but to note who manages it', async () => {
    const applied = await cli([
      'apply',
      join(output, 'test'),
      '--kubeconfig',
      cluster.kubeconfigPath,
      '--dry-run',
      '-o',
      'json',
    ]);
    expect({ ...applied, stdout: '' }, applied.stdout).toMatchObject({ code: 0 });
    const [{ objects }] = JSON.parse(applied.stdout).clusters;
    expect(objects.filter(({ outcome }: { outcome: string }) => outcome === 'created')).toEqual([]);
    expect(objects.map(({ kind }: Read) => kind)).not.toContain('Kustomization');
  });
});
