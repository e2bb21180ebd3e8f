import { Chart } from 'cdk8s';
import { ContainerTask, z, type Reference, type WorkflowBuilder } from 'cdk8s-workflows';
import { expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const list = new ContainerTask(chart, 'list', {
  image: 'i',
  outputs: { shards: z.array(z.string()), numbers: z.array(z.int()) },
});
const score = new ContainerTask(chart, 'score', {
  image: 'i',
  inputs: { shard: z.string(), depth: z.int().optional() },
  outputs: { score: z.number() },
});
const merge = new ContainerTask(chart, 'merge', { image: 'i', inputs: { scores: z.array(z.number()) } });

declare function build(check: <S>(workflow: WorkflowBuilder<Record<never, never>, S>) => void): void;
type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;

test('a map takes lists of what its task takes, and gives lists of what its task gives', () =>
  build(({ step }) => {
    const { shards } = step('list', list).outputs;
    const scores = step.map('m', score, { shard: shards, depth: [1, 2] });
    expectTypeOf<ValueOf<typeof scores.outputs.score>>().toEqualTypeOf<number[]>();
    step('merge', merge, { scores: scores.outputs.score });
    step.map('mixed', score, { shard: ['a', 'b'], depth: 3 });
  }));

test('a map whose items may fail has null in their places', () =>
  build(({ step }) => {
    const some = step.map('m', score, { shard: ['a'] }, { minSuccesses: 1 });
    expectTypeOf<ValueOf<typeof some.outputs.score>>().toEqualTypeOf<(number | null)[]>();
    // @ts-expect-error merge takes no null
    step('merge', merge, { scores: some.outputs.score });
  }));

test('a map takes nothing else', () =>
  build(({ step }) => {
    const { numbers } = step('list', list).outputs;
    // @ts-expect-error a shard is text
    step.map('a', score, { shard: numbers });
    // @ts-expect-error shard is required
    step.map('b', score, { depth: [1] });
    // @ts-expect-error there is no such input
    step.map('c', score, { shard: ['a'], dpeth: [1] });
    // @ts-expect-error concurrency is a number
    step.map('d', score, { shard: ['a'] }, { concurrency: 'all' });
    // @ts-expect-error a step that is no map takes no list
    step('e', score, { shard: ['a'] });
  }));
