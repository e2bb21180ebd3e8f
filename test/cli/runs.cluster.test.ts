import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { createContext } from '../../lib/cli/context.ts';
import { main } from '../../lib/cli/program.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMaps, jobs, leases } from '../../lib/kube/resources.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import type { NewObject, ObjectMeta } from '../../lib/kube/objects.ts';
import { Bench, cronJob, workflow, type TestWorkflow } from '../controller/support.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { cliFor, steady } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

const string = { type: 'string' } as const;
const etl = workflow(
  'site-etl',
  [
    {
      name: 'extract',
      inputs: { site: { input: 'site' } },
      outputs: { properties: { rows: { type: 'integer' } }, required: ['rows'] },
      sim: { outputs: '{"rows":3}', log: 'connecting\n3 rows\n', 'run-ms': '300' },
    },
    {
      name: 'transform',
      inputs: { rows: { step: 'extract', output: 'rows' } },
      sim: { log: 'transformed', 'run-ms': '100' },
    },
  ],
  {
    inputs: { properties: { site: string, day: string, limit: { type: 'integer' } }, required: ['site', 'day'] },
    outputs: { rows: { step: 'extract', output: 'rows' } },
  },
);
const broken = workflow('broken', [
  { name: 'first', sim: { log: 'fine' } },
  { name: 'second', after: ['first'], sim: { 'exit-code': '3', log: 'cannot reach the store' }, retries: { limit: 1 } },
  { name: 'third', after: ['second'] },
]);
const slow = workflow('slow', [
  { name: 'wait', sim: { stuck: 'Running' } },
  { name: 'then', after: ['wait'] },
]);

/** A launch plan as synth writes it. */
function plan(of: TestWorkflow, name: string, fixed: JsonObject = {}): NewObject {
  const made = cronJob(of, name);
  const labels = { ...made.metadata!.labels, 'cdk8s-workflows.dev/plan': name };
  const { jobTemplate, ...spec } = made.spec as { jobTemplate: { metadata: ObjectMeta; spec: object } };
  const annotations = { ...jobTemplate.metadata.annotations, 'cdk8s-workflows.dev/inputs': JSON.stringify(fixed) };
  return {
    ...made,
    metadata: { name, labels, annotations: { 'cdk8s-workflows.dev/fixed-inputs': JSON.stringify(Object.keys(fixed)) } },
    spec: { ...spec, jobTemplate: { metadata: { labels, annotations }, spec: jobTemplate.spec } },
  };
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'cli', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'cli');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  for (const of of [etl, broken, slow]) await bench.apply(...of.manifests);
  await bench.apply(plan(etl, 'etl-site-a', { site: 'site-a' }), plan(broken, 'broken'), plan(slow, 'slow'));
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

