import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowsClient, type AnyWorkflowType, type PlanRegistration } from 'cdk8s-workflows/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import { configMaps, cronJobs, jobs } from '../../lib/kube/resources.ts';
import { etl, startSampleCluster, type SampleCluster } from '../cli/sample-cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { FaultProxy, type Fault } from '../fleet/fault-proxy.ts';
import { workflow, type Bench } from '../controller/support.ts';

let sample: SampleCluster;
let bench: Bench;
let client: WorkflowsClient;

const paris: PlanRegistration<AnyWorkflowType> = {
  name: 'site-etl-paris',
  workflow: 'site-etl',
  group: 'sites',
  fixedInputs: { site: 'paris' },
  inputs: { day: '2026-03-01' },
  schedule: '0 4 * * *',
  labels: { team: 'data' },
};

const connect = (name?: string) =>
  WorkflowsClient.connect({ kubeconfig: bench.kubeconfigPath, namespace: bench.namespace, name });
const cronJob = (name = paris.name) => bench.client.get<PlanCronJob>(cronJobs, name);

beforeAll(async () => {
  sample = await startSampleCluster('register');
  ({ bench } = sample);
  await bench.controller();
  client = await connect('site-registry');
});

afterAll(async () => {
  await client?.close();
  await sample?.stop();
});

