import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkOverride } from '../../lib/cli/pods/given-override.ts';
import type { TaskStep } from '../../lib/graph/graph.ts';
import { taskRun } from '../../lib/runs/launch-job.ts';
import { stepJobProblems, taskJobProblems } from '../../lib/runs/launch-step-jobs.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import { plan } from './task-plan.ts';

const steps = [{ name: 'train' }, { name: 'shard', runAs: 'Job' }] as const;

/** What the options make: the override, or all that is wrong. */
function given(sets: readonly string[], file?: unknown): unknown {
  const { override, problems } = checkOverride(
    { sets, parse, ...(file !== undefined && { file: { name: 'a.yaml', content: file } }) },
    steps,
  );
  return problems.length > 0 ? problems.map(formatProblem) : override;
}

describe('--set of the Job around a pod', () => {
  it('is refused with all that is wrong at once', () => {
    expect(
      given([
        'train.job.spec.suspend=true',
        'shard.job.spec.paralelism=3',
        'shard.job.spec.completions=many',
        'shard.job=null',
        'shard.spec.job=3',
      ]),
    ).toEqual([
      '--set shard.job.spec.paralelism: paralelism is no field of JobSpec; did you mean "parallelism"?',
      '--set shard.job.spec.completions: must be a whole number, not "many"',
      '--set shard.spec.job: job is no field of PodSpec',
      "--set train.job: is set, and the step runs as a Pod; leave it out, or set runAs: 'Job' of the task or step",
      '--set shard.job: must be part of a Job, not null',
    ]);
  });
});

describe('--override of the Job around a pod', () => {
  it('has a job too, and is refused where there is none', () => {
    const job = { spec: { suspend: true } };
    expect(given([], { job, steps: { shard: { job } } })).toEqual({ '*': { job }, shard: { job } });
    expect(given(['shard.job.spec.parallelism=2'], { steps: { shard: { job } } })).toEqual({
      shard: { job: { spec: { suspend: true, parallelism: 2 } } },
    });
    expect(given([], { job: { spec: { suspend: 1 } }, steps: { train: { job }, shard: { job: [] } } })).toEqual([
      '--override a.yaml: job.spec.suspend: must be true or false, not 1',
      '--override a.yaml: steps.shard.job: must be part of a Job, not []',
      "--override a.yaml: steps.train.job: is set, and the step runs as a Pod; leave it out, or set runAs: 'Job' of the task or step",
    ]);
  });
});

describe('the Job of a launch', () => {
  it('of a single task has the fields of its Job in it, under the policy, and none that are not its own', () => {
    const policy = { cluster: 'eu', template: {}, job: { spec: { suspend: true } } };
    const { jobTemplate } = plan.spec;
    const { labels } = jobTemplate.metadata!;
    const held: PlanCronJob = {
      ...plan,
      spec: {
        ...plan.spec,
        jobTemplate: {
          metadata: { labels, annotations: { 'cdk8s-workflows.dev/policy': JSON.stringify(policy) } },
          spec: { ...jobTemplate.spec, backoffLimit: 2, activeDeadlineSeconds: 60 },
        },
      },
    };
    const job = { metadata: { labels: { team: 'ml', ...labels } }, spec: { activeDeadlineSeconds: 90 } };
    const made = taskRun(held, 'r', {}, { override: { train: { job } } });
    expect(made.metadata.labels).toMatchObject({ team: 'ml', ...labels });
    expect(made.spec).toMatchObject({ suspend: true, backoffLimit: 2, activeDeadlineSeconds: 90 });
    const told = taskJobProblems(held, { '*': { job: { spec: { suspend: false, backoffLimit: 3 } as never } } });
    expect(told.map(formatProblem)).toEqual([
      'job.spec.suspend: is false and must be true: run override of this launch set it, cluster policy of eu holds it; leave it out of the run override, or have the policy changed',
      "job.spec.backoffLimit: is not an author's to set (run override of this launch); attempts are the step's: set retries",
    ]);
  });
});

describe('the Job of a step that a launch changes', () => {
  const step: TaskStep = {
    kind: 'task',
    name: 'shard',
    task: 't',
    template: 't',
    inputs: {},
    runAs: 'Job',
    outputs: { properties: { n: { type: 'integer' } }, required: [] },
    job: { fields: { spec: { fields: { parallelism: { input: 'n' }, activeDeadlineSeconds: { value: 60 } } } } },
  };
  const policy = { kind: 'cluster policy', source: 'eu', job: { spec: { suspend: true } } } as const;
  const told = (spec: object, of: TaskStep = step) =>
    stepJobProblems(of, policy, { run: 'this launch' }, { shard: { job: { spec } } }).map(formatProblem);

  it('is refused with the layer where it would be none, and taken where only a value is not known yet', () => {
    expect(told({ parallelism: 3, activeDeadlineSeconds: null })).toEqual([]);
    expect(told({ parallelism: 0, suspend: false })).toEqual([
      expect.stringContaining('job.spec.suspend: is false and must be true: run override of this launch set it'),
      'job.spec.parallelism: must be at least 1, not 0 (run override of this launch); leave it out, or raise it',
    ]);
    expect(told({ completions: 2 })).toEqual([expect.stringContaining('which of the pods gives the outputs')]);
    expect(told({ parallelism: 0 }, { ...step, runAs: 'Pod' })).toEqual([]);
  });
});
