import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkOverride } from '../../lib/cli/pods/given-override.ts';
import { overrideLines } from '../../lib/cli/pods/override-lines.ts';
import { readOverride } from '../../lib/cli/pods/read-override.ts';
import { taskRun, workflowRun } from '../../lib/runs/launch-job.ts';
import { taskPodProblems } from '../../lib/runs/launch-pods.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import { temporaryDirectory } from '../local/fixtures.ts';
import { plan } from './task-plan.ts';

const steps = [{ name: 'extract' }, { name: 'train' }, { name: 'shard', runAs: 'Job' }] as const;

/** What the options make: the override, or all that is wrong. */
function given(sets: readonly string[], file?: unknown): unknown {
  const { override, problems } = checkOverride(
    { sets, parse, ...(file !== undefined && { file: { name: 'a.yaml', content: file } }) },
    steps,
  );
  return problems.length > 0 ? problems.map(formatProblem) : override;
}
const main = (fields: object) => ({ spec: { containers: [{ name: 'main', ...fields }] } });

describe('--set', () => {
  it.each<[string, object]>([
    ['shard.job.spec.parallelism=3', { shard: { job: { spec: { parallelism: 3 } } } }],
    ['*.job.metadata.labels[a.b/queue]=gpu', { '*': { job: { metadata: { labels: { 'a.b/queue': 'gpu' } } } } }],
    ['shard.job.spec.activeDeadlineSeconds=null', { shard: { job: { spec: { activeDeadlineSeconds: null } } } }],
    ['train.spec.nodeSelector.gpu=a100', { train: { spec: { nodeSelector: { gpu: 'a100' } } } }],
    ['train.spec.nodeSelector.count=3', { train: { spec: { nodeSelector: { count: '3' } } } }],
    ['train.spec.nodeSelector[acme.dev/gpu]=a=b', { train: { spec: { nodeSelector: { 'acme.dev/gpu': 'a=b' } } } }],
    ['*.spec.hostNetwork=false', { '*': { spec: { hostNetwork: false } } }],
    ['*.spec.priority=0', { '*': { spec: { priority: 0 } } }],
    ['*.spec.priorityClassName=', { '*': { spec: { priorityClassName: '' } } }],
    ['train.spec.nodeSelector.gpu=null', { train: { spec: { nodeSelector: { gpu: null } } } }],
    [
      '*.spec.containers[main].resources.limits.memory=64Gi',
      { '*': main({ resources: { limits: { memory: '64Gi' } } }) },
    ],
    [
      '*.spec.containers[main].resources.limits[nvidia.com/gpu]=2',
      { '*': main({ resources: { limits: { 'nvidia.com/gpu': '2' } } }) },
    ],
    ['*.spec.containers[main].env[DEBUG].value=1', { '*': main({ env: [{ name: 'DEBUG', value: '1' }] }) }],
    ['*.spec.containers[main].env[DEBUG]=null', { '*': main({ env: [{ name: 'DEBUG', $patch: 'delete' }] }) }],
    ['*.spec.containers[main].ports[8080].name=web', { '*': main({ ports: [{ containerPort: 8080, name: 'web' }] }) }],
    [
      '*.spec.containers[main].livenessProbe.httpGet.port=8080',
      { '*': main({ livenessProbe: { httpGet: { port: 8080 } } }) },
    ],
    ['*.spec.containers[main].args=["--fast", a b]', { '*': main({ args: ['--fast', 'a b'] }) }],
    [
      'train.spec.tolerations=[{key: a100, operator: Exists}]',
      { train: { spec: { tolerations: [{ key: 'a100', operator: 'Exists' }] } } },
    ],
  ])('%s', (set, override) => {
    expect(given([set])).toEqual(override);
  });

  it('comes several times, into one item of a list', () => {
    const path = '*.spec.containers[main]';
    expect(given([`${path}.image=train:2`, `${path}.resources.limits.cpu=4`, `${path}.env[A].value=b`])).toEqual({
      '*': main({ image: 'train:2', resources: { limits: { cpu: '4' } }, env: [{ name: 'A', value: 'b' }] }),
    });
  });

  it('is refused with all that is wrong at once', () => {
    expect(
      given([
        'trian.spec.priority=1',
        'train.spec.nodeSelecto.gpu=a100',
        'train.spec.priority=high',
        'train.spec.hostNetwork=yes',
        'train.spec.containers.main.image=x',
        'train.spec.tolerations[0].key=a',
        'train.spec.priorityClassName.x=a',
        'train.spec.nodeSelector=a',
        'train.spec.containers[main].resources.limits.memory=lots',
        'train.spec.containers[0].image=x',
        'train.spec.containers[main].name=x',
        'train.spec.volumes=[{emptyDir: {}}, {name: d, hostpath: {}}]',
        'train.spec.nodeSelector.__proto__=x',
        '',
        'train',
        'train=3',
        'train.spec.priority=2',
      ]),
    ).toEqual([
      '--set : has no value; write --set <step>.<field>[<item>].<field>=<value>',
      '--set train: has no value; write --set <step>.<field>[<item>].<field>=<value>',
      '--set train=3: names no step and field; write --set <step>.<field>[<item>].<field>=<value>',
      '--set train.spec.priority: is given twice; give it once',
      '--set trian.spec.priority: there is no step "trian"; did you mean "train"?',
      '--set train.spec.nodeSelecto.gpu: nodeSelecto is no field of PodSpec; did you mean "nodeSelector"?',
      '--set train.spec.priority: must be a whole number, not "high"',
      '--set train.spec.hostNetwork: must be true or false, not "yes"',
      '--set train.spec.containers.main.image: containers is a list; name the item by its name: containers[main]',
      "--set train.spec.tolerations[0].key: tolerations is a list that is replaced whole; give all of it: --set 'train.spec.tolerations=[...]'",
      '--set train.spec.priorityClassName.x: priorityClassName has no field "x": it is a value',
      '--set train.spec.nodeSelector: "a" cannot be read as an object',
      '--set train.spec.containers[main].resources.limits.memory: must be a quantity such as "500m", "2" or "8Gi", not "lots"',
      '--set train.spec.containers[0].image: containers has its items by their name, and they are not counted; write containers[<name>]',
      '--set train.spec.containers[main].name: name is what the item is found by, and cannot be changed',
      '--set train.spec.nodeSelector.__proto__: has a name that nothing can have',
      '--set train.spec.volumes[d].hostpath: is no field of Volume; did you mean "hostPath"?',
      '--set train.spec.volumes: the item {"emptyDir":{}} has no name; items are merged by name: set it',
    ]);
  });
});

