import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Pod } from '../../lib/controller/objects.ts';
import { annotations } from '../../lib/graph/labels.ts';
import { jobs, pods } from '../../lib/kube/resources.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, cronJob, workflow, type TestStep, type TestWorkflow } from '../controller/support.ts';
import { cliFor, steady } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;
let directory: string;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'overrides' });
  bench = await Bench.create(cluster.kubeconfigPath, 'overrides');
  await bench.controller();
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  directory = mkdtempSync(join(tmpdir(), 'override-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await bench?.close();
  await cluster?.stop();
});

const policy = { hostNetwork: false, tolerations: [{ key: 'batch', operator: 'Exists' }] };
const steps: readonly TestStep[] = [
  { name: 'extract', policy },
  { name: 'train', after: ['extract'], policy, spec: { terminationGracePeriodSeconds: 10 } },
];

/** A plan over a workflow, with what it overrides itself. */
async function planOf(
  of: TestWorkflow,
  name: string,
  podOverride?: JsonObject,
  jobOverride?: JsonObject,
): Promise<void> {
  const plan = cronJob(of, name) as NewObject & { spec: { jobTemplate: { metadata: JsonObject } } };
  const { jobTemplate, ...spec } = plan.spec;
  const { labels: given, annotations: notes } = jobTemplate.metadata as Record<string, Record<string, string>>;
  const metadata = {
    labels: { ...given, 'cdk8s-workflows.dev/plan': name },
    annotations: {
      ...notes,
      ...(podOverride && { [annotations.podOverride]: JSON.stringify(podOverride) }),
      ...(jobOverride && { [annotations.jobOverride]: JSON.stringify(jobOverride) }),
    },
  };
  await bench.apply(...of.manifests, { ...plan, spec: { ...spec, jobTemplate: { ...jobTemplate, metadata } } });
}

async function podOf(name: string): Promise<Pod & { spec: Record<string, unknown> }> {
  return bench.client.get<Pod & { spec: Record<string, unknown> }>(pods, name);
}

