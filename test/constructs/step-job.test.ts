import { Duration } from 'cdk8s';
import { ContainerTask, LaunchPlan, TaskJob, Workflow, z, type JobOverride, type StepOverride } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { TaskStep } from '../../lib/graph/graph.ts';
import { find, synth, synthProblems } from './support.ts';

function define(job: JobOverride | undefined, override: StepOverride, outputs = false) {
  return (chart: Construct) => {
    const task = new ContainerTask(chart, 'train', {
      image: 'train:1',
      runAs: 'Job',
      ...(job && { job }),
      ...(outputs && { outputs: { loss: z.number() } }),
    });
    new Workflow(chart, 'etl', {}, ({ step }) => void step('train', task).override(override));
  };
}

function stepOf(job: JobOverride | undefined, override: StepOverride = {}): TaskStep {
  const decoded = decodeGraph(find(synth(define(job, override)), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps[0] as TaskStep;
}

const queued: JobOverride = {
  metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu', team: 'ml' } },
  spec: { suspend: true, activeDeadlineSeconds: 60 },
};

describe('the Job around the pod of a step', () => {
  it('is merged from the task and the step, and goes with the graph', () => {
    const override: JobOverride = {
      metadata: { labels: { team: null } },
      spec: {
        suspend: false,
        completions: 4,
        completionMode: 'Indexed',
        activeDeadlineSeconds: (was) => (was ?? 0) * 2,
      },
    };
    expect(stepOf(queued, { job: override })).toMatchObject({
      runAs: 'Job',
      job: {
        value: {
          metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' } },
          spec: { suspend: false, activeDeadlineSeconds: 120, completions: 4, completionMode: 'Indexed' },
        },
      },
    });
    expect(stepOf(undefined)).not.toHaveProperty('job');
  });

  it.each<[string, object, readonly string[]]>([
    [
      'fields of the right types',
      { spec: { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] } } },
      [],
    ],
    [
      'retries of its own',
      { spec: { backoffLimit: 3 } },
      ["job.spec.backoffLimit: is not an author's to set; attempts are the step's: set retries"],
    ],
    [
      'a pod',
      { spec: { template: {} } },
      ["job.spec.template: is not an author's to set; the pod is the step's podTemplate: move it there"],
    ],
    [
      'a name',
      { metadata: { name: 'x' } },
      ["job.metadata.name: is not an author's to set; set labels and annotations only"],
    ],
    [
      'a field that there is not',
      { spec: { suspended: true } },
      ['job.spec.suspended: is no field of JobSpec; did you mean "suspend"?'],
    ],
    [
      'a value of the wrong type',
      { spec: { completions: '3' } },
      ['job.spec.completions: must be a whole number, not "3"; remove the quotes'],
    ],
    [
      'a label that Kubernetes refuses',
      { metadata: { labels: { 'a b': 'c' } } },
      [
        'job.metadata.labels.a b: "a b=c" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit; rename it',
      ],
    ],
    [
      'numbers and words that Kubernetes refuses',
      { spec: { completions: 0, completionMode: 'indexed' } },
      [
        'job.spec.completions: must be at least 1, not 0; leave it out, or raise it',
        'job.spec.completionMode: must be NonIndexed or Indexed, not "indexed"',
      ],
    ],
    [
      'rules of failures that Kubernetes refuses',
      {
        spec: {
          podFailurePolicy: {
            rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [0] } }, { action: 'Ignore' }],
          },
        },
      },
      [
        'job.spec.podFailurePolicy.rules[0].action: must be FailJob or Ignore or Count, not "FailIndex"',
        'job.spec.podFailurePolicy.rules[0].onExitCodes.values: must be exit codes of failures, not [0]; give those of your program, such as [42]',
        'job.spec.podFailurePolicy.rules[1]: has neither onExitCodes nor onPodConditions; give one of them',
      ],
    ],
    [
      'our own controller',
      { spec: { managedBy: 'cdk8s-workflows.dev/controller' } },
      ['job.spec.managedBy: is "cdk8s-workflows.dev/controller", which would make the step a run; leave it out'],
    ],
  ])('with %s', (_, job, problems) => {
    expect(synthProblems(define(job, {}))).toEqual(problems.map((problem) => `[etl/train] ${problem}`));
  });

  it('is that of a task alone too, under its retries and deadline', () => {
    const override = { job: { spec: { backoffLimit: 9 } } } as never;
    const alone = (chart: Construct) => {
      const task = new ContainerTask(chart, 'train', { image: 'train:1', retries: 2, job: queued });
      new TaskJob(chart, 'job', { task });
      new LaunchPlan(chart, 'plan', { task, timeout: Duration.minutes(5), labels: { team: 'etl' } });
    };
    const manifests = synth(alone);
    const [job, plan] = [find(manifests, 'Job'), find(manifests, 'CronJob').spec.jobTemplate];
    expect(job.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'gpu', team: 'ml' });
    expect(job.spec).toMatchObject({ suspend: true, activeDeadlineSeconds: 60, backoffLimit: 2 });
    expect(plan.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'gpu', team: 'ml' });
    expect(plan.spec).toMatchObject({ suspend: true, activeDeadlineSeconds: 300, backoffLimit: 2 });
    expect(
      synthProblems((chart) => {
        const task = new ContainerTask(chart, 'train', {
          image: 'train:1',
          job: { spec: { suspend: 'yes' } } as never,
        });
        new TaskJob(chart, 'job', { task, override });
        new LaunchPlan(chart, 'plan', { task });
      }),
    ).toEqual([
      '[job] job.spec.suspend: must be true or false, not "yes"',
      "[job] job.spec.backoffLimit: is not an author's to set; attempts are the step's: set retries",
      '[plan] job.spec.suspend: must be true or false, not "yes"',
    ]);
  });

  it('has no place around a step that runs as a Pod', () => {
    expect(synthProblems(define(queued, { runAs: 'Pod' }))).toEqual([
      "[etl/train] job: is set, and the step runs as a Pod; set runAs: 'Job', or leave it out",
    ]);
  });

  it('of several pods needs to know which one gives the outputs', () => {
    expect(synthProblems(define({ spec: { completions: 2 } }, {}, true))[0]).toContain(
      'job.spec.completions: is 2, and it is not known which of the pods gives the outputs',
    );
    expect(synthProblems(define({ spec: { completions: 2, completionMode: 'Indexed' } }, {}, true))).toEqual([]);
  });

  it('is typed: what others decide is no field of it', () => {
    const given = (job: JobOverride) => job;
    // @ts-expect-error -- retries are the step's
    given({ spec: { backoffLimit: 1 } });
    // @ts-expect-error -- a name is made for each attempt
    given({ metadata: { name: 'x' } });
    given({ spec: { suspend: null, podFailurePolicy: { rules: [] } } });
  });
});