describe('--override', () => {
  it('is part of a pod template for every step, and under steps for one', () => {
    expect(given([], { spec: { priority: 1 } })).toEqual({ '*': { spec: { priority: 1 } } });
    expect(given([], { spec: { priority: 1 }, steps: { train: { spec: { priority: 2 } } } })).toEqual({
      '*': { spec: { priority: 1 } },
      train: { spec: { priority: 2 } },
    });
    expect(given([], {})).toBeUndefined();
  });

  it('has --set written over it, also over what it removes', () => {
    const file = { steps: { train: { ...main({ image: 'a', env: [{ name: 'A', value: '1' }] }) } } };
    expect(given(['train.spec.containers[main].env[A].value=2'], file)).toEqual({
      train: main({ image: 'a', env: [{ name: 'A', value: '2' }] }),
    });
    expect(given(['*.spec.nodeSelector.gpu=a100'], { spec: { nodeSelector: null } })).toEqual({
      '*': { spec: { nodeSelector: { $patch: 'replace', gpu: 'a100' } } },
    });
    expect(file.steps.train.spec.containers[0]).toEqual({ name: 'main', image: 'a', env: [{ name: 'A', value: '1' }] });
  });

  it.each<[unknown, readonly string[]]>([
    ['a100', ['--override a.yaml: must hold part of a pod template, not "a100"']],
    [
      { sepc: {}, steps: [] },
      [
        '--override a.yaml: sepc: is no field of a pod template; did you mean "spec"?',
        '--override a.yaml: steps: must be an object, not []',
      ],
    ],
    [
      {
        spec: { containers: [{ name: 'main', comand: [] }] },
        steps: { trian: {}, train: { spec: { priority: '1' } }, '*': {} },
      },
      [
        '--override a.yaml: steps.trian: there is no step "trian"; did you mean "train"?',
        '--override a.yaml: steps.*: there is no step "*"; what is for all steps stands at the top of the file',
        '--override a.yaml: spec.containers[main].comand: is no field of Container; did you mean "command"?',
        '--override a.yaml: steps.train.spec.priority: must be a whole number, not "1"; remove the quotes',
      ],
    ],
    [
      { spec: { containers: [{ image: 'x' }, { name: 'main', image: 3 }] } },
      [
        '--override a.yaml: spec.containers[main].image: must be a string, not 3; quote it',
        '--override a.yaml: spec.containers: the item {"image":"x"} has no name; items are merged by name: set it',
      ],
    ],
    [null, ['--override a.yaml: must hold part of a pod template, and is empty']],
  ])('%j is refused', (file, problems) => {
    expect(given([], file)).toEqual(problems);
  });
});

