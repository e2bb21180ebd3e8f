import { Chart } from 'cdk8s';
import { ContainerTask, z, type Reference, type WorkflowBuilder } from 'cdk8s-workflows';
import { expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const score = new ContainerTask(chart, 'score', {
  image: 'i',
  inputs: { shard: z.string() },
  outputs: { score: z.number() },
});

declare function build(check: <S>(workflow: WorkflowBuilder<Record<never, never>, S>) => void): void;
declare function valueOf<T, S>(reference: Reference<T, S>): T;

test('a map as one Job gives what a map gives', () =>
  build(({ step }) => {
    const all = step.map('m', score, { shard: ['a'] }, { runAs: 'IndexedJob' });
    expectTypeOf(valueOf(all.outputs.score)).toEqualTypeOf<number[]>();
    const some = step.map('n', score, { shard: ['a'] }, { runAs: 'IndexedJob', minSuccesses: 1 });
    expectTypeOf(valueOf(some.outputs.score)).toEqualTypeOf<(number | null)[]>();
  }));

test('items run by themselves, as their task says, or as one Job', () =>
  build(({ step }) => {
    // @ts-expect-error that is said of the task
    step.map('m', score, { shard: ['a'] }, { runAs: 'Pod' });
  }));
