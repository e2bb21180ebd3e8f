import { ContainerTask, LaunchPlan, TaskJob, Workflow, z, type JobOverride } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { resolve } from '../../lib/engine/resolve.ts';
import { edgesOf } from '../../lib/graph/edges.ts';
import type { Graph, TaskStep } from '../../lib/graph/graph.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { find, synth, synthProblems, type Manifest } from './support.ts';

const graphIn = (manifests: readonly Manifest[]) =>
  JSON.parse(find(manifests, 'ConfigMap').data['graph.json'] as string) as Graph;

/** What values make of the Job of the only step, or of the one named `s`. */
function filled(manifests: readonly Manifest[], inputs: JsonObject) {
  const step = graphIn(manifests).steps.find(({ name }) => name === 's') as TaskStep;
  return resolve(step.job!, {
    inputs,
    outputs: () => undefined,
    lacks: () => true,
    status: () => undefined,
    holds: () => false,
  });
}

const inputs = { replicas: z.int().optional(), queue: z.string(), mode: z.string(), code: z.int() };

const workflow =
  (task: JobOverride | undefined, outputs = {}) =>
  (chart: Construct) => {
    const trained = new ContainerTask(chart, 't', { image: 'i:1', runAs: 'Job', outputs, ...(task && { job: task }) });
    new Workflow(chart, 'w', { inputs }, ({ inputs: { replicas, queue, mode, code }, step }) => {
      step('s', trained).override({
        job: {
          metadata: { labels: { 'kueue.x-k8s.io/queue-name': queue } },
          spec: {
            parallelism: replicas,
            completions: replicas.or(2),
            completionMode: mode,
            podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42, code] } }] },
          },
        },
      });
    });
  };

describe('values of a workflow in the Job of a step', () => {
  const given = { queue: 'gpu', mode: 'Indexed', code: 7 };
  const values = {
    metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' } },
    spec: {
      completionMode: 'Indexed',
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42, 7] } }] },
    },
  };

  it('are in the graph, each in its place', () => {
    expect(filled(synth(workflow(undefined)), { ...given, replicas: 4 })).toEqual({
      ...values,
      spec: { ...values.spec, parallelism: 4, completions: 4 },
    });
  });

  it('leave what is below them where none was given', () => {
    expect(filled(synth(workflow(undefined)), given)).toEqual({ ...values, spec: { ...values.spec, completions: 2 } });
    expect(filled(synth(workflow({ spec: { parallelism: 3 } })), given)).toEqual({
      ...values,
      spec: { ...values.spec, parallelism: 3, completions: 2 },
    });
  });

  it('are passed over by what is checked at synth, and all else is not', () => {
    expect(synthProblems(workflow({ spec: { completions: 3 } }, { loss: z.number() }))).toEqual([]);
    expect(synthProblems(workflow({ spec: { parallelism: 0, activeDeadlineSeconds: 0 } }))).toEqual([
      '[w/s] job.spec.parallelism: must be at least 1, not 0; leave it out, or raise it',
      '[w/s] job.spec.activeDeadlineSeconds: must be at least 1, not 0; leave it out, or raise it',
    ]);
  });

  it('make the steps that give them come first', () => {
    const manifests = synth((chart) => {
      const measure = new ContainerTask(chart, 'm', { image: 'm:1', outputs: { shards: z.int() } });
      const task = new ContainerTask(chart, 't', { image: 'i:1', runAs: 'Job' });
      new Workflow(chart, 'w', {}, ({ step }) => {
        const { shards } = step('measure', measure).outputs;
        step('s', task).override({ job: { spec: { completions: shards } } });
      });
    });
    expect(edgesOf(graphIn(manifests))).toEqual([{ from: 'measure', to: 's', kind: 'data', labels: ['shards'] }]);
  });

  it('are refused where they are of another workflow, or no run would know them', () => {
    const problems = synthProblems((chart) => {
      const task = new ContainerTask(chart, 't', { image: 'i:1', runAs: 'Job' });
      new Workflow(chart, 'v', { inputs: { n: z.int() } }, ({ inputs }) => {
        const job = { spec: { parallelism: inputs.n as never } };
        new Workflow(chart, 'w', {}, ({ step }) => void step('s', task).override({ job }));
        new TaskJob(chart, 'job', { task, override: { job } });
        new LaunchPlan(chart, 'plan', { task: new ContainerTask(chart, 'u', { image: 'i:1', job }) });
      });
    });
    expect(problems.toSorted()).toMatchInlineSnapshot(`
      [
        "[job] job.spec.parallelism: inputs.n is not known at synth, where this Job is made; give a value, or an input of the task",
        "[plan] job.spec.parallelism: inputs.n is not known at synth, where this Job is made; give a value, or an input of the task",
        "[w/s] job.spec.parallelism: inputs.n belongs to another workflow; pass it in as an input of this workflow",
      ]
    `);
  });
});

describe('inputs of a task in the Job around its pod', () => {
  const sized = (chart: Construct) =>
    new ContainerTask(chart, 't', {
      image: 'i:1',
      runAs: 'Job',
      inputs: { replicas: z.int(), queue: z.string().optional() },
      job: ({ replicas, queue }) => ({
        metadata: { labels: { queue } },
        spec: { parallelism: replicas, completions: replicas, completionMode: 'Indexed' },
      }),
    });
  const spec = { parallelism: 3, completions: 3, completionMode: 'Indexed' };

  it('are values where a step or a single task gives values', () => {
    const manifests = synth((chart) => {
      const task = sized(chart);
      new Workflow(chart, 'w', {}, ({ step }) => void step('s', task, { replicas: 3 }));
      new TaskJob(chart, 'job', { task, inputs: { replicas: 3, queue: 'gpu' } });
      new LaunchPlan(chart, 'plan', { task, inputs: { replicas: 3 } });
    });
    expect(graphIn(manifests).steps[0]).toMatchObject({ job: { value: { metadata: { labels: {} }, spec } } });
    expect(find(manifests, 'Job')).toMatchObject({ metadata: { labels: { queue: 'gpu' } }, spec });
    const plan = find(manifests, 'CronJob');
    expect(plan.spec.jobTemplate).toMatchObject({ spec });
    expect(plan.metadata.annotations).toMatchObject({ 'cdk8s-workflows.dev/fixed-inputs': '["queue","replicas"]' });
  });

  it('become what the workflow knows where a step gives that', () => {
    const manifests = synth((chart) => {
      const task = sized(chart);
      new Workflow(chart, 'w', { inputs: { n: z.int() } }, ({ inputs, step }) => {
        step('s', task, { replicas: inputs.n, queue: 'gpu' });
      });
    });
    expect(filled(manifests, { n: 3 })).toEqual({ metadata: { labels: { queue: 'gpu' } }, spec });
  });

  it('are checked at synth where they are known then', () => {
    const problems = synthProblems((chart) => {
      const task = sized(chart);
      new Workflow(chart, 'w', {}, ({ step }) => void step('s', task, { replicas: 0 }));
      new TaskJob(chart, 'job', { task, inputs: { replicas: 0 } });
    });
    expect(problems).toEqual(
      ['w/s', 'w/s', 'job', 'job'].map((path, index) =>
        expect.stringContaining(`[${path}] job.spec.${['completions', 'parallelism'][index % 2]}: must be at least 1`),
      ),
    );
  });
});