describe('what a launch changes of pods', () => {
  it('reaches the steps that it names, over what the plan says, under the policy', async () => {
    await planOf(workflow('etl', steps), 'etl', { spec: { terminationGracePeriodSeconds: 20, dnsPolicy: 'Default' } });
    const sets = [
      'train.spec.terminationGracePeriodSeconds=40',
      'train.spec.containers[main].resources.limits.memory=64Mi',
      'train.spec.tolerations=[{key: gpu, operator: Exists}]',
      '*.spec.nodeSelector[kubernetes.io/hostname]=sim-0',
    ];
    const { code, stderr } = await cli([
      'launch',
      'etl',
      '--name',
      'reach',
      '--wait',
      ...sets.flatMap((set) => ['--set', set]),
    ]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('run reach launched')]);
    const [extract, train] = [await podOf('reach-extract-1'), await podOf('reach-train-1')];
    const selector = { 'kubernetes.io/hostname': 'sim-0' };
    expect(extract.spec).toMatchObject({
      terminationGracePeriodSeconds: 20,
      dnsPolicy: 'Default',
      nodeSelector: selector,
    });
    expect(train.spec).toMatchObject({
      terminationGracePeriodSeconds: 40,
      dnsPolicy: 'Default',
      nodeSelector: selector,
      containers: [{ name: 'main', image: 'task:1', resources: { limits: { memory: '64Mi' } } }],
      tolerations: expect.arrayContaining([
        { key: 'gpu', operator: 'Exists' },
        { key: 'batch', operator: 'Exists' },
      ]),
    });
    expect(JSON.stringify(extract.spec)).not.toContain('64Mi');
    expect(steady((await cli(['describe', 'reach'])).stdout))
      .toContain(`Override: *.spec.nodeSelector[kubernetes.io/hostname]=sim-0
 train.spec.containers[main].resources.limits.memory=64Mi
 train.spec.terminationGracePeriodSeconds=40
 train.spec.tolerations=[{"key":"gpu","operator":"Exists"}]
`);
  });

  it('comes from a file too, and is refused with all that is wrong before anything is created', async () => {
    await planOf(workflow('refused', steps), 'refused');
    const file = join(directory, 'a100.yaml');
    writeFileSync(file, 'spec: { hostNetwork: true }\nsteps:\n  train: { spec: { nodeSelector: { gpu: a100 } } }\n');
    const before = (await bench.client.list(jobs)).items.length;
    const contradicts = await cli(['launch', 'refused', '--override', file]);
    expect(contradicts).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: Cannot launch refused:
  step extract, train: spec.hostNetwork: is true and must be false: run override of this launch set it, cluster policy of test holds it; leave it out of the run override, or have the policy changed
`,
    });
    const wrong = await cli([
      'launch',
      'refused',
      '-i',
      'x=1',
      '--set',
      'trian.spec.priority=1',
      '--set',
      '*.spec.priority=x',
    ]);
    expect(wrong.stderr).toBe(`error: Cannot launch refused:
  --input x: is not known; remove it
  --set trian.spec.priority: there is no step "trian"; did you mean "train"?
  --set *.spec.priority: must be a whole number, not "x"
`);
    expect((await bench.client.list(jobs)).items).toHaveLength(before);
    const dry = await cli([
      'launch',
      'refused',
      '--override',
      file,
      '--set',
      '*.spec.hostNetwork=null',
      '--dry-run',
      '-o',
      'json',
    ]);
    const job = JSON.parse(dry.stdout) as Job;
    expect(JSON.parse(job.metadata.annotations![annotations.runOverride]!)).toEqual({
      '*': { spec: { hostNetwork: null } },
      train: { spec: { nodeSelector: { gpu: 'a100' } } },
    });
  });

  it('fails the step that contradicts the policy, for good, when nobody checked it before', async () => {
    const annotated = { [annotations.runOverride]: JSON.stringify({ train: { spec: { hostNetwork: true } } }) };
    const retried = steps.map((step) => ({ ...step, retries: { limit: 3 } }));
    await bench.launch(workflow('policy', retried), 'policy', { annotations: annotated });
    await bench.finished('policy');
    const record = await bench.record('policy');
    expect(record.steps.get('extract')?.phase).toBe('Succeeded');
    expect(record.steps.get('train')).toMatchObject({
      phase: 'Failed',
      reason: 'Rejected',
      attempts: [{ failure: 'permanent' }],
      message: expect.stringContaining(
        'spec.hostNetwork: is true and must be false: run override of policy set it, cluster policy of test holds it',
      ),
    });
    expect((await bench.pods('policy')).map(({ metadata }) => metadata.name)).toEqual(['policy-extract-1']);
  });

  it('fails the step whose pod would be none, naming the layer', async () => {
    const override = {
      train: { spec: { containers: [{ name: 'main', volumeMounts: [{ name: 'd', mountPath: '/d' }] }] } },
    };
    await bench.launch(workflow('mounts', steps), 'mounts', {
      annotations: { [annotations.runOverride]: JSON.stringify(override) },
    });
    await bench.finished('mounts');
    expect((await bench.record('mounts')).steps.get('train')).toMatchObject({
      reason: 'Rejected',
      message: expect.stringMatching(/there is no volume "d" \(run override of mounts\); add it to spec\.volumes/),
    });
  });

  it.each<[string, string, string]>([
    ['text', 'train', 'run-override: must be a JSON object, not "train"'],
    ['steps', '{"trian":{}}', 'run-override: there is no step "trian"; did you mean "train"?'],
    ['part', '{"train":3}', 'run-override: train: must be part of a pod template, not 3'],
    ['item', '{"*":{"spec":{"containers":[{"image":"x"}]}}}', '*.spec.containers: the item {"image":"x"} has no name'],
  ])('refuses the run when it is written by hand and makes no sense (%s)', async (name, text, wanted) => {
    const run = `malformed-${name}`;
    await bench.launch(workflow('malformed', steps), run, { annotations: { [annotations.runOverride]: text } });
    const { status } = await bench.finished(run);
    expect(status?.conditions?.at(-1)).toMatchObject({
      reason: 'InvalidRun',
      message: expect.stringContaining(wanted),
    });
    await eventually(async () => expect((await bench.events(run)).join()).toContain(wanted));
    expect(await bench.pods(run)).toEqual([]);
  });

  it('is merged into the pod of a plan over a single task, under its policy', async () => {
    const labels = {
      'app.kubernetes.io/managed-by': 'cdk8s-workflows',
      'cdk8s-workflows.dev/plan': 'single',
      'cdk8s-workflows.dev/task': 'train',
    };
    const notes = { [annotations.policy]: JSON.stringify({ cluster: 'test', template: { spec: policy } }) };
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } };
    await bench.apply({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'single', labels },
      spec: {
        schedule: '0 0 31 2 *',
        jobTemplate: { metadata: { labels, annotations: notes }, spec: { template } },
      },
    });
    const refused = await cli([
      'launch',
      'single',
      '--set',
      'train.spec.hostNetwork=true',
      '--set',
      'trian.spec.priority=1',
    ]);
    expect(refused.stderr).toContain('there is no step "trian"; did you mean "train"?');
    expect((await cli(['launch', 'single', '--set', 'train.spec.hostNetwork=true'])).stderr).toContain(
      'cluster policy of test holds it',
    );
    const { code } = await cli([
      'launch',
      'single',
      '--name',
      'one',
      '--wait',
      '--set',
      '*.spec.containers[main].image=y',
    ]);
    expect(code).toBe(0);
    const job = await bench.client.get<Job & { spec: { template: { spec: object } } }>(jobs, 'one');
    expect(job.spec.template.spec).toMatchObject({
      containers: [{ name: 'main', image: 'y' }],
      tolerations: policy.tolerations,
    });
    expect((await cli(['describe', 'one'])).stdout).toContain('Override:   *.spec.containers[main].image=y\n');
  });
});

describe('a step as a Job', () => {
  it('has the fields of its author, waits while it is suspended, and goes on when somebody resumes it', async () => {
    const job = {
      metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' }, annotations: { note: 'x' } },
      spec: {
        suspend: true,
        podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
      },
    };
    const outputs = { properties: { n: { type: 'integer' } }, required: ['n'] } as const;
    const queued: TestStep = { name: 'train', runAs: 'Job', job: { value: job }, outputs, sim: { outputs: '{"n":5}' } };
    await bench.launch(workflow('queued', [queued]), 'queued');
    await bench.recorded('queued', ({ steps: s }) => s.get('train')?.message === 'its Job is suspended');
    expect((await bench.record('queued')).steps.get('train')).toMatchObject({ phase: 'Running', reason: 'PodPending' });
    expect((await cli(['describe', 'queued'])).stdout).toContain('its Job is suspended');
    const made = await bench.client.get<Job>(jobs, 'queued-train-1');
    expect(made.metadata).toMatchObject({ labels: job.metadata.labels, annotations: job.metadata.annotations });
    expect(made.spec).toMatchObject({ suspend: true, backoffLimit: 0 });
    const patch = ['patch', 'job', 'queued-train-1', '-n', bench.namespace, '-p', '{"spec":{"suspend":false}}'];
    expect((await cluster.kubectl(patch)).stdout).toContain('patched');
    expect((await bench.finished('queued')).status).toMatchObject({ succeeded: 1 });
    expect((await bench.record('queued')).steps.get('train')?.outputs).toEqual({ n: 5 });
  });

  it('is changed by the plan and by the launch, under the policy of its cluster', async () => {
    const shard: TestStep = {
      name: 'shard',
      runAs: 'Job',
      job: { value: { spec: { completions: 2, activeDeadlineSeconds: 100 } } },
      jobPolicy: { podReplacementPolicy: 'Failed' },
    };
    const plan = { metadata: { labels: { team: 'ml' } }, spec: { completions: 3, activeDeadlineSeconds: 200 } };
    await planOf(workflow('layered', [shard, { name: 'train' }]), 'layered', undefined, plan);
    const launch = (...sets: readonly string[]) => cli(['launch', 'layered', ...sets.flatMap((set) => ['--set', set])]);
    const refused = await launch(
      'shard.job.spec.podReplacementPolicy=TerminatingOrFailed',
      'shard.job.spec.parallelism=0',
    );
    expect(refused.stderr).toContain('cluster policy of test holds it');
    expect(refused.stderr).toContain('step shard: job.spec.parallelism: must be at least 1, not 0');
    expect((await launch('shard.job.spec.backoffLimit=3')).stderr).toContain("is not an author's to set");
    expect((await launch('train.job.spec.suspend=true')).stderr).toContain('the step runs as a Pod');
    const wanted = ['--set', 'shard.job.spec.activeDeadlineSeconds=300', '--set', '*.job.spec.parallelism=2'];
    expect((await cli(['launch', 'layered', '--name', 'layered-1', '--wait', ...wanted])).code).toBe(0);
    const made = await bench.client.get<Job>(jobs, 'layered-1-shard-1');
    expect(made.metadata.labels).toMatchObject({ team: 'ml' });
    expect(made.spec).toMatchObject({
      completions: 3,
      activeDeadlineSeconds: 300,
      parallelism: 2,
      podReplacementPolicy: 'Failed',
      backoffLimit: 0,
    });
  });

  it('fails for good where a run written by hand contradicts the policy, and is not begun where it names a pod', async () => {
    const shard: TestStep = { name: 'shard', runAs: 'Job', jobPolicy: { suspend: false } };
    const changed = (step: string) => ({
      annotations: { [annotations.runOverride]: JSON.stringify({ [step]: { job: { spec: { suspend: true } } } }) },
    });
    const both = workflow('by-hand', [shard, { name: 'train' }]);
    await bench.launch(both, 'by-hand-1', changed('shard'));
    await bench.finished('by-hand-1');
    expect((await bench.record('by-hand-1')).steps.get('shard')).toMatchObject({
      reason: 'Rejected',
      message: expect.stringContaining('job.spec.suspend: is true and must be false: run override of by-hand-1 set it'),
    });
    await bench.launch(both, 'by-hand-2', changed('train'));
    const { status } = await bench.finished('by-hand-2');
    expect(status?.conditions?.at(-1)?.message).toContain(
      'run-override: train.job: is set, and the step runs as a Pod',
    );
  });

  it('is deleted when it is cancelled while it is suspended: no deadline would end it', async () => {
    const held: TestStep = { name: 'train', runAs: 'Job', job: { value: { spec: { suspend: true } } } };
    await bench.launch(workflow('held', [held]), 'held');
    await bench.recorded('held', ({ steps: s }) => s.get('train')?.message === 'its Job is suspended');
    await bench.annotate('held', annotations.cancel, 'Now');
    const { status } = await bench.finished('held');
    expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'CancelRequested' });
    await eventually(() => expect(bench.client.get(jobs, 'held-train-1')).rejects.toThrow('not found'));
  });

  it('of several pods gives the outputs of index 0', async () => {
    cluster.simulatedNode!.behaviour = ({ metadata }) =>
      metadata.name.startsWith('indexed-')
        ? { outputs: { n: Number(metadata.labels?.['batch.kubernetes.io/job-completion-index']) }, runMs: 100 }
        : undefined;
    const outputs = { properties: { n: { type: 'integer' } }, required: ['n'] } as const;
    const job = { spec: { completionMode: 'Indexed', completions: 3, parallelism: 2 } };
    await bench.launch(workflow('indexed', [{ name: 'train', runAs: 'Job', job: { value: job }, outputs }]), 'indexed');
    await bench.finished('indexed');
    cluster.simulatedNode!.behaviour = undefined;
    expect((await bench.record('indexed')).steps.get('train')).toMatchObject({ phase: 'Succeeded', outputs: { n: 0 } });
    expect((await bench.client.get<Job>(jobs, 'indexed-train-1')).status).toMatchObject({ succeeded: 3 });
  });
});
