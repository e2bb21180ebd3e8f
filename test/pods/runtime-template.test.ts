import { describe, expect, it } from 'vitest';
import { runOverrideProblems, unknownStepProblems, type RunOverride } from '../../lib/pods/run-override.ts';
import { readPolicy, runtimeTemplate, type SynthesizedTemplate } from '../../lib/pods/runtime-template.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { formatProblem, InvalidError } from '../../lib/values/problems.ts';

const spec = (fields: object): PodTemplateOverride => ({ spec: fields }) as PodTemplateOverride;
const template: PodTemplate = {
  spec: { priorityClassName: 'task', containers: [{ name: 'main', image: 'etl:1' }] },
};
const held = (fields: object) => readPolicy(JSON.stringify({ cluster: 'eu', template: { spec: fields } }), '').policy!;
const run = { run: 'etl-x', plan: 'etl-site-a' };

function problemsOf(synthesized: SynthesizedTemplate, overrides: object): readonly string[] {
  try {
    runtimeTemplate('train', synthesized, { ...run, ...overrides });
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.problems.map(formatProblem);
    throw error;
  }
}

describe('the pod of a step of a run', () => {
  it('is what synth wrote, as it is, when nothing is to be merged', () => {
    const policy = held({ hostNetwork: false });
    expect(runtimeTemplate('train', { template, policy }, run)).toBe(template);
    const others: RunOverride = { load: spec({ hostNetwork: true }) };
    expect(runtimeTemplate('train', { template, policy }, { ...run, runOverride: others })).toBe(template);
  });

  it.each<[string, object, PodTemplateOverride | undefined, string]>([
    ['the template', {}, undefined, 'task'],
    ['values from inputs', {}, spec({ priorityClassName: 'values' }), 'values'],
    ['the plan', { podOverride: spec({ priorityClassName: 'plan' }) }, spec({ priorityClassName: 'values' }), 'plan'],
    [
      'the run, for all steps',
      {
        podOverride: spec({ priorityClassName: 'plan' }),
        runOverride: { '*': spec({ priorityClassName: 'all' }), load: spec({ priorityClassName: 'load' }) },
      },
      undefined,
      'all',
    ],
    [
      'the run, for this step',
      { runOverride: { train: spec({ priorityClassName: 'train' }), '*': spec({ priorityClassName: 'all' }) } },
      undefined,
      'train',
    ],
  ])('is decided by %s, where that is the highest layer', (_, overrides, values, expected) => {
    const pod = runtimeTemplate(
      'train',
      { template },
      { ...run, ...overrides },
      values && { template: values, sources: new Map() },
    );
    expect(pod.spec?.priorityClassName).toBe(expected);
    expect(template.spec?.priorityClassName).toBe('task');
  });

  it('has the policy over all of them', () => {
    const policy = held({ tolerations: [{ key: 'batch', operator: 'Exists' }], automountServiceAccountToken: false });
    const runOverride = { train: spec({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }) };
    const pod = runtimeTemplate('train', { template, policy }, { ...run, runOverride });
    expect(pod.spec?.tolerations?.map(({ key }) => key)).toEqual(['gpu', 'batch']);
    expect(pod.spec?.automountServiceAccountToken).toBe(false);
  });

  it('is refused where an override contradicts the policy, with both layers and values', () => {
    const policy = held({ hostNetwork: false, nodeSelector: { pool: 'batch' } });
    expect(
      problemsOf(
        { template, policy },
        {
          podOverride: spec({ nodeSelector: { pool: 'fast' } }),
          runOverride: { '*': spec({ hostNetwork: true }) },
        },
      ),
    ).toEqual([
      'spec.hostNetwork: is true and must be false: run override of etl-x set it, cluster policy of eu holds it; leave it out of the run override, or have the policy changed',
      'spec.nodeSelector.pool: is "fast" and must be "batch": plan override of etl-site-a set it, cluster policy of eu holds it; leave it out of the plan override, or have the policy changed',
    ]);
  });

  it('is refused where the layers make no pod, with the layer that set the field', () => {
    const mount = { name: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] };
    expect(problemsOf({ template }, { runOverride: { train: spec({ containers: [mount] }) } })).toEqual([
      expect.stringMatching(/^spec\.containers\[main\]\.volumeMounts.*run override of etl-x/),
    ]);
  });

  it('is not made without a policy that cannot be read', () => {
    expect(() => readPolicy('{"cluster":"eu"}', 'PodTemplate a')).toThrow(
      'PodTemplate a: must be a JSON object with "cluster" and "template"',
    );
    expect(readPolicy(undefined, '')).toEqual({});
  });
});

describe('an override given at a launch', () => {
  it.each<[object, readonly string[]]>([
    [{ train: { spec: { nodeSelector: { gpu: null } } } }, []],
    [{ train: 'a100' }, ['run-override: train: must be part of a pod template, not "a100"']],
    [
      { '*': { spec: { containers: [{ image: 'x' }] } } },
      [expect.stringMatching(/^run-override: \*\.spec\.containers: the item {"image":"x"} has no name/)],
    ],
  ])('%j has the problems %j', (override, problems) => {
    expect(runOverrideProblems(override as never, 'run-override').map(formatProblem)).toEqual(problems);
  });

  it('names steps that there are', () => {
    const override = { '*': {}, train: {}, tarin: {} };
    expect(unknownStepProblems(override, ['train', 'load'], 'run-override').map(formatProblem)).toEqual([
      'run-override: there is no step "tarin"; did you mean "train"?',
    ]);
  });
});
