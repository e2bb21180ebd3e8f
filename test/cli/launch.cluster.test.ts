import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobs } from '../../lib/kube/resources.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import type { Bench } from '../controller/support.ts';
import { steady } from './cluster-cli.ts';
import { startSampleCluster, type SampleCluster } from './sample-cluster.ts';

let sample: SampleCluster;
let cluster: ControlPlane;
let bench: Bench;
let cli: SampleCluster['cli'];

beforeAll(async () => {
  sample = await startSampleCluster('launch');
  ({ cluster, bench, cli } = sample);
});

afterAll(() => sample?.stop());

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
    expect(again.stderr).toContain('error: There is a Job "early" already; choose another name, or leave it out');
    await bench.client.delete(jobs, 'early', { propagationPolicy: 'Background' });
  });

  it('checks a run without starting it', async () => {
    const dry = await cli(['launch', 'etl-site-a', '--input', 'day=1', '--dry-run', '--name', 'dry', '-o', 'json']);
    const job = JSON.parse(dry.stdout) as { metadata: { annotations: Record<string, string> } };
    expect(job.metadata.annotations['cdk8s-workflows.dev/inputs']).toBe('{"day":"1","site":"site-a"}');
    expect((await cli(['describe', 'dry'])).code).toBe(1);
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
