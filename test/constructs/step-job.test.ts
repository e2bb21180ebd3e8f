import { ContainerTask, Workflow, z, type JobOverride, type StepOverride } from 'cdk8s-workflows';
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
  return decoded.graph.steps[0]!;
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
        metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' } },
        spec: { suspend: false, activeDeadlineSeconds: 120, completions: 4, completionMode: 'Indexed' },
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
      'our own controller',
      { spec: { managedBy: 'cdk8s-workflows.dev/controller' } },
      ['job.spec.managedBy: is "cdk8s-workflows.dev/controller", which would make the step a run; leave it out'],
    ],
  ])('with %s', (_, job, problems) => {
    expect(synthProblems(define(job, {}))).toEqual(problems.map((problem) => `[etl/train] ${problem}`));
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
