import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { busyboxImage } from '../cluster/images.ts';
import { canStartNode, startNode, type NodeCluster } from '../cluster/node.ts';
import { controllerImage } from '../controller/controller-image.ts';
import { cli, root } from './support.ts';

/** As the README says it: synthesize, apply, let it run, with real containers from the controller down to the last step. */
describe.skipIf(!canStartNode)('on a real node', () => {
  let cluster: NodeCluster;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'main-job-'));
    cluster = await startNode({ name: 'main-job' });
    const images = await Promise.all([
      busyboxImage('busybox:1.36'),
      controllerImage('cdk8s-workflows/controller:0.1.0'),
    ]);
    for (const image of images) await cluster.importImage(image);
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await cluster.kubectl(args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout.trim();
  }

  /** Synthesizes an app and applies what one cluster gets of it. */
  async function apply(app: string[], ...subdirectory: string[]): Promise<void> {
    const output = join(directory, String(Math.random()));
    expect(await cli(['synth', ...app, '--output', output])).toMatchObject({ code: 0 });
    const applied = await workflows('apply', join(output, ...subdirectory), '--yes');
    expect(applied).toMatchObject({ code: 0 });
  }

  const workflows = (...args: string[]) => cli([...args, '--kubeconfig', cluster.kubeconfigPath]);

  it('runs one task as a Job, a Pod and on a schedule, with no controller installed', async () => {
    await apply(['--app', `node ${join(root, 'test/apps/fixtures/single-task.ts')}`]);
    await kubectl('wait', '--for=condition=complete', 'job/greet-job', '--timeout=60s');
    expect(await kubectl('logs', 'job/greet-job')).toBe('hello a $(b) "c" x1 from greet-job');
    await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/greet-pod', '--timeout=60s');
    expect(await kubectl('logs', 'greet-pod')).toBe('hello pod x2 from greet-pod');
    const message = 'jsonpath={.status.containerStatuses[0].state.terminated.message}';
    expect(JSON.parse(await kubectl('get', 'pod', 'greet-pod', '-o', message))).toEqual({ greeting: 'pod' });
    const plan = 'cdk8s-workflows.dev/plan=greet-plan';
    await eventually(async () => expect(await kubectl('get', 'jobs', '-l', plan, '-o', 'name')).not.toBe(''), 90_000);
    await kubectl('wait', '--for=condition=complete', 'job', '-l', plan, '--timeout=60s');
    expect(await kubectl('logs', '-l', plan)).toMatch(/^hello plan x1 from greet-plan-\d+/);
    await kubectl('delete', 'cronjob', 'greet-plan');
  });

  it('installs the controller, whose replicas become ready and elect one leader', async () => {
    await apply(['apps/site-etl'], 'test');
    await kubectl('rollout', 'status', 'deployment/cdk8s-workflows-controller', '--timeout=90s');
    const holder = () => kubectl('get', 'lease', 'cdk8s-workflows-controller', '-o', 'jsonpath={.spec.holderIdentity}');
    await eventually(async () => expect(await holder()).toMatch(/^cdk8s-workflows-controller-/), 30_000);
  });

  it('starts a run by its schedule, whose steps run as containers and pass values, and kubectl can wait for it', async () => {
    const patch = { spec: { schedule: '* * * * *', suspend: false } };
    await kubectl('patch', 'cronjob', 'etl-site-d', '--type=merge', '-p', JSON.stringify(patch));
    const runs = () => kubectl('get', 'jobs', '-l', 'cdk8s-workflows.dev/plan=etl-site-d', '-o', 'name');
    await eventually(async () => expect(await runs()).not.toBe(''), 90_000);
    await kubectl('patch', 'cronjob', 'etl-site-d', '--type=merge', '-p', '{"spec":{"suspend":true}}');
    const [job] = (await runs()).split('\n') as [string];

    const progress = new Set<string>();
    const waited = kubectl('wait', '--for=condition=complete', job, '--timeout=90s');
    let waiting = true;
    void waited.finally(() => (waiting = false));
    while (waiting) progress.add((await kubectl('get', job, '--no-headers')).split(/\s+/).slice(1, 3).join(' '));
    await waited;
    expect((await kubectl('get', job, '--no-headers')).split(/\s+/).slice(1, 3)).toEqual(['Complete', '4/4']);
    expect([...progress].some((seen) => /^Running [0-3]\/4$/.test(seen))).toBe(true);

    const name = job.replace('job.batch/', '');
    const described = await workflows('describe', name, '-o', 'json');
    expect(described).toMatchObject({ code: 0 });
    expect(JSON.parse(described.stdout)).toMatchObject({
      phase: 'Succeeded',
      inputs: { site: 'site-d' },
      outputs: { rows: 540, quality: 'good' },
    });
    expect(await kubectl('logs', `${name}-load-1`)).toBe('loading memory://site-d/raw/clean quality=good');
    const logs = await workflows('logs', name, 'transform');
    expect(logs).toMatchObject({ code: 0, stdout: expect.stringContaining('keeping 0.9 of 600 rows') as string });
  });

  it('starts another run from the CronJob with kubectl, and one with launch', async () => {
    await kubectl('create', 'job', '--from=cronjob/etl-site-d', 'by-hand');
    await kubectl('wait', '--for=condition=complete', 'job/by-hand', '--timeout=90s');
    const launched = await workflows('launch', 'etl-site-d', '--name', 'launched', '--watch');
    expect(launched).toMatchObject({ code: 0 });
    expect(launched.stdout + launched.stderr).toContain('540');
    const listed = await workflows('runs');
    expect(listed.stdout).toMatch(/^launched +etl-site-d +Succeeded +4\/4/m);
    expect(listed.stdout).toMatch(/^by-hand +etl-site-d +Succeeded +4\/4/m);
  });

  it('runs the quickstart', async () => {
    await apply(['apps/quickstart']);
    const launched = await workflows(
      'launch',
      'etl-by-hand',
      '--input',
      'site=site-a',
      '--name',
      'quick',
      '--wait',
      '-o',
      'json',
    );
    expect(launched).toMatchObject({ code: 0 });
    expect(await kubectl('logs', 'quick-load-1')).toBe('loading memory://site-a/clean');
  });

  it('runs the model release: a pod for each shard, a branch, an approval that somebody gives, and what runs at the end', async () => {
    await apply(['apps/model-release']);
    const inputs = ['--input', 'model=resnet', '--input', 'least=95'];
    expect(await workflows('launch', 'release-model', '--name', 'released', ...inputs)).toMatchObject({ code: 0 });
    await eventually(async () => {
      const { stdout } = await workflows('describe', 'released');
      expect(stdout).toContain('cdk8s-workflows approve released exception');
    }, 60_000);
    expect(await workflows('approve', 'released', 'exception', '--comment', 'it will do')).toMatchObject({ code: 0 });
    await kubectl('wait', '--for=condition=complete', 'job/released', '--timeout=60s');
    const { stdout } = await workflows('describe', 'released', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ outputs: { worst: 92, uri: 'registry://resnet' } });
    const pods = await kubectl('get', 'pods', '-l', 'cdk8s-workflows.dev/run=released', '-o', 'name');
    expect(pods.split('\n').filter((pod) => pod.includes('-score-'))).toHaveLength(4);
    expect(await kubectl('logs', 'released-tell-1')).toBe('resnet: Succeeded, published as registry://resnet');
  });
});
