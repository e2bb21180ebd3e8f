import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { createContext } from '../../lib/cli/context.ts';
import { main } from '../../lib/cli/program.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMaps, cronJobs, jobs, leases } from '../../lib/kube/resources.ts';
import { eventually } from '../cluster/eventually.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import type { Bench } from '../controller/support.ts';
import { steady } from './cluster-cli.ts';
import { broken, startSampleCluster, type SampleCluster } from './sample-cluster.ts';

let sample: SampleCluster;
let cluster: ControlPlane;
let bench: Bench;
let cli: SampleCluster['cli'];

beforeAll(async () => {
  sample = await startSampleCluster('runs');
  ({ cluster, bench, cli } = sample);
});

afterAll(() => sample?.stop());

describe('with a controller', () => {
  beforeAll(async () => {
    await bench.controller();
    // What the election of a deployed controller writes.
    await bench.client.create(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'cdk8s-workflows-controller' },
      spec: {
        holderIdentity: 'test',
        leaseDurationSeconds: 15,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    });
  });

  it('shows a run until its end, and prints its outputs alone on stdout', async () => {
    const { code, stdout, stderr } = await cli(['launch', 'etl-site-a', '-i', 'day=1', '--name', 'good', '--watch']);
    expect(stdout).toBe('rows = 3\n');
    expect(code).toBe(0);
    expect(steady(stderr)).toBe(`run good launched
good Running
[extract] Running
[extract] Succeeded after <n>s
[transform] Running
[transform] Succeeded after <n>s
good Succeeded
✓ good succeeded after <n>s
`);
  });

  it('describes a run that succeeded', async () => {
    const { stdout } = await cli(['describe', 'good', '-o', 'wide']);
    expect(steady(stdout)).toMatch(/^Run: good\nNamespace: runs-\w+\nPlan: etl-site-a\n/);
    expect(steady(stdout)).toContain('Inputs: day = "1"\n site = "site-a"\nOutputs: rows = 3\n');
    expect(steady(stdout)).toContain('✓ extract Succeeded 1 <n>s {"rows":3}\n✓ transform Succeeded 1 <n>s');
    const run = JSON.parse((await cli(['describe', 'good', '-o', 'json'])).stdout) as {
      phase: string;
      steps: unknown[];
    };
    expect([run.phase, run.steps.length]).toEqual(['Succeeded', 2]);
  });

  it('exits with 1 and shows the failed step, its message and where its log is', async () => {
    const { code, stdout, stderr } = await cli(['launch', 'broken', '--name', 'bad', '--wait']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('✗ bad failed after');
    const { stdout: described } = await cli(['describe', 'bad']);
    expect(steady(described)).toContain(`STEP PHASE ATTEMPTS DURATION MESSAGE
✓ first Succeeded 1 <n>s
✗ second Failed 2 (ExitCode) <n>s`);
    expect(steady(described)).toContain('- third Skipped - - UpstreamFailed');
    expect(steady(described)).toContain('Step second failed: ExitCode');
    expect(steady(described)).toContain('attempt 1 (pod/bad-second-1, <n>s): ExitCode');
    expect(steady(described)).toContain('its log: cdk8s-workflows logs bad second --all-attempts --kubeconfig ');
  });

  it('prints the logs of all steps with their names, and of one step alone', async () => {
    expect((await cli(['logs', 'good'])).stdout).toBe(
      '[extract] connecting\n[extract] 3 rows\n[transform] transformed\n',
    );
    expect((await cli(['logs', 'good', 'extract', '--tail', '1'])).stdout).toBe('3 rows\n');
    const all = await cli(['logs', 'bad', 'second', '--all-attempts']);
    expect(all.stdout).toBe('[second] cannot reach the store\n[second #2] cannot reach the store\n');
    expect((await cli(['logs', 'bad', 'secnod'])).stderr).toBe(
      'error: The run bad has no step "secnod"; did you mean "second"?\n',
    );
    await cluster.kubectl(['delete', 'pod', 'good-extract-1', '-n', bench.namespace]);
    const gone = await cli(['logs', 'good', 'extract']);
    expect(gone.stderr).toContain('[extract] the pod of attempt 1 is gone, and its log with it (pod good-extract-1)');
  });

  it('lists runs, newest first, by plan and by phase', async () => {
    const table = steady((await cli(['runs'])).stdout).split('\n');
    expect(table[0]).toBe('NAME PLAN PHASE STEPS AGE DURATION');
    expect(table.slice(1, 3)).toEqual(['bad broken Failed 1/3 <n>s <n>s', 'good etl-site-a Succeeded 2/2 <n>s <n>s']);
    expect((await cli(['runs', '--plan', 'broken', '-o', 'name'])).stdout).toBe('job.batch/bad\n');
    const failed = JSON.parse((await cli(['runs', '--phase', 'Succeeded', '-o', 'json'])).stdout) as { name: string }[];
    expect(failed.map(({ name }) => name)).toEqual(['good']);
    expect((await cli(['runs', '--workflow', 'nothing'])).stderr).toBe(
      `No runs found in namespace ${bench.namespace}.\n`,
    );
  });

  it('says what a run waits for, suspends and resumes it, and cancels it', async () => {
    await cli(['launch', 'slow', '--name', 'long']);
    await eventually(async () => {
      const { stdout } = await cli(['describe', 'long']);
      expect(steady(stdout)).toMatch(/▶ wait Running 1 <n>s attempt 1 runs for \d+ s/);
      expect(steady(stdout)).toContain('· then Pending - - 0 of 1 upstreams done; waiting for wait');
    }, 10_000);
    expect((await cli(['suspend', 'long'])).stdout).toBe('run long suspended\n');
    expect((await cli(['suspend', 'run/long'])).stdout).toBe('run long is suspended already\n');
    expect((await cli(['runs', '--phase', 'Suspended', '-o', 'name'])).stdout).toBe('job.batch/long\n');
    expect((await cli(['resume', 'long'])).stdout).toBe('run long resumed\n');
    const waited = await cli(['cancel', 'long', '--wait', '--timeout', '30s']);
    expect(waited).toEqual({ code: 0, stdout: 'run long is being cancelled (Now)\nrun long cancelled\n', stderr: '' });
    expect(await cli(['cancel', 'long'])).toEqual({ code: 0, stdout: 'run long is cancelled already\n', stderr: '' });
    expect((await cli(['cancel', 'good'])).stderr).toBe(
      'error: The run good is over (Succeeded); there is nothing to cancel\n',
    );
    expect((await cli(['resume', 'good'])).code).toBe(1);
    expect(steady((await cli(['runs', '--phase', 'Cancelled'])).stdout)).toContain('long slow Cancelled');
  });

  it('completes names of plans, runs and steps in a shell', async () => {
    const kubeconfig = join(cluster.directory, 'completion.kubeconfig');
    const text = await readFile(cluster.kubeconfigPath, 'utf8');
    const config = parse(text) as { contexts: { context: { namespace?: string } }[] };
    for (const { context } of config.contexts) context.namespace = bench.namespace;
    await writeFile(kubeconfig, stringify(config));
    const completed = async (...words: string[]): Promise<string> => {
      let text = '';
      const stdout = { write: (part: string) => (text += part) };
      await main(
        ['__complete', '--', ...words],
        createContext({ env: { KUBECONFIG: kubeconfig }, stdout, stderr: stdout }),
      );
      return text;
    };
    expect(await completed('launch', 'etl')).toBe('etl-site-a\n');
    expect(await completed('describe', 'goo')).toBe('good\n');
    expect(await completed('logs', 'good', '')).toBe('extract\ntransform\n');
    expect(await completed('suspend', 'goo')).toBe('good\n');
    expect(await completed('deactivate', 's')).toContain('slow\n');
  });

  it('gives up waiting after the timeout, and the run goes on', async () => {
    const result = await cli(['launch', 'slow', '--name', 'patient', '--wait', '--timeout', '1s']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('has not ended within 1s, and goes on: cdk8s-workflows describe patient');
    await cli(['cancel', 'patient']);
  });

  it('leaves the run alone when a process that watches it is interrupted', async () => {
    const bin = join(import.meta.dirname, '../../lib/cli/bin.ts');
    const where = ['--kubeconfig', cluster.kubeconfigPath, '-n', bench.namespace];
    const child = spawn(process.execPath, [bin, 'launch', 'slow', '--name', 'watched', '--watch', ...where], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const code = new Promise((resolve) => child.once('close', resolve));
    let stderr = '';
    let interrupted = false;
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (!interrupted && stderr.includes('[wait] Running')) interrupted = child.kill('SIGINT');
    }
    expect(await code).toBe(130);
    expect(stderr).toMatch(
      /The run watched goes on; cdk8s-workflows cancel watched --kubeconfig \S+ -n \S+ stops it\.\n$/,
    );
    expect((await cli(['runs', '--phase', 'Running', '-o', 'name'])).stdout).toContain('job.batch/watched\n');
    await cli(['cancel', 'watched', '--wait']);
  });

  it('shows runs as they change', async () => {
    const bin = join(import.meta.dirname, '../../lib/cli/bin.ts');
    const where = ['--kubeconfig', cluster.kubeconfigPath, '-n', bench.namespace];
    const child = spawn(process.execPath, [bin, 'runs', '--watch', '-o', 'json', ...where], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const code = new Promise((resolve) => child.once('close', resolve));
    const phases: string[] = [];
    let launched = false;
    let interrupted = false;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!launched) await cli(['launch', 'etl-site-a', '-i', 'day=1', '--name', 'seen']);
      launched = true;
      const run = JSON.parse(line) as { name: string; phase: string };
      if (run.name === 'seen' && run.phase !== phases.at(-1)) phases.push(run.phase);
      if (!interrupted && phases.at(-1) === 'Succeeded') interrupted = child.kill('SIGINT');
    }
    expect([phases, await code]).toEqual([['Pending', 'Running', 'Succeeded'], 130]);
  });

  it('fails when the run is deleted while it is watched', async () => {
    const watching = cli(['launch', 'slow', '--name', 'doomed', '--wait']);
    await eventually(() => bench.job('doomed'), 10_000);
    await bench.client.delete(jobs, 'doomed', { propagationPolicy: 'Background' });
    const { code, stderr } = await watching;
    expect([code, stderr]).toEqual([1, 'run doomed launched\nerror: The run doomed was deleted\n']);
  });

  it('follows the logs of steps that start later until the run is over', async () => {
    await cli(['launch', 'etl-site-a', '-i', 'day=1', '--name', 'tail']);
    expect((await cli(['logs', 'tail', '-f'])).stdout).toBe(
      '[extract] connecting\n[extract] 3 rows\n[transform] transformed\n',
    );
  });

  it('suspends runs only, and tells whoever names a plan what there is for those', async () => {
    expect((await cli(['suspend', 'slow'])).stderr).toBe(
      'error: slow is a launch plan; its schedule is switched by: cdk8s-workflows deactivate slow\n',
    );
    await cli(['launch', 'slow', '--name', 'slow']);
    expect((await cli(['suspend', 'slow'])).stdout).toBe('run slow suspended\n');
    expect((await cli(['suspend', 'slwo'])).stderr).toContain('did you mean "slow"?');
    await cli(['cancel', 'slow']);
  });

  it('shows when a plan fires next, counting @every from its last run', async () => {
    expect((await cli(['schedule', 'slow'])).stderr).toContain('The plan slow has no schedule');
    const { metadata } = await bench.client.patch(
      cronJobs,
      'slow',
      { spec: { schedule: '@every 1h' } },
      { type: 'merge' },
    );
    const made = Date.parse(metadata.creationTimestamp!);
    const { stdout, stderr } = await cli(['schedule', 'slow', '--next', '1', '-o', 'json']);
    const { next } = JSON.parse(stdout) as { next: readonly { utc: string }[] };
    expect(next.map(({ utc }) => Date.parse(utc))).toEqual([made + 3_600_000]);
    expect(stderr).toContain('plan slow is suspended');
  });

  it('says that the graph of a plan or run is gone', async () => {
    await bench.client.delete(configMaps, broken.graphName);
    const { stderr } = await cli(['launch', 'broken']);
    expect(stderr).toContain(
      `Cannot launch broken: the ConfigMap ${broken.graphName} with its graph is gone; apply the plan again`,
    );
    expect((await cli(['describe', 'bad'])).stdout).toContain(
      `note: The ConfigMap ${broken.graphName} with the run's graph is gone`,
    );
  });
});