describe('launch', () => {
  it('says everything that is wrong with the inputs, and starts nothing', async () => {
    const inputs = ['--input', 'site=b', '--input', 'dya=1', '--input', 'limit=many', '--input', 'odd'];
    expect(await cli(['launch', 'etl-site-a', ...inputs])).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: Cannot launch etl-site-a:
  --input odd: has no name; write --input name=value
  --input site: is fixed to "site-a" by the plan; leave it out, or launch another plan
  --input dya: is not known; did you mean "day"?
  --input day: is missing; give a value of type string
  --input limit: must be integer, but is "many"
`,
    });
    expect((await bench.client.list(jobs)).items).toEqual([]);
  });

  it('suggests the plan that was meant', async () => {
    const { code, stderr } = await cli(['launch', 'etl-sit-a']);
    expect(stderr).toContain(`error: There is no plan "etl-sit-a" in namespace ${bench.namespace}`);
    expect(stderr).toContain('did you mean "etl-site-a"?');
    expect(code).toBe(1);
  });

  it('warns when no controller is seen, and the run waits', async () => {
    const { stdout, stderr, code } = await cli(['launch', 'slow', '--name', 'early']);
    expect([stdout, code]).toEqual(['run early launched\n', 0]);
    expect(stderr).toBe(
      'warning: no controller was seen on this cluster (there is no Lease "cdk8s-workflows-controller"): the run stays Pending until one runs\n',
    );
    expect(steady((await cli(['runs', '-o', 'wide'])).stdout)).toBe(
      'NAME PLAN PHASE STEPS AGE DURATION WORKFLOW MESSAGE\nearly slow Pending 0/2 <n>s - slow no controller has taken it yet\n',
    );
    const again = await cli(['launch', 'slow', '--name', 'early']);
    expect(again.stderr).toContain('error: There is a Job "early" already; choose another --name, or leave it out');
    await bench.client.delete(jobs, 'early', { propagationPolicy: 'Background' });
  });

  it('checks a run without starting it', async () => {
    const dry = await cli(['launch', 'etl-site-a', '--input', 'day=1', '--dry-run', '--name', 'dry', '-o', 'json']);
    const job = JSON.parse(dry.stdout) as { metadata: { annotations: Record<string, string> } };
    expect(job.metadata.annotations['cdk8s-workflows.dev/inputs']).toBe('{"day":"1","site":"site-a"}');
    expect((await cli(['describe', 'dry'])).code).toBe(1);
  });
});

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
    expect(steady(stdout)).toMatch(/^Run: good\nNamespace: cli-\w+\nPlan: etl-site-a\n/);
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
✗ second Failed 2 <n>s`);
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
    expect(await completed('suspend', 's')).toContain('slow\n');
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

  it('tells a plan from a run of the same name', async () => {
    await cli(['launch', 'slow', '--name', 'slow']);
    expect((await cli(['suspend', 'slow'])).stderr).toBe(
      'error: There are a run and a plan "slow"; write run/slow or plan/slow\n',
    );
    expect((await cli(['resume', 'plan/slow'])).stderr).toBe(
      'warning: it has no schedule: it starts no runs by itself\n',
    );
    expect((await cli(['suspend', 'plan/slow'])).stdout).toBe('plan slow suspended\n');
    expect((await cli(['suspend', 'slwo'])).stderr).toContain('did you mean "slow"?');
    await cli(['cancel', 'slow']);
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

describe('a plan over a single task', () => {
  it('launches a plain Job with other inputs, and shows it as a run', async () => {
    const env = [
      { name: 'INPUT_SITE_NAME', value: 'a' },
      { name: 'INPUT_TOKEN', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ];
    const labels = { 'app.kubernetes.io/managed-by': 'cdk8s-workflows', 'cdk8s-workflows.dev/plan': 'task' };
    const pod = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x', env }] };
    await bench.apply({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'task', labels },
      spec: {
        schedule: '0 0 31 2 *',
        jobTemplate: {
          metadata: { labels },
          spec: { template: { metadata: { annotations: { 'sim.cdk8s-workflows.dev/log': 'hi' } }, spec: pod } },
        },
      },
    });
    const wrong = await cli(['launch', 'task', '-i', 'sitename=x', '-i', 'token=x']);
    expect(wrong.stderr).toBe(
      'error: Cannot launch task:\n  --input sitename: is not known; did you mean "siteName"?\n  --input token: is not known; known are siteName\n',
    );
    const { code, stderr } = await cli(['launch', 'task', '-i', 'siteName=$(HOME)', '--name', 'one', '--wait']);
    expect([code, stderr.split('\n')[0]]).toEqual([0, 'run one launched']);
    const job = await bench.client.get<{ spec: object } & Awaited<ReturnType<typeof bench.client.get>>>(jobs, 'one');
    expect(JSON.stringify(job.spec)).toContain('{"name":"INPUT_SITE_NAME","value":"$$(HOME)"}');
    expect(steady((await cli(['runs', '--plan', 'task'])).stdout)).toContain('one task Succeeded 1/1');
    expect((await cli(['logs', 'one'])).stdout).toBe('hi\n');
    expect((await cli(['describe', 'one'])).stdout).toContain('one-');
  });

  it('cancels a plain Job by a deadline, so that its record stays', async () => {
    cluster.simulatedNode!.behaviour = ({ metadata }) =>
      metadata.name.startsWith('two-') ? { stuck: 'Running' } : undefined;
    await cli(['launch', 'task', '--name', 'two']);
    const { stdout, code } = await cli(['cancel', 'two', '--wait', '--timeout', '60s']);
    expect([code, stdout]).toEqual([0, 'run two is being cancelled (Now)\nrun two cancelled\n']);
  });
});