describe('a plan that a program registers', () => {
  it('is written once nothing is wrong with it, and not at all before', async () => {
    const wrong = { ...paris, schedule: '61 * * * *', fixedInputs: { siet: 'paris' }, inputs: {} };
    await expect(client.plans.createOrUpdate(wrong)).rejects.toMatchObject({
      reason: 'Invalid',
      problems: [
        { path: 'schedule' },
        { path: 'fixedInputs.siet', fix: 'did you mean "site"?' },
        { path: 'inputs.site', message: 'is missing' },
        { path: 'inputs.day', message: 'is missing' },
      ],
    });
    await expect(client.plans.createOrUpdate({ ...paris, workflow: 'site-elt' })).rejects.toMatchObject({
      reason: 'NotFound',
      message: expect.stringContaining('did you mean "site-etl"?') as string,
    });
    await expect(client.plans.get(paris.name)).rejects.toMatchObject({ reason: 'NotFound' });
  });

  it('is created, stays as it is, and is changed', async () => {
    expect(await client.plans.createOrUpdate(paris)).toMatchObject({
      outcome: 'created',
      plan: { schedule: '0 4 * * *', active: true, fixedInputs: ['site'], registeredBy: 'site-registry' },
    });
    expect((await client.plans.createOrUpdate(paris)).outcome).toBe('unchanged');
    const { labels: _, ...unlabelled } = paris;
    const changed = await client.plans.createOrUpdate({ ...unlabelled, schedule: '0 5 * * *' });
    expect(changed).toMatchObject({ outcome: 'updated', plan: { schedule: '0 5 * * *' } });
    expect((await cronJob()).metadata.labels?.team).toBeUndefined();
  });

  it('is launched, listed and seen by commands as any other', async () => {
    const run = await client.plan(paris.name).launch({ day: '2026-03-02' });
    expect(await run.wait({ timeoutMs: 60_000 })).toEqual({ rows: 3 });
    await expect(client.plan(paris.name).launch({ site: 'rome' })).rejects.toMatchObject({
      problems: [{ path: 'inputs.site', message: 'is fixed to "paris" by the plan' }],
    });
    const names = (await client.plans.list({ registeredBy: 'site-registry' })).map(({ name }) => name);
    expect(names).toEqual([paris.name]);
    expect((await sample.cli(['plans', '--group', 'sites', '-o', 'name'])).stdout).toContain(paris.name);
    const told = await sample.cli(['describe', 'plan', paris.name]);
    expect(told.stdout).toContain('Registered by: site-registry\n');
  });

  it('stays as it was switched, unless it says otherwise', async () => {
    await client.plan(paris.name).deactivate();
    expect((await client.plans.createOrUpdate({ ...paris, schedule: '0 6 * * *' })).plan).toMatchObject({
      schedule: '0 6 * * *',
      active: false,
    });
    const said = await client.plans.createOrUpdate({ ...paris, suspended: false });
    expect(said.plan.active).toBe(true);
  });

  it('is of the version of the applied plans, or of one that is named', async () => {
    const newer = workflow('site-etl', [{ name: 'extract', inputs: { site: { input: 'site' } } }], {
      inputs: etl.graph.inputs,
    });
    await bench.apply(...newer.manifests);
    const version = (manifests: typeof newer.manifests) =>
      manifests.at(-1)!.metadata!.labels!['cdk8s-workflows.dev/version'];
    expect((await client.plans.createOrUpdate(paris)).plan.version).toBe(version(etl.manifests));
    const named = await client.plans.createOrUpdate({ ...paris, version: version(newer.manifests)! });
    expect(named.plan.version).toBe(version(newer.manifests));
    expect((await cronJob()).spec.jobTemplate.spec.completions).toBe(1);
    await expect(client.plans.createOrUpdate({ ...paris, version: 'none' })).rejects.toMatchObject({
      reason: 'NotFound',
    });
  });

  it('is not changed or deleted by another program, and no program changes what is applied', async () => {
    await using other = await connect('other');
    await expect(other.plans.createOrUpdate(paris)).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(other.plans.delete(paris.name)).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(client.plans.createOrUpdate({ ...paris, name: 'etl-site-a' })).rejects.toMatchObject({
      reason: 'Conflict',
    });
  });

  it('is neither deleted by an apply nor told to be left over', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-register-'));
    const manifest = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    const apply = async (...names: string[]) => {
      await writeFile(join(directory, 'all.yaml'), names.map(manifest).join('\n---\n'));
      return sample.cli(['apply', directory, '--yes', '--applyset', 'rest', '-o', 'json']);
    };
    await apply('one', 'two');
    const { stdout } = await apply('one');
    const { clusters } = JSON.parse(stdout) as { clusters: [{ orphans: { name: string }[] }] };
    const left = clusters[0].orphans.map(({ name }) => name);
    expect([left.includes('etl-site-a'), left.includes(paris.name)]).toEqual([true, false]);
    await expect(bench.client.get(configMaps, 'two')).rejects.toThrow('not found');
    await cronJob();
    await rm(directory, { recursive: true });
  });

  it('is of one of several programs that register it at the same time, and the others are told', async () => {
    const programs = await Promise.all(['one', 'two', 'three'].map((name) => connect(name)));
    const plan = { ...paris, name: 'site-etl-raced' };
    const all = await Promise.allSettled(programs.map((program) => program.plans.createOrUpdate(plan)));
    const refused = all.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused.map(({ reason }) => (reason as { reason: string }).reason)).toEqual(['Conflict', 'Conflict']);
    const [owner] = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value.plan.registeredBy] : []));
    expect((await client.plans.get(plan.name)).registeredBy).toBe(owner);
    await Promise.all(programs.map((program) => program.close()));
  });

  it('is registered once by programs that do it at the same time', async () => {
    const plan = { ...paris, name: 'site-etl-rome', fixedInputs: { site: 'rome' } };
    const all = await Promise.all(Array.from({ length: 5 }, () => client.plans.createOrUpdate(plan)));
    expect(new Set(all.map(({ plan: { name } }) => name))).toEqual(new Set([plan.name]));
    expect((await client.plans.createOrUpdate(plan)).outcome).toBe('unchanged');
  });

  it.each<Fault>(['reset', 'lost', 429])('is registered through a server that fails: %s', async (fault) => {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-register-'));
    await using proxy = await FaultProxy.start(sample.cluster, join(directory, 'kubeconfig'));
    await using through = await WorkflowsClient.connect({
      kubeconfig: proxy.kubeconfig,
      namespace: bench.namespace,
      name: 'site-registry',
    });
    // Each request fails the first time.
    proxy.begin({ fault: (number) => (number % 2 === 1 ? fault : 'none') });
    const plan = { ...paris, name: `site-etl-${fault}` };
    await through.plans.createOrUpdate(plan);
    expect(proxy.requests).toBeGreaterThan(3);
    expect((await client.plans.createOrUpdate(plan)).outcome).toBe('unchanged');
    await rm(directory, { recursive: true });
  });

  it('is deleted without its runs', async () => {
    const run = await client.plan('site-etl-rome').launch();
    await client.plans.delete('site-etl-rome');
    await client.plans.delete('site-etl-rome');
    await eventually(() => expect(cronJob('site-etl-rome')).rejects.toThrow('not found'));
    await client.plans.delete('site-etl-rome');
    expect(await run.wait({ timeoutMs: 60_000 })).toEqual({ rows: 3 });
    const { metadata, spec } = await bench.client.get(jobs, run.name);
    expect(metadata.ownerReferences).toBeUndefined();
    expect(spec).toMatchObject({ ttlSecondsAfterFinished: 7 * 24 * 3600 });
  });
});
