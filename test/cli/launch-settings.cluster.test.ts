import { WorkflowsClient } from 'cdk8s-workflows/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { jobs, pods } from '../../lib/kube/resources.ts';
import type { RunJob } from '../../lib/runs/run-objects.ts';
import type { Bench } from '../controller/support.ts';
import { startSampleCluster, type SampleCluster } from './sample-cluster.ts';

let sample: SampleCluster;
let bench: Bench;
let cli: SampleCluster['cli'];
let client: WorkflowsClient;

beforeAll(async () => {
  sample = await startSampleCluster('settings');
  ({ bench, cli } = sample);
  await bench.controller();
  client = await WorkflowsClient.connect({ kubeconfig: bench.kubeconfigPath, namespace: bench.namespace });
});

afterAll(async () => {
  await client?.close();
  await sample?.stop();
});

const options = [
  ...['--env', 'LEVEL=debug', '--labels', 'team=data,tier=low', '--annotations', 'acme.dev/why=a test'],
  ...['--service-account', 'default', '--run-timeout', '1h', '--ttl-after-finished', '2h', '--priority', '3'],
];
const settings = {
  env: { LEVEL: 'debug' },
  labels: { team: 'data', tier: 'low' },
  annotations: { 'acme.dev/why': 'a test' },
  serviceAccount: 'default',
  timeoutSeconds: 3600,
  ttlSecondsAfterFinished: 7200,
  priority: 3,
};

it('a launch from the command line and one by a program are one, with the same key, inputs and settings', async () => {
  const inputs = ['--input', 'day=2026-03-01', '--input', 'limit=5'];
  const launch = ['launch', 'etl-site-a', ...inputs, ...options, '--idempotency-key', 'k'];
  const { code, stdout } = await cli([...launch, '-o', 'name']);
  const name = stdout.trim().replace('job.batch/', '');
  const again = await client
    .plan('etl-site-a')
    .launch({ day: '2026-03-01', limit: 5 }, { ...settings, idempotencyKey: 'k' });
  expect([code, again.created, again.name]).toEqual([0, false, name]);
  expect((await cli(launch)).stdout).toBe(`run ${name} is there already, launched with this key\n`);
  const other = await cli([...launch, '--labels', 'more=yes']);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain(
    `error: The key "k" was used already, for the run ${name}, with other inputs or settings; use another key\n`,
  );
  await again.wait({ timeoutMs: 60_000 });

  const job = await bench.client.get<RunJob>(jobs, name);
  expect(job.metadata.labels).toMatchObject(settings.labels);
  expect(job.metadata.annotations).toMatchObject(settings.annotations);
  expect(job.spec).toMatchObject({ activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 7200 });
  const made = await bench.client.list<KubeObject & { spec: object }>(pods, {
    labelSelector: `cdk8s-workflows.dev/run=${name}`,
  });
  expect(made.items).toHaveLength(2);
  for (const { metadata, spec } of made.items) {
    expect(metadata.labels).toMatchObject(settings.labels);
    expect(metadata.annotations).toMatchObject(settings.annotations);
    expect(spec).toMatchObject({ serviceAccountName: 'default', containers: [{ name: 'main' }] });
    expect(JSON.stringify(spec)).toContain('{"name":"LEVEL","value":"debug"}');
  }
});

it('what is wrong with inputs, settings and pods comes all at once, and nothing is started', async () => {
  const before = (await bench.client.list(jobs)).items.length;
  const wrong = ['--input', 'dya=1', '--env', 'LEVEL', '--labels', 'team=a b', '--service-account', 'No Account'];
  const { code, stderr } = await cli(['launch', 'etl-site-a', ...wrong, '--name', 'A', '--idempotency-key', 'k']);
  expect(code).toBe(2);
  expect(stderr).toBe(`error: Cannot launch etl-site-a:
  --name: "A" must be lower-case letters, digits and "-", and begin and end with a letter or digit
  --idempotency-key: names the run, and so does name; give one of them
  --env LEVEL: has no value; write --env key=value
  --labels team: "a b" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit
  --input dya: is not known; did you mean "day"?
  --input day: is missing; give a value of type string
  step extract, transform: spec.serviceAccountName: "No Account" must be lower-case letters, digits, "-" and ".", and begin and end with a letter or digit (run override of this launch); rename it
`);
  const launch = client.plan('etl-site-a').launch(
    { dya: '1' },
    {
      name: 'A',
      parallelism: 0,
      timeoutSeconds: 1.5,
      labels: { team: 'a b' },
      failurePolicy: 'Never' as 'FinishRunning',
      override: { extrakt: {}, extract: { spec: { nodeSelctor: {} } as object }, '*': { job: { spec: {} } } },
    },
  );
  await expect(launch).rejects.toMatchObject({
    reason: 'Invalid',
    problems: [
      { path: 'name' },
      { path: 'parallelism', message: 'must be a whole number of at least 1, not 0' },
      { path: 'timeoutSeconds', message: 'must be a whole number of at least 1, not 1.5' },
      { path: 'failurePolicy' },
      { path: 'labels.team' },
      { path: 'inputs.dya' },
      { path: 'inputs.day' },
      { path: 'override', message: 'there is no step "extrakt"', fix: 'did you mean "extract"?' },
      { path: 'override.extract.spec.nodeSelctor' },
      { path: 'override.*.job', message: 'is set, and no step runs as a Job' },
    ],
  });
  expect((await bench.client.list(jobs)).items).toHaveLength(before);
});

it('a run fails once it has taken as long as its launch allows', async () => {
  const run = await client.plan('slow').launch({}, { timeoutSeconds: 1 });
  await expect(run.wait({ timeoutMs: 60_000 })).rejects.toMatchObject({ reason: 'Failed' });
  expect(await run.get()).toMatchObject({ phase: 'Failed', reason: 'RunTimeout' });
});
