import { Duration } from 'cdk8s';
import { ContainerTask, mutex, Workflow, z, type StepOverride, type WorkflowBuilder } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { IndexedMapStep } from '../../lib/graph/graph.ts';
import { find, synth, synthProblems } from './support.ts';

const asOne = { runAs: 'IndexedJob' } as const;

const tasks = (scope: Construct) => ({
  score: new ContainerTask(scope, 'score', {
    image: 'i:1',
    inputs: { shard: z.string(), model: z.string() },
    outputs: { score: z.number() },
    command: ['sh', '-c', 'score "$(cat "$INPUT_SHARD_FILE")" "$INPUT_MODEL"'],
    retries: 2,
    attemptTimeout: Duration.minutes(5),
    pendingTimeout: Duration.hours(1),
  }),
});

type Builder = WorkflowBuilder<object & Record<never, never>, never>;
type Define = (workflow: Builder, all: ReturnType<typeof tasks>, scope: Construct) => void;

const workflow = (define: Define) => (chart: Construct) =>
  void new Workflow(chart, 'w', {}, (builder) => void define(builder as never, tasks(chart), chart));

function mapIn(define: Define): IndexedMapStep {
  const decoded = decodeGraph(find(synth(workflow(define)), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps.find((step) => step.kind === 'indexedMap')!;
}

describe("step.map with runAs: 'IndexedJob'", () => {
  it('is one step of the graph, with what its Job is made of', () => {
    const node = mapIn(({ step }, { score }) => {
      step
        .map('m', score, { shard: ['a', 'b'], model: 'large' }, { ...asOne, concurrency: 50, minSuccesses: 1 })
        .override({
          timeout: Duration.hours(2),
          job: { spec: { suspend: true } },
          retries: { limit: 1, unless: { exitCodes: [64] } },
        });
    });
    expect(node).toEqual({
      kind: 'indexedMap',
      runAs: 'Job',
      name: 'm',
      task: 'score',
      template: expect.stringMatching(/^w-m-/) as string,
      over: [{ input: 'shard', list: { value: ['a', 'b'] } }],
      inputs: { shard: { item: 'shard' }, model: { value: 'large' } },
      itemOutputs: { properties: { score: { type: 'number' } }, required: ['score'] },
      outputs: {
        properties: { score: { type: 'array', items: { anyOf: [{ type: 'number' }, { type: 'null' }] } } },
        required: ['score'],
      },
      concurrency: 50,
      minSuccesses: 1,
      itemRetries: { limit: 1, unless: [{ exitCodes: [64] }] },
      itemTimeoutSeconds: 300,
      pendingTimeoutSeconds: 3600,
      timeoutSeconds: 7200,
      job: { value: { spec: { suspend: true } } },
    });
  });

  it("takes what its task says of a Job, whatever the task's runAs", () => {
    const node = mapIn(({ step }, _, scope) => {
      const task = new ContainerTask(scope, 'own', {
        image: 'i:1',
        inputs: { shard: z.string() },
        job: { metadata: { labels: { queue: 'gpu' } } },
      });
      step.map('m', task, { shard: ['a'] }, asOne);
    });
    expect(node.job).toEqual({ value: { metadata: { labels: { queue: 'gpu' } } } });
  });

  it.each<[string, StepOverride, RegExp[]]>([
    ['runAs', { runAs: 'Pod' }, [/^\[w\/m\] runAs: is "Pod", and all items are one Indexed Job; leave it out/]],
    ['a cache', { cache: { version: '1' } }, [/^\[w\/m\] cache: cannot be asked for single items/]],
    ['spot', { spot: true }, [/^\[w\/m\] spot: sends the last attempt of an item elsewhere/]],
    [
      'retries with waits, a total time and more memory',
      {
        retries: {
          limit: 3,
          delay: Duration.seconds(30),
          maxElapsed: Duration.hours(1),
          resourcesAfterOOM: () => ({ limits: { memory: '8Gi' } }),
        },
      },
      [
        /^\[w\] m\.retries: says how long to wait, but between the tries of an item Kubernetes waits 10 s, 20 s, 40 s/,
        /^\[w\] m\.retries\.maxElapsed: is nothing that an Indexed Job knows; leave it out/,
        /^\[w\] m\.retries\.resourcesAfterOOM: needs another pod, and all items have the same; leave it out/,
      ],
    ],
    [
      'rules of more than exit codes',
      { retries: { limit: 3, when: [{ exitCodes: [1] }, { reasons: ['OOMKilled'] }], unless: { message: 'x' } } },
      [
        /^\[w\] m\.retries\.when\[1\]: tells failures apart by more than exit codes/,
        /^\[w\] m\.retries\.unless\[0\]: tells failures apart by more than exit codes/,
      ],
    ],
    [
      'fields of the Job that follow from the items',
      {
        job: {
          spec: {
            completions: 3,
            parallelism: 4,
            completionMode: 'NonIndexed',
            successPolicy: { rules: [{ succeededCount: 1 }] },
            podReplacementPolicy: 'TerminatingOrFailed',
          },
        },
      },
      [
        /^\[w\/m\] job\.spec\.completions: is not an author's to set; it has an index for each item: leave it out/,
        /^\[w\/m\] job\.spec\.parallelism: is not an author's to set; set concurrency of the map/,
        /^\[w\/m\] job\.spec\.completionMode: is not an author's to set/,
        /^\[w\/m\] job\.spec\.successPolicy: is not an author's to set; set minSuccesses or minSuccessRatio/,
        /^\[w\/m\] job\.spec\.podReplacementPolicy: is not an author's to set/,
      ],
    ],
    [
      'a variable that differs by item',
      { podTemplate: { spec: { containers: [{ name: 'main', env: [{ name: 'SHARD', value: '$(INPUT_SHARD)' }] }] } } },
      [
        /^\[w\/m\] podTemplate\.spec\.containers\[main\]: reads INPUT_SHARD, and .*; read the file "\$INPUT_SHARD_FILE", or leave out runAs/,
      ],
    ],
  ])('is refused with %s', (_name, override, wanted) => {
    const problems = synthProblems(
      workflow(({ step }, { score }) => {
        step.map('m', score, { shard: ['a'], model: 'x' }, asOne).override(override);
      }),
    );
    expect(problems).toHaveLength(wanted.length);
    for (const one of wanted) expect(problems).toContainEqual(expect.stringMatching(one));
  });

  it('is refused with locks, items in its pods and all other mistakes of a map at once', () => {
    const problems = synthProblems(
      workflow(({ step }, _, scope) => {
        const task = new ContainerTask(scope, 'own', {
          image: 'i:1',
          inputs: { shard: z.string() },
          args: ({ shard }) => ['--shard', shard],
          nodeSelector: ({ shard }) => ({ shard }),
          job: ({ shard }) => ({ metadata: { labels: { shard } } }),
          locks: [mutex('db')],
        });
        step.map('m', task, { shard: ['a', 3 as never] }, { ...asOne, concurrency: 0 });
      }),
    );
    for (const wanted of [
      /^\[w\/m\] locks: cannot be taken by single items of an Indexed Job; set concurrency/,
      /^\[w\/m\] podTemplate\.spec\.nodeSelector\.shard: takes its value from inputs\.shard/,
      /^\[w\/m\] job\.metadata\.labels\.shard: takes its value from inputs\.shard/,
      /^\[w\/m\] podTemplate\.spec\.containers\[main\]: reads INPUT_SHARD/,
      /^\[w\/m\] inputs\.shard\[1\]: .*3/,
      /^\[w\] m\.concurrency: must be a whole number from 1, not 0/,
    ])
      expect(problems).toContainEqual(expect.stringMatching(wanted));
  });

  it.each<[string, string, boolean]>([
    ['run "$INPUT_SHARD"', 'the variable', false],
    ['run "${INPUT_SHARD}"', 'the variable', false],
    ['run "${INPUT_SHARD-$(cat "$INPUT_SHARD_FILE")}"', 'whichever there is', true],
    ['run "$INPUT_SHARDS"', 'another variable', true],
    ['run < "$INPUT_SHARD_FILE"', 'the file', true],
  ])('with a script %j that reads %s', (script, _what, fits) => {
    const problems = synthProblems(
      workflow(({ step }, _, scope) => {
        const command = ['sh', '-c', script];
        const task = new ContainerTask(scope, 'own', { image: 'i:1', inputs: { shard: z.string() }, command });
        step.map('m', task, { shard: ['a'] }, asOne);
      }),
    );
    expect(problems).toEqual(fits ? [] : [expect.stringMatching(/reads INPUT_SHARD/)]);
  });
});
