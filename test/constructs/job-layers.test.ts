import { Chart, Duration } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  Run,
  TaskJob,
  TaskPod,
  Workflow,
  z,
  type Cluster,
  type JobOverride,
  type StepOverride,
} from 'cdk8s-workflows';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { TaskStep } from '../../lib/graph/graph.ts';
import type { Manifest } from './support.ts';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'job-layers-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

type Policies = Pick<Cluster, 'jobDefaults' | 'jobPolicy' | 'podPolicy'>;

function synth(policies: Policies, build: (chart: Chart) => void): readonly Manifest[] {
  new Fleet({ clusters: [{ name: 'eu', ...policies }], outdir }, (app) => build(new Chart(app, 'etl'))).synth();
  return parseAllDocuments(readFileSync(join(outdir, 'eu/etl.k8s.yaml'), 'utf8')).map((document) => document.toJS());
}

function problems(policies: Policies, build: (chart: Chart) => void): string {
  try {
    synth(policies, build);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

interface Said {
  readonly task?: JobOverride;
  readonly step?: StepOverride;
  readonly runAs?: 'Pod' | 'Job';
  readonly timeout?: Duration;
}

const train = (chart: Chart, { task: job, runAs = 'Job', timeout }: Said) =>
  new ContainerTask(chart, 'train', { image: 'train:1', runAs, ...(job && { job }), ...(timeout && { timeout }) });

const etl = (chart: Chart, said: Said) => {
  const task = train(chart, said);
  return new Workflow(chart, 'etl', {}, ({ step }) => void step('train', task).override(said.step ?? {}));
};

const kind = (manifests: readonly Manifest[], wanted: string) => manifests.find((each) => each.kind === wanted)!;
const stepIn = (manifests: readonly Manifest[]) =>
  JSON.parse(kind(manifests, 'ConfigMap').data['graph.json'] as string).steps[0] as TaskStep;
const deadline = (activeDeadlineSeconds: number): JobOverride => ({ spec: { activeDeadlineSeconds } });
const POLICY = 'cdk8s-workflows.dev/policy';

describe('the layers of the Job around a pod', () => {
  it.each<[string, Policies, Said, number]>([
    ['defaults of the cluster', { jobDefaults: deadline(1) }, {}, 1],
    ['task', { jobDefaults: deadline(1) }, { task: deadline(2) }, 2],
    ['step', { jobDefaults: deadline(1) }, { task: deadline(2), step: { job: deadline(3) } }, 3],
    ['policy, over its own defaults', { jobDefaults: deadline(1), jobPolicy: deadline(4) }, {}, 4],
    ['policy, that says the same', { jobPolicy: deadline(4) }, { task: deadline(4) }, 4],
  ])('of a step and of a single task are decided by the %s', (_, policies, said, seconds) => {
    const manifests = synth(policies, (chart) => {
      etl(chart, said);
      new TaskJob(chart, 'once', {
        task: new ContainerTask(chart, 'alone', { image: 'a:1', ...(said.task && { job: said.task }) }),
        ...(said.step && { override: said.step as never }),
      });
    });
    expect(stepIn(manifests).job).toEqual({ value: deadline(seconds) });
    expect(kind(manifests, 'Job').spec.activeDeadlineSeconds).toBe(seconds);
  });

  it('of a plan over a single task are over those of the task, and its timeout over them', () => {
    const built = (timeout?: Duration) => (chart: Chart) => {
      const job: JobOverride = { ...deadline(3), metadata: { labels: { queue: 'gpu' } } };
      new LaunchPlan(chart, 'plan', { task: train(chart, { task: deadline(2) }), job, ...(timeout && { timeout }) });
    };
    const { metadata, spec } = kind(synth({}, built()), 'CronJob').spec.jobTemplate;
    expect([metadata.labels.queue, spec.activeDeadlineSeconds]).toEqual(['gpu', 3]);
    const timed = kind(synth({}, built(Duration.seconds(9))), 'CronJob').spec.jobTemplate;
    expect(timed.spec.activeDeadlineSeconds).toBe(9);
  });

  it('of a map as one Indexed Job are those of any Job, with the policy in its template', () => {
    const policies = { jobDefaults: deadline(1), jobPolicy: { metadata: { labels: { queue: 'eu' } } } };
    const manifests = synth(policies, (chart) => {
      const props = { image: 'a:1', inputs: { n: z.int() }, runAs: 'Pod', job: deadline(2) } as const;
      const task = new ContainerTask(chart, 'score', props);
      new Workflow(chart, 'etl', {}, ({ step }) => {
        step.map('score', task, { n: [1] }, { runAs: 'IndexedJob' }).override({ job: { spec: { suspend: true } } });
      });
    });
    const spec = { activeDeadlineSeconds: 2, suspend: true };
    expect(stepIn(manifests).job).toEqual({ value: { metadata: { labels: { queue: 'eu' } }, spec } });
    const { annotations } = kind(manifests, 'PodTemplate').metadata;
    expect(JSON.parse(annotations![POLICY]!)).toMatchObject({ job: policies.jobPolicy });
  });

  it('of a map as one Indexed Job cannot say what follows from its items, whoever says it', () => {
    const build = (chart: Chart) => {
      const task = new ContainerTask(chart, 'score', { image: 'a:1', inputs: { n: z.int() } });
      new Workflow(chart, 'etl', {}, ({ step }) => void step.map('score', task, { n: [1] }, { runAs: 'IndexedJob' }));
    };
    expect(problems({ jobDefaults: { spec: { parallelism: 1 } } }, build)).toMatch(
      /job\.spec\.parallelism: is not an author's to set \(cluster defaults of eu .*; set concurrency of the map/,
    );
  });

  it('do not reach pods without a Job', () => {
    const policies = { jobDefaults: deadline(1), jobPolicy: { spec: { suspend: true } } };
    const build = (chart: Chart) => {
      const task = train(chart, { runAs: 'Pod' });
      new Workflow(chart, 'etl', {}, ({ step }) => void step('train', task));
      new TaskPod(chart, 'once', { task });
    };
    expect(synth(policies, build)).toEqual(synth({}, build));
  });

  it('of a plan or a run travel with it, to be merged when the steps start', () => {
    const manifests = synth({}, (chart) => {
      const workflow = etl(chart, {});
      new LaunchPlan(chart, 'plan', { workflow, job: { spec: { suspend: false, parallelism: null } } });
      new Run(chart, 'run', { workflow, job: deadline(5) });
    });
    const plan = kind(manifests, 'CronJob').spec.jobTemplate;
    const [ofPlan, ofRun] = [plan, kind(manifests, 'Job')].map(
      ({ metadata }) => metadata.annotations!['cdk8s-workflows.dev/job-override'] as string,
    );
    expect([ofPlan, ofRun]).toEqual([
      '{"spec":{"parallelism":null,"suspend":false}}',
      '{"spec":{"activeDeadlineSeconds":5}}',
    ]);
  });
});

describe("a cluster's job policy", () => {
  const jobPolicy: JobOverride = { metadata: { labels: { queue: 'eu' } }, spec: { suspend: true } };

  it('goes with the pod template and with the plan of a task, beside the policy of the pod', () => {
    const podPolicy = { spec: { hostNetwork: false } };
    const build = (chart: Chart) => {
      etl(chart, {});
      new LaunchPlan(chart, 'plan', { task: new ContainerTask(chart, 'alone', { image: 'a:1' }) });
    };
    const manifests = synth({ jobPolicy, podPolicy }, build);
    const notes = [kind(manifests, 'PodTemplate'), kind(manifests, 'CronJob').spec.jobTemplate].map(
      ({ metadata }) => JSON.parse(metadata.annotations![POLICY] as string) as unknown,
    );
    const both = { cluster: 'eu', template: podPolicy, job: jobPolicy };
    expect(notes).toEqual([both, both]);
    const alone = kind(synth({ jobPolicy }, build), 'PodTemplate');
    expect(JSON.parse(alone.metadata.annotations![POLICY]!)).toEqual({ cluster: 'eu', template: {}, job: jobPolicy });
  });

  it.each<[string, (chart: Chart) => void, string]>([
    [
      'a task',
      (chart) => void etl(chart, { task: { spec: { suspend: false } } }),
      'job.spec.suspend: is false and must be true: task of etl/train set it, cluster policy of eu',
    ],
    [
      'a step',
      (chart) => void etl(chart, { step: { job: { metadata: { labels: { queue: 'mine' } } } } }),
      'job.metadata.labels.queue: is "mine" and must be "eu": step override of etl/etl/train set it, cluster policy of eu',
    ],
    [
      'a plan',
      (chart) => void new LaunchPlan(chart, 'plan', { workflow: etl(chart, {}), job: { spec: { suspend: false } } }),
      'step train: job.spec.suspend: is false and must be true: plan override of plan set it, cluster policy of eu',
    ],
    [
      'a run',
      (chart) => void new Run(chart, 'run', { name: 'r', workflow: etl(chart, {}), job: { spec: { suspend: false } } }),
      'step train: job.spec.suspend: is false and must be true: run override of r set it, cluster policy of eu',
    ],
    [
      'the plan of a task',
      (chart) => void new LaunchPlan(chart, 'plan', { task: train(chart, {}), job: { spec: { suspend: false } } }),
      'job.spec.suspend: is false and must be true: plan override of etl/plan set it, cluster policy of eu',
    ],
  ])('refuses %s that says otherwise, naming both', (_, build, problem) => {
    expect(problems({ jobPolicy }, build)).toContain(problem);
  });

  it('holds over the timeout of a single task', () => {
    const build = (chart: Chart) =>
      void new TaskJob(chart, 'once', { task: train(chart, { timeout: Duration.minutes(5) }) });
    expect(problems({ jobPolicy: deadline(60) }, build)).toContain(
      'job.spec.activeDeadlineSeconds: is 300 and must be 60: task of etl/train set it, cluster policy of eu',
    );
  });
});

describe('what is no Job', () => {
  it.each<[string, Policies, (chart: Chart) => void, string]>([
    [
      'the defaults of a cluster',
      { jobDefaults: { spec: { backoffLimit: 3 } } as never },
      (chart) => void etl(chart, {}),
      "job.spec.backoffLimit: is not an author's to set (cluster defaults of eu",
    ],
    [
      'a plan',
      {},
      (chart) => void new LaunchPlan(chart, 'plan', { workflow: etl(chart, {}), job: { spec: { completions: 0 } } }),
      'step train: job.spec.completions: must be at least 1, not 0 (plan override of plan)',
    ],
    [
      'a plan over steps that are pods',
      {},
      (chart) =>
        void new LaunchPlan(chart, 'plan', {
          workflow: etl(chart, { runAs: 'Pod' }),
          job: { spec: { suspend: true } },
        }),
      'job: is set, and no step of "etl" runs as a Job; set runAs: \'Job\' of a task or step, or leave it out',
    ],
    [
      'a plan that would have to travel with a function',
      {},
      (chart) =>
        void new LaunchPlan(chart, 'plan', {
          workflow: etl(chart, {}),
          job: { spec: { completions: (was) => (was ?? 1) * 2 } },
        }),
      'job.spec.completions: is a function, which no manifest can carry',
    ],
  ])('is refused of %s', (_, policies, build, problem) => {
    expect(problems(policies, build)).toContain(problem);
  });

  it('is told of a plan only as far as the plan makes it so', () => {
    const told = problems({}, (chart) => {
      const workflow = etl(chart, { task: { spec: { completions: 0 } } });
      new LaunchPlan(chart, 'plan', { workflow, job: { spec: { suspend: true } } });
    });
    expect(told.match(/completions/g)).toHaveLength(1);
  });

  it('has no types: what others decide is no field of it', () => {
    const plan = (_: Pick<ConstructorParameters<typeof LaunchPlan>[2], 'job'>) => undefined;
    // @ts-expect-error -- retries are the step's
    plan({ job: { spec: { backoffLimit: 1 } } });
    const cluster = (_: Cluster) => undefined;
    // @ts-expect-error -- the pod has a policy of its own
    cluster({ name: 'eu', jobPolicy: { spec: { template: {} } } });
    plan({ job: { spec: { suspend: true } } });
  });
});