describe('the file of --override', () => {
  it.each([
    ['nosuch.yaml', undefined, 'cannot be read: ENOENT: no such file or directory'],
    ['two.yaml', 'spec: {}\n---\nspec: {}\n', 'cannot be read: it holds several documents; leave one'],
    ['open.yaml', 'spec: {a: [\n', 'cannot be read: Flow sequence in block collection'],
    [
      'twice.yaml',
      'spec: {nodeSelector: {a: b, a: c}}',
      'cannot be read: Map keys must be unique at line 1, column 29',
    ],
    ['.', undefined, 'cannot be read: EISDIR'],
  ])('%s is refused', async (name, text, message) => {
    using directory = temporaryDirectory();
    if (text !== undefined) writeFileSync(join(directory.path, name), text);
    const read = readOverride(directory.path, { override: name });
    await expect(read).rejects.toThrow(`--override ${name} ${message}`);
  });
});

describe('an override as lines', () => {
  it('is the options that would make it', () => {
    const sets = [
      '*.spec.containers[main].env[DEBUG]=null',
      '*.spec.containers[main].resources.limits[nvidia.com/gpu]=2',
      '*.spec.hostNetwork=false',
      'train.spec.nodeSelector[acme.dev/gpu]=a100',
      'train.spec.priority=null',
      'train.spec.tolerations=[{"key":"a100","operator":"Exists"}]',
    ];
    const override = given(sets) as JsonObject;
    expect(overrideLines(override)).toEqual(sets);
    expect(given(overrideLines(override))).toEqual(override);
  });
});

describe('the Job of a launch', () => {
  it('carries the override to whoever sequences the run', () => {
    const { metadata } = workflowRun(plan, 'r', {}, { override: { train: { spec: { priority: 1 } } } });
    expect(metadata.annotations?.['cdk8s-workflows.dev/run-override']).toBe('{"train":{"spec":{"priority":1}}}');
    expect(workflowRun(plan, 'r', {}).metadata.annotations).not.toHaveProperty('cdk8s-workflows.dev/run-override');
  });

  it('of a single task has it in its pod, under the policy', () => {
    const before = structuredClone(plan);
    const { spec } = taskRun(
      plan,
      'r',
      { site: 'b' },
      { override: { '*': { spec: { nodeSelector: { gpu: 'a100' } } } } },
    );
    expect(spec).toMatchObject({
      template: {
        spec: {
          hostNetwork: false,
          nodeSelector: { gpu: 'a100' },
          containers: [{ name: 'main', image: 'train:1', env: [{ name: 'INPUT_SITE', value: 'b' }] }],
        },
      },
    });
    expect(plan).toEqual(before);
  });

  it('is not made when the policy or Kubernetes would refuse the pod, and all of that is said', () => {
    const told = (spec: object) => taskPodProblems(plan, { train: { spec } }).map(formatProblem);
    expect(
      told({ hostNetwork: true, containers: [{ name: 'main', volumeMounts: [{ name: 'd', mountPath: '/d' }] }] }),
    ).toEqual([
      'spec.hostNetwork: is true and must be false: run override of this launch set it, cluster policy of eu holds it; leave it out of the run override, or have the policy changed',
      'spec.containers[main].volumeMounts[/d]: there is no volume "d" (run override of this launch); add it to spec.volumes',
    ]);
    expect(told({ containers: [{ name: 'main', $patch: 'delete' }] })).toEqual([
      'spec.containers: is empty (task of step train), with the run override of this launch; a pod needs a container',
    ]);
  });
});
