import { ContainerTask, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { MapStep } from '../../lib/graph/graph.ts';
import { find, synth, synthProblems } from './support.ts';

const tasks = (scope: Construct) => ({
  list: new ContainerTask(scope, 'list', { image: 'i:1', outputs: { shards: z.array(z.string()) } }),
  score: new ContainerTask(scope, 'score', {
    image: 'i:1',
    inputs: { shard: z.string(), tags: z.array(z.string()).default([]), depth: z.int().optional() },
    outputs: { score: z.number(), best: z.string().optional() },
    nodeSelector: ({ shard }) => ({ shard }),
  }),
  merge: new ContainerTask(scope, 'merge', { image: 'i:1', inputs: { scores: z.array(z.number()) } }),
});

type Define = (workflow: WorkflowBuilder<object & Record<never, never>, never>, all: ReturnType<typeof tasks>) => void;

const workflow = (define: Define) => (chart: Construct) =>
  void new Workflow(chart, 'w', {}, (builder) => void define(builder as never, tasks(chart)));

function mapIn(define: Define): MapStep {
  const decoded = decodeGraph(find(synth(workflow(define)), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps.find((step) => step.kind === 'map')!;
}

describe('step.map', () => {
  it('goes over the inputs that are given a list of what they take', () => {
    const node = mapIn(({ step }, { list, score }) => {
      const shards = step('list', list).outputs.shards;
      step.map('m', score, { shard: shards, tags: ['all'], depth: [1, 2] }, { concurrency: 4, minSuccessRatio: 0.9 });
    });
    expect(node).toMatchObject({
      over: [
        { input: 'shard', list: { step: 'list', output: 'shards' } },
        { input: 'depth', list: { value: [1, 2] } },
      ],
      inputs: { shard: { item: 'shard' }, depth: { item: 'depth' }, tags: { value: ['all'] } },
      concurrency: 4,
      minSuccessRatio: 0.9,
      itemOutputs: { required: ['score'] },
      outputs: { properties: { score: { type: 'array', items: { anyOf: [{ type: 'number' }, { type: 'null' }] } } } },
    });
  });

  it('goes over lists where an input takes a list and is given lists of them', () => {
    const node = mapIn(({ step }, { score }) => step.map('m', score, { shard: ['a'], tags: [['x'], ['y', 'z']] }));
    expect(node.over.map(({ input }) => input)).toEqual(['shard', 'tags']);
  });

  it('has items in its pods', () => {
    const node = mapIn(({ step }, { score }) => step.map('m', score, { shard: ['a', 'b'] }));
    expect(node.pod).toEqual({
      fields: { spec: { fields: { nodeSelector: { fields: { shard: { item: 'shard' } } } } } },
    });
  });

  it('takes lists with references in them', () => {
    const node = mapIn(({ step }, { list, score }) => {
      const { shards } = step('list', list).outputs;
      step.map('m', score, { shard: 'a', tags: [shards, ['x']] });
    });
    expect(node.over).toEqual([
      { input: 'tags', list: { list: [{ step: 'list', output: 'shards' }, { value: ['x'] }] } },
    ]);
  });

  it('makes one pod template, whatever the items', () => {
    const manifests = synth(workflow(({ step }, { score }) => step.map('m', score, { shard: ['a', 'b', 'c'] })));
    expect(manifests.filter(({ kind }) => kind === 'PodTemplate')).toHaveLength(1);
  });

  it('is refused with all that is wrong', () => {
    const problems = synthProblems(
      workflow(({ step }, { score }) => {
        step.map('items', score, { shard: ['a', 3 as never], depth: [1.5] }, { concurrency: 0, minSuccesses: -1 });
        step.map('none', score, { shard: 'a' });
        step.map('both', score, { shard: ['a'] }, { minSuccesses: 1, minSuccessRatio: 2 });
        step.map('m'.repeat(60), score, { shard: ['a'] });
        step('items-3', score, { shard: 'a' });
      }),
    );
    for (const wanted of [
      /^\[w\/items\] inputs\.shard\[1\]: .*3/,
      /^\[w\/items\] inputs\.depth\[0\]: .*1\.5/,
      /^\[w\] items\.concurrency: must be a whole number from 1, not 0/,
      /^\[w\] items\.minSuccesses: must be a whole number from 0, not -1/,
      /^\[w\] none\.inputs: has no list to go over; give an input a list of its values, or use step\(\.\.\.\)/,
      /^\[w\] both\.minSuccessRatio: must be from 0 to 1, not 2/,
      /^\[w\] both\.minSuccesses: and minSuccessRatio are both set; leave one of them out/,
      /^\[w\] m{60}: the name of a map step has at most 58 characters/,
      /^\[w\] items-3: is named as item 3 of step "items"; rename it/,
    ])
      expect(problems).toContainEqual(expect.stringMatching(wanted));
  });
});
