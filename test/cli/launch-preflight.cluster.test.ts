import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NewObject } from '../../lib/kube/objects.ts';
import { jobs } from '../../lib/kube/resources.ts';
import { writeFleetConfig } from '../cluster/kubeconfig.ts';
import { cronJob, runOf, workflow } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';
import { startSampleCluster, type SampleCluster } from './sample-cluster.ts';

let sample: SampleCluster;
let directory: string;
let cli: (...args: string[]) => ReturnType<SampleCluster['cli']>;

beforeAll(async () => {
  sample = await startSampleCluster('preflight');
  const { cluster, bench } = sample;
  const { namespace } = bench;
  const containers = [{ name: 'main', image: 'a', resources: { limits: { 'nvidia.com/gpu': '1' } } }];
  const inner = workflow('inner', [{ name: 'train', spec: { containers } }]);
  const outer = workflow('outer', [{ name: 'first' }, { name: 'sub', runs: runOf(inner) }]);
  for (const of of [inner, outer]) await bench.apply(...of.manifests);
  const plan = cronJob(outer, 'nested') as NewObject & { metadata: object };
  await bench.apply(plan);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-launch-'));
  await mkdir(join(directory, 'dist'));
  const clusters = { here: { context: 'here', namespace }, alice: { context: 'alice', namespace } };
  await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans: {} }));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFleetConfig(kubeconfig, { here: cluster.kubeconfigPath, alice: await cluster.userKubeconfig('alice') });
  await cluster.kubectl(['create', 'rolebinding', 'view', '-n', namespace, '--clusterrole=view', '--user=alice']);
  cli = (...args) => cliFor(kubeconfig, '')(args, { cwd: directory });
});

afterAll(async () => {
  await sample?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

const runs = async () => (await sample.bench.client.list(jobs)).items.map(({ metadata }) => metadata.name);

it('launch --cluster tells what keeps the run from its pods there, of the runs that its steps are too', async () => {
  const { code, stderr } = await cli(
    'launch',
    'nested',
    '--cluster',
    'here',
    '--name',
    'n',
    '--set',
    'first.spec.nodeSelector.pool=large',
  );
  expect(stderr).toContain(
    'warning: here, nodes: no node can hold outer/first (nested): the nearest is sim-0 (lacks the label pool=large); ',
  );
  expect(stderr).toContain(
    'warning: here, nodes: no node can hold inner/train (nested): the nearest is sim-0 (has no nvidia.com/gpu, of which 1 is asked); ',
  );
  expect([code, await runs()]).toEqual([0, ['n']]);
});

it('launch --cluster launches nothing where it may not', async () => {
  const { code, stderr } = await cli('launch', 'nested', '--cluster', 'alice', '--name', 'a');
  expect(stderr).toBe(
    `error: Nothing was launched on alice: may not create jobs.batch in namespace ${sample.bench.namespace}; ask for a role that allows it\n`,
  );
  expect([code, await runs()]).toEqual([1, ['n']]);
});
