import { describe, expect, it } from 'vitest';
import { optionInputs, parseInputFile } from '../../lib/cli/given-inputs.ts';
import { newRunName, taskInputVariables, taskRun, workflowRun } from '../../lib/runs/launch-job.ts';
import { mergeInputs, taskInputProblems } from '../../lib/runs/run-inputs.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const schema = {
  properties: {
    site: { type: 'string' },
    count: { type: 'integer', default: 1 },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['site'],
};

function merge(
  options: readonly string[],
  file: JsonObject = {},
  values: JsonObject = {},
  fixed: readonly string[] = [],
) {
  const merged = mergeInputs({ schema, values, fixed }, optionInputs(options, { values: file, problems: [] }));
  return merged.ok ? merged.values : merged.problems.map(formatProblem);
}

describe('the inputs of a launch', () => {
  it('are the plan’s, then the file’s, then the options’, then defaults', () => {
    expect(merge([], {}, { site: 'plan' })).toEqual({ site: 'plan', count: 1 });
    expect(merge([], { site: 'file' }, { site: 'plan' })).toEqual({ site: 'file', count: 1 });
    expect(merge(['site=option'], { site: 'file', count: 2 }, { site: 'plan' })).toEqual({ site: 'option', count: 2 });
  });

  it('are read as the schema wants them: text stays text, everything else is JSON', () => {
    expect(merge(['site=3', 'count=3', 'tags=["a=b"]'])).toEqual({ site: '3', count: 3, tags: ['a=b'] });
    expect(merge(['site=a=b', 'count=0'])).toEqual({ site: 'a=b', count: 0 });
    expect(merge(['site='])).toEqual({ site: '', count: 1 });
  });

  it('are refused with all their problems at once, each with the option it came by', () => {
    expect(merge(['siet=a', 'count=x', '=1', 'count=2'], { tags: 'a' }, {}, [])).toEqual([
      '--input =1: has no name; write --input name=value',
      '--input count: is given twice; give it once',
      '--input siet: is not known; did you mean "site"?',
      '--input site: is missing; give a value of type string',
      '--input count: must be integer, but is "x"',
      '--input-file tags: must be array, but is "a"',
    ]);
    expect(merge(['site=b'], {}, { site: 'a' }, ['site'])).toEqual([
      '--input site: is fixed to "a" by the plan; leave it out, or launch another plan',
    ]);
  });

  it('may have any name, and those that mean something to JavaScript are not known either', () => {
    const file = JSON.parse('{"site":"a","__proto__":{"count":2},"constructor":1}') as JsonObject;
    expect(merge([], file)).toEqual([
      '--input-file __proto__: is not known; known are site, count, tags',
      '--input-file constructor: is not known; known are site, count, tags',
    ]);
  });

  it('blame the plan for a value of its own that does not fit', () => {
    expect(merge([], {}, { site: 'a', count: 'x', gone: 1 })).toEqual([
      'input gone of the plan: is not known; known are site, count, tags',
      'input count of the plan: must be integer, but is "x"; correct the plan, or give --input count',
    ]);
  });

  it('come from a file that holds an object', () => {
    expect(parseInputFile([1], 'inputs.yaml').problems.map(formatProblem)).toEqual([
      '--input-file inputs.yaml: must hold an object of inputs by name, not [1]',
    ]);
  });
});

const plan: PlanCronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'etl', namespace: 'data', uid: 'u1' },
  spec: {
    schedule: '0 * * * *',
    jobTemplate: {
      metadata: { labels: { team: 'x' }, annotations: { 'cdk8s-workflows.dev/graph': 'g', note: 'kept' } },
      spec: {
        completions: 2,
        template: {
          spec: {
            containers: [
              {
                name: 'main',
                env: [
                  { name: 'INPUT_SITE', value: 'a' },
                  { name: 'INPUT_KEY', valueFrom: {} },
                  { name: 'MODE', value: 'b' },
                ],
              },
            ],
          },
        },
      },
    },
  },
};

describe('the Job of a launch', () => {
  it('is what the plan would make, with the inputs, owned by the plan', () => {
    expect(workflowRun(plan, 'etl-1', { b: 1, a: '2' })).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: 'etl-1',
        namespace: 'data',
        labels: { team: 'x', 'cdk8s-workflows.dev/plan': 'etl', 'app.kubernetes.io/managed-by': 'cdk8s-workflows' },
        annotations: {
          'cdk8s-workflows.dev/graph': 'g',
          note: 'kept',
          'cronjob.kubernetes.io/instantiate': 'manual',
          'cdk8s-workflows.dev/inputs': '{"a":"2","b":1}',
        },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'etl', uid: 'u1', controller: true }],
      },
      spec: plan.spec.jobTemplate.spec,
    });
  });

  it('of a single task has other values in its literal INPUT_ variables, which the kubelet does not expand', () => {
    const before = structuredClone(plan);
    const job = taskRun(plan, 'etl-1', { site: '$(MODE)' });
    const { template } = job.spec as { template: { spec: { containers: { env: unknown }[] } } };
    expect(template.spec.containers[0]!.env).toEqual([
      { name: 'INPUT_SITE', value: '$$(MODE)' },
      { name: 'INPUT_KEY', valueFrom: {} },
      { name: 'MODE', value: 'b' },
    ]);
    expect(plan).toEqual(before);
    expect(taskInputVariables(plan)).toEqual(['INPUT_SITE']);
    const given = optionInputs(['siet=1', 'SITE=2', 'mode=1']);
    expect(taskInputProblems(['INPUT_SITE'], [], given).map(formatProblem)).toEqual([
      '--input siet: is not known; did you mean "site"?',
      '--input mode: is not known; known are site',
    ]);
  });

  it('has a name of the plan and five letters that fits into a label', () => {
    expect(newRunName('etl', () => 0)).toBe('etl-bbbbb');
    const name = newRunName(`${'a'.repeat(56)}-${'b'.repeat(10)}`, () => 0.99);
    expect(name).toBe(`${'a'.repeat(56)}-99999`);
  });
});
