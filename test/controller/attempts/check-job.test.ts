import { describe, expect, it } from 'vitest';
import { runtimeJob } from '../../../lib/controller/attempts/check-job.ts';
import type { TaskStep } from '../../../lib/graph/graph.ts';
import type { ValueSource } from '../../../lib/graph/value-source.ts';
import type { JobOverride } from '../../../lib/pods/job-template.ts';
import type { JsonObject } from '../../../lib/values/json.ts';
import { formatProblem, InvalidError } from '../../../lib/values/problems.ts';

const inSpec = (fields: Readonly<Record<string, ValueSource>>): ValueSource => ({ fields: { spec: { fields } } });
const rules = (codes: ValueSource) =>
  inSpec({
    podFailurePolicy: {
      fields: { rules: { list: [{ fields: { onExitCodes: { fields: { values: codes } } } }] } },
    },
  });

function problemsOf(job: ValueSource, made: JsonObject, outputs = false): readonly string[] {
  const step = { kind: 'task', name: 's', task: 't', template: 't', inputs: {}, job } as TaskStep;
  try {
    const given = { properties: { n: { type: 'integer' } }, required: [] } as const;
    runtimeJob({ ...step, ...(outputs && { outputs: given }) }, 's', { job: made }, { run: 'r' });
  } catch (error) {
    if (error instanceof InvalidError) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}

describe('the Job of a map as one', () => {
  const step = { kind: 'indexedMap', runAs: 'Job', name: 's', task: 't', template: 't', inputs: {}, over: [] } as const;
  const said = (jobOverride: JobOverride, policy?: JobOverride) =>
    runtimeJob(
      step,
      's',
      {
        job: { spec: { suspend: true } },
        ...(policy && { policy: { kind: 'cluster policy', source: 'eu', job: policy } }),
      },
      { run: 'r', plan: 'p', jobOverride },
    );

  it('is changed by a plan and held to by a policy as any Job around a pod', () => {
    const policy = { metadata: { labels: { queue: 'eu' } } };
    expect(said({ spec: { activeDeadlineSeconds: 9 } }, policy)).toEqual({
      metadata: { labels: { queue: 'eu' } },
      spec: { suspend: true, activeDeadlineSeconds: 9 },
    });
    expect(() => said({ metadata: { labels: { queue: 'us' } } }, policy)).toThrow(InvalidError);
  });

  it('has its number of pods from the map, and may tell failures of items apart', () => {
    expect(() => said({ spec: { parallelism: 2 } })).toThrow(/plan override of p\); set concurrency of the map/);
    const rule = { action: 'FailIndex', onExitCodes: { operator: 'In', values: [3] } };
    expect(() => said({ spec: { podFailurePolicy: { rules: [rule] } } })).not.toThrow();
  });
});

describe('the Job that values made', () => {
  const count = { input: 'n' } as const;
  const refused = { onExitCodes: { operator: 'In', values: [] }, action: 'FailJob' };

  it.each<[string, ValueSource, JsonObject, RegExp]>([
    ['too few pods', inSpec({ parallelism: count }), { spec: { parallelism: 0 } }, /^job\.spec\.parallelism: .* 0 \(/],
    [
      'half a pod',
      inSpec({ completions: count }),
      { spec: { completions: 0.5 } },
      /^job\.spec\.completions: .* 0\.5 \(/,
    ],
    ['a word', inSpec({ completionMode: count }), { spec: { completionMode: 'x' } }, /completionMode: .* "x" \(/],
    [
      'our own controller',
      inSpec({ managedBy: count }),
      { spec: { managedBy: 'cdk8s-workflows.dev/controller' } },
      /would make the step a run \(/,
    ],
    [
      'no exit codes',
      rules({ list: [count] }),
      { spec: { podFailurePolicy: { rules: [refused] } } },
      /rules\[0\]\.onExitCodes\.values: .* not \[\] \(/,
    ],
    [
      'a label that is none',
      { fields: { metadata: { fields: { labels: { fields: { 'a.b/c': count } } } } } },
      { metadata: { labels: { 'a.b/c': 'd e' } } },
      /^job\.metadata\.labels\[a\.b\/c\]: .*"a\.b\/c=d e".* \(/,
    ],
  ])('is refused with the place, the value and the input: %s', (_, job, made, problem) => {
    expect(problemsOf(job, made)).toEqual([expect.stringMatching(problem)]);
    expect(problemsOf(job, made)[0]).toContain('(from inputs.n)');
  });

  it('must say which of several pods gives the outputs', () => {
    const job = inSpec({ completions: count });
    expect(problemsOf(job, { spec: { completions: 3 } }, true)[0]).toContain(
      'which of the pods gives the outputs (from',
    );
    expect(problemsOf(job, { spec: { completions: 3, completionMode: 'Indexed' } }, true)).toEqual([]);
  });

  it('is taken as it is when it waited for none', () => {
    expect(problemsOf({ value: { spec: { newField: 1 } } }, { spec: { newField: 1 } })).toEqual([]);
  });
});

describe('the Job of a step that a run changes', () => {
  const step = { kind: 'task', name: 's', task: 't', template: 't', inputs: {}, runAs: 'Job' } as TaskStep;
  const policy = { kind: 'cluster policy', source: 'eu', job: { spec: { suspend: true } } } as const;
  const job = { spec: { parallelism: 2, activeDeadlineSeconds: 60 } };

  it('has what the plan says over what synth wrote, and the policy over both', () => {
    const run = { run: 'r', plan: 'p', jobOverride: { spec: { parallelism: 3, activeDeadlineSeconds: null } } };
    expect(runtimeJob(step, 's', { job, policy }, run)).toEqual({ spec: { parallelism: 3, suspend: true } });
    expect(runtimeJob(step, 's', {}, run)).toEqual({ spec: { parallelism: 3 } });
    expect(runtimeJob(step, 's', { job, policy }, { run: 'r' })).toBe(job);
    expect(job.spec).toEqual({ parallelism: 2, activeDeadlineSeconds: 60 });
  });

  it.each<[string, object, string]>([
    [
      'the policy',
      { spec: { suspend: false } },
      'job.spec.suspend: is false and must be true: plan override of p set it',
    ],
    [
      'Kubernetes',
      { spec: { parallelism: 0 } },
      'job.spec.parallelism: must be at least 1, not 0 (plan override of p)',
    ],
    [
      'what others do',
      { spec: { backoffLimit: 1 } },
      "job.spec.backoffLimit: is not an author's to set (plan override of p)",
    ],
    ['its type', { metadata: 3 }, 'job.metadata: must be an object (ObjectMeta), not 3 (plan override of p)'],
  ])('is refused where that contradicts %s, with the layer', (_, jobOverride, problem) => {
    const run = () =>
      runtimeJob(step, 's', { job, policy }, { run: 'r', plan: 'p', jobOverride: jobOverride as never });
    expect(run).toThrow(problem);
  });
});
