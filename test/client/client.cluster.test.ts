import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WorkflowsClient, type RunChange, type RunInfo } from 'cdk8s-workflows/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cronJobs, jobs } from '../../lib/kube/resources.ts';
import { startSampleCluster, type SampleCluster } from '../cli/sample-cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { CutProxy } from '../controller/cut-proxy.ts';
import type { Bench } from '../controller/support.ts';
import { FaultProxy, type Fault } from '../fleet/fault-proxy.ts';

let sample: SampleCluster;
let bench: Bench;
let client: WorkflowsClient;

beforeAll(async () => {
  sample = await startSampleCluster('client');
  ({ bench } = sample);
  await bench.controller();
  client = await WorkflowsClient.connect({ kubeconfig: bench.kubeconfigPath, namespace: bench.namespace });
});

afterAll(async () => {
  await client?.close();
  await sample?.stop();
});

const jobNames = async () => (await bench.client.list(jobs)).items.map(({ metadata }) => metadata.name);

describe('a launch by a program', () => {
  it('says everything that is wrong with the inputs at once, and creates nothing', async () => {
    const before = await jobNames();
    const wrong = client.plan('etl-site-a').launch({ site: 'b', dya: '1', limit: 'many' });
    await expect(wrong).rejects.toMatchObject({
      name: 'WorkflowsError',
      reason: 'Invalid',
      problems: [
        {
          path: 'inputs.site',
          message: 'is fixed to "site-a" by the plan',
          fix: 'leave it out, or launch another plan',
        },
        { path: 'inputs.dya', message: 'is not known', fix: 'did you mean "day"?' },
        { path: 'inputs.day', message: 'is missing', fix: 'give a value of type string' },
        { path: 'inputs.limit', message: 'must be integer, but is "many"' },
      ],
    });
    await expect(client.plan('etl-site-b').launch()).rejects.toMatchObject({
      reason: 'NotFound',
      message: expect.stringContaining('did you mean "etl-site-a"?') as string,
    });
    expect(await jobNames()).toEqual(before);
  });

  it('gives a run that is waited for by a watch, with its outputs', async () => {
    const run = await client.plan('etl-site-a').launch({ day: '2026-03-01' }, { name: 'waited', priority: 3 });
    expect(run.created).toBe(true);
    expect(await run.wait({ timeoutMs: 60_000 })).toEqual({ rows: 3 });
    expect(await client.run('waited').outputs()).toEqual({ rows: 3 });
    expect(await run.get()).toMatchObject({
      name: 'waited',
      plan: 'etl-site-a',
      phase: 'Succeeded',
      inputs: { day: '2026-03-01', site: 'site-a' },
      steps: [
        { name: 'extract', phase: 'Succeeded', outputs: { rows: 3 } },
        { name: 'transform', phase: 'Succeeded' },
      ],
    });
    await expect(run.cancel()).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(client.plan('slow').launch({}, { name: 'waited' })).rejects.toMatchObject({ reason: 'Conflict' });
  });

  it('says so of names, times and modes that there cannot be, and of what no run can hold', async () => {
    for (const name of ['', '..', '../jobs/x', 'a%b']) {
      await expect(client.plan(name).launch()).rejects.toMatchObject({ reason: 'NotFound' });
      await expect(client.run(name).get()).rejects.toMatchObject({ reason: 'NotFound' });
    }
    const run = client.run('waited');
    for (const timeoutMs of [-1, NaN, Infinity])
      await expect(run.wait({ timeoutMs })).rejects.toMatchObject({
        reason: 'Invalid',
        problems: [{ path: 'timeoutMs' }],
      });
    await expect(run.cancel('Gently' as 'Now')).rejects.toMatchObject({
      reason: 'Invalid',
      problems: [{ path: 'mode' }],
    });
    await expect(client.plan('etl-site-a').launch({ day: 'x'.repeat(300_000) })).rejects.toMatchObject({
      reason: 'Invalid',
      problems: [{ path: 'inputs', message: expect.stringContaining('a run holds 256 KiB') as string }],
    });
    const unknown = { timeout: 60 } as object;
    await expect(client.plan('etl-site-a').launch({ day: '1' }, unknown)).rejects.toMatchObject({
      problems: [{ path: 'timeout', message: 'there is no such setting' }],
    });
  });

  it('of a run that fails, throws what failed', async () => {
    const run = await client.plan('broken').launch();
    await expect(run.wait({ timeoutMs: 60_000 })).rejects.toMatchObject({
      reason: 'Failed',
      problems: [{ path: 'step second', message: expect.stringContaining('3') as string }],
    });
  });

  it('stops waiting after a time, or when it is told to, and the run goes on until it is cancelled', async () => {
    const run = await client.plan('slow').launch();
    const seen: RunInfo[] = [];
    const watching = (async () => {
      for await (const info of run.watch()) seen.push(info);
    })();
    await expect(run.wait({ timeoutMs: 100 })).rejects.toMatchObject({ reason: 'Timeout' });
    await expect(run.wait({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    await expect(run.outputs()).rejects.toMatchObject({ reason: 'Conflict' });
    await eventually(async () => expect((await run.get()).phase).toBe('Running'));
    await run.cancel();
    await run.cancel();
    await expect(run.wait({ timeoutMs: 60_000 })).rejects.toMatchObject({ reason: 'Failed' });
    await watching;
    expect(seen.at(-1)).toMatchObject({ phase: 'Cancelled', steps: [{ phase: 'Cancelled' }, {}] });
  });

  it('lists runs, and tells of their changes until the loop is left', async () => {
    const changes: RunChange[] = [];
    const later = client.plan('etl-site-a').launch({ day: '1' }, { name: 'told' });
    for await (const change of client.runs.watch({ plan: 'etl-site-a' })) {
      changes.push(change);
      if (change.run.name === 'told' && change.run.phase === 'Succeeded') break;
    }
    await later;
    expect(changes.map(({ run }) => run.name)).toContain('waited');
    expect(changes.find(({ run }) => run.name === 'told')).toMatchObject({ type: 'added' });
    const runs = await client.runs.list({ plan: 'etl-site-a' });
    expect(runs.map(({ name }) => name)).toEqual(['told', 'waited']);
    await expect(client.runs.list({ plan: 'no label!' })).rejects.toMatchObject({ reason: 'Invalid' });
  });
});

describe('an idempotency key', () => {
  it('gives one run to all who launch with it, and is refused for other inputs', async () => {
    const plan = client.plan('etl-site-a');
    const first = await plan.launch({ day: '7' }, { idempotencyKey: 'day 7' });
    const again = await plan.launch({ day: '7' }, { idempotencyKey: 'day 7' });
    expect([first.created, again.created, again.name]).toEqual([true, false, first.name]);
    await expect(plan.launch({ day: '8' }, { idempotencyKey: 'day 7' })).rejects.toMatchObject({
      reason: 'Conflict',
      message: `The key "day 7" was used already, for the run ${first.name}, with other inputs or settings; use another key`,
    });
    await expect(plan.launch({ day: '7' }, { idempotencyKey: '' })).rejects.toMatchObject({ reason: 'Invalid' });
    expect((await plan.launch({ day: '7' }, { idempotencyKey: 'another' })).name).not.toBe(first.name);
  });

  it('finds its run also when the plan would not take the inputs any more', async () => {
    const manifest = await bench.client.get(cronJobs, 'etl-site-a');
    const { metadata, spec } = manifest;
    const { labels, annotations } = metadata;
    await bench.client.create(cronJobs, { ...manifest, metadata: { name: 'changed', labels, annotations }, spec });
    const first = await client.plan('changed').launch({ day: '1', limit: 1 }, { idempotencyKey: 'k' });
    const fixed = { metadata: { annotations: { 'cdk8s-workflows.dev/fixed-inputs': '["site","limit"]' } } };
    await bench.client.patch(cronJobs, 'changed', fixed, { type: 'merge' });
    const again = await client.plan('changed').launch({ day: '1', limit: 1 }, { idempotencyKey: 'k' });
    expect([again.name, again.created]).toEqual([first.name, false]);
  });

  it('gives one run to processes that launch at the same time', async () => {
    const args = [bench.kubeconfigPath, bench.namespace, 'etl-site-a', '{"day":"9"}', 'together'];
    const processes = Array.from({ length: 2 }, () => {
      const script = join(import.meta.dirname, 'launcher.ts');
      return spawn(process.execPath, ['--conditions=source', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    });
    const lines = processes.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]());
    const next = async () => (await Promise.all(lines.map((each) => each.next()))).map(({ value }) => value as string);
    expect(await next()).toEqual(['ready', 'ready']);
    const ends = processes.map((child) => once(child, 'exit'));
    for (const { stdin } of processes) stdin.write('go\n');
    const runs = (await next()).map((line) => JSON.parse(line) as { name: string; created: boolean });
    expect(runs[0]!.name).toBe(runs[1]!.name);
    expect(runs.filter(({ created }) => created)).toHaveLength(1);
    expect(await Promise.all(ends)).toEqual([
      [0, null],
      [0, null],
    ]);
  });

  it.each<Fault>(['reset', 'lost', 429])(
    'starts one run through a server that fails, and hears of its end: %s',
    async (fault) => {
      const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-client-'));
      await using proxy = await FaultProxy.start(sample.cluster, join(directory, 'kubeconfig'));
      await using through = await WorkflowsClient.connect({ kubeconfig: proxy.kubeconfig, namespace: bench.namespace });
      // Each request fails the first time.
      proxy.begin({ fault: (number) => (number % 2 === 1 ? fault : 'none') });
      const options = { idempotencyKey: `through ${fault}` };
      const run = await through.plan('etl-site-a').launch({ day: '1' }, options);
      expect(proxy.requests).toBeGreaterThan(3);
      proxy.begin({});
      expect(await run.wait()).toEqual({ rows: 3 });
      expect((await client.plan('etl-site-a').launch({ day: '1' }, options)).name).toBe(run.name);
      expect((await jobNames()).filter((name) => name === run.name)).toHaveLength(1);
      await rm(directory, { recursive: true });
    },
  );

  it('of a run, whose end is heard of also when every connection breaks meanwhile', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-client-'));
    const copy = join(directory, 'kubeconfig');
    await using proxy = await CutProxy.start(sample.cluster.server, bench.kubeconfigPath, copy);
    await using through = await WorkflowsClient.connect({ kubeconfig: copy, namespace: bench.namespace });
    const run = await client.plan('slow').launch({}, { idempotencyKey: 'cut' });
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { phase } of through.run(run.name).watch()) {
        seen.push(phase);
        if (phase === 'Running') proxy.cut();
      }
    })();
    await eventually(() => expect(seen).toContain('Running'));
    await run.cancel();
    await watching;
    expect(seen.at(-1)).toBe('Cancelled');
    await rm(directory, { recursive: true });
  });

  it('of a server that does not answer, or only that it cannot, the client says so', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-client-'));
    await using proxy = await FaultProxy.start(sample.cluster, join(directory, 'kubeconfig'));
    await using through = await WorkflowsClient.connect({ kubeconfig: proxy.kubeconfig, namespace: bench.namespace });
    const launch = () => through.plan('etl-site-a').launch({ day: '1' });
    proxy.begin({ fault: () => 'reset' });
    await expect(launch()).rejects.toMatchObject({ name: 'WorkflowsError', reason: 'Unreachable' });
    proxy.begin({ fault: () => 500 });
    await expect(launch()).rejects.toMatchObject({ name: 'WorkflowsError', reason: 'Refused' });
    await rm(directory, { recursive: true });
  });
});

describe('plans', () => {
  it('are read, listed, and switched so that an apply leaves them so', async () => {
    expect(await client.plans.get('etl-site-a')).toMatchObject({
      name: 'etl-site-a',
      workflow: 'site-etl',
      inputs: { site: 'site-a' },
      fixedInputs: ['site'],
      active: false,
    });
    const names = (await client.plans.list({ workflow: 'site-etl' })).map(({ name }) => name);
    expect(names).toEqual(['changed', 'etl-site-a']);
    expect(await client.plan('slow').activate()).toBe(true);
    expect(await client.plan('slow').activate()).toBe(false);
    expect((await sample.cli(['plans', '-o', 'json'])).stdout).toContain('"byHand": true');
    expect(await client.plan('slow').deactivate()).toBe(true);
  });

  it('that are applied from manifests are not deleted', async () => {
    await expect(client.plans.delete('slow')).rejects.toMatchObject({ reason: 'Conflict' });
    await client.plans.delete('none');
  });
});
