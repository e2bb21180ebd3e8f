/** What the compiler refuses of conditions in CEL and of branches. Checked by `vitest --typecheck`, which runs tsc. */
import { Chart } from 'cdk8s';
import {
  and,
  cel,
  ContainerTask,
  gt,
  isTrue,
  Workflow,
  z,
  type Condition,
  type Reference,
  type WorkflowBuilder,
} from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const size = new ContainerTask(chart, 'size', {
  image: 'etl',
  outputs: { rows: z.int(), large: z.boolean(), tier: z.enum(['hot', 'cold']), uri: z.string() },
});
const price = new ContainerTask(chart, 'price', { image: 'etl', outputs: { price: z.number(), uri: z.string() } });
const report = new ContainerTask(chart, 'report', {
  image: 'etl',
  inputs: {
    price: z.number(),
    tier: z.enum(['hot', 'cold']).optional(),
    tags: z.array(z.object({ name: z.string() })).optional(),
  },
});

type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;

declare function build(
  check: <S>(workflow: WorkflowBuilder<{ site: z.ZodString; cost: z.ZodNumber }, S>) => void,
): void;

describe('a condition in CEL', () => {
  test('takes references of the workflow, and values', () =>
    build(({ inputs, step }) => {
      const sized = step('size', size);
      step('a', size).when(cel`${sized.outputs.rows} > ${3} && ${inputs.site} in ${['a', 'b']}`);
      step('b', size).when(and(cel`inputs.site == "a"`, gt(sized.outputs.rows.or(0), 3)));
    }));

  test('takes nothing else', () =>
    build(({ inputs, step }) => {
      // @ts-expect-error no JSON
      void cel`${inputs.site} == ${() => 3}`;
      // @ts-expect-error a condition is no value
      void cel`${inputs.site} == "a" || ${isTrue(step('size', size).outputs.large)}`;
    }));

  test('does not fit into another workflow', () =>
    build(({ inputs }) => {
      const outer: Condition<unknown> = cel`${inputs.site} == "a"`;
      void outer;
      new Workflow(chart, 'inner', {}, ({ step }) => {
        // @ts-expect-error a value of the outer workflow
        step('a', size).when(cel`${inputs.site} == "a"`);
      });
    }));
});

describe('a branch', () => {
  test('gives what any of its arms may give', () =>
    build(({ inputs, step, branch }) => {
      const sized = step('size', size);
      const joined = branch('price')
        .if(gt(sized.outputs.rows, 3), () => ({ price: step('bulk', price).outputs.price, tier: sized.outputs.tier }))
        .elseIf(isTrue(sized.outputs.large), () => ({ price: inputs.cost, tier: 'hot' }))
        .else(() => ({ price: 5, tier: 'cold' }));
      expectTypeOf<ValueOf<typeof joined.price>>().toEqualTypeOf<number>();
      expectTypeOf<ValueOf<typeof joined.tier>>().toEqualTypeOf<'hot' | 'cold'>();
      step('report', report, { price: joined.price, tier: joined.tier }).when(gt(joined.price, 3));
      const mixed = branch('mixed')
        .if(isTrue(sized.outputs.large), () => ({ it: sized.outputs.rows }))
        .else(() => ({ it: sized.outputs.uri }));
      expectTypeOf<ValueOf<typeof mixed.it>>().toEqualTypeOf<number | string>();
      const listed = branch('listed')
        .if(isTrue(sized.outputs.large), () => ({ tags: [{ name: 'large' }] }))
        .else(() => ({ tags: [] }));
      step('tagged', report, { price: 1, tags: listed.tags });
      // @ts-expect-error a string or a number for a number
      step('wrong', report, { price: mixed.it });
      // @ts-expect-error there is no such value
      void joined.total;
    }));

  test('may go without else, with values or with none', () =>
    build(({ step, branch }) => {
      const sized = step('size', size);
      const maybe = branch('maybe').if(isTrue(sized.outputs.large), () => ({ price: step('a', price).outputs.price }));
      step('report', report, { price: maybe.price.or(0) });
      branch('none')
        .if(isTrue(sized.outputs.large), () => void step('b', price))
        .elseIf(gt(sized.outputs.rows, 3), () => {
          step('c', price);
        })
        .else(() => {});
    }));

  test('has one else at most, at the end', () =>
    build(({ step, branch }) => {
      const large = isTrue(step('size', size).outputs.large);
      const ended = branch('a')
        .if(large, () => ({ it: 1 }))
        .else(() => ({ it: 2 }));
      // @ts-expect-error else twice
      void ended.else;
      // @ts-expect-error elseIf after else
      void ended.elseIf;
      // @ts-expect-error else before if
      void branch('b').else;
    }));

  test('has the same names in every arm', () =>
    build(({ step, branch }) => {
      const large = isTrue(step('size', size).outputs.large);
      const arms = branch('a').if(large, () => ({ price: 1, tier: 'hot' }));
      // @ts-expect-error tier is missing
      arms.else(() => ({ price: 2 }));
      // @ts-expect-error note is not in the first arm
      arms.else(() => ({ price: 2, tier: 'hot', note: '' }));
      // @ts-expect-error nothing for price and tier
      arms.elseIf(large, () => {});
      // @ts-expect-error something for nothing
      branch('b').if(large, () => {}).else(() => ({ price: 2 })); // prettier-ignore
    }));

  test('is of one workflow', () =>
    build(({ step, branch }) => {
      const sized = step('size', size);
      const outer = branch('a').if(isTrue(sized.outputs.large), () => ({ price: 1 }));
      new Workflow(chart, 'inner', {}, ({ step: innerStep, branch: innerBranch }) => {
        // @ts-expect-error a value of the outer workflow
        innerStep('report', report, { price: outer.price });
        // @ts-expect-error a condition on the outer workflow
        innerBranch('b').if(isTrue(sized.outputs.large), () => ({ price: 1 }));
        const large = isTrue(innerStep('size', size).outputs.large);
        // @ts-expect-error an arm with a value of the outer workflow
        innerBranch('c').if(large, () => ({ rows: sized.outputs.rows }));
        // @ts-expect-error another arm with one
        innerBranch('d').if(large, () => ({ rows: 1 })).else(() => ({ rows: sized.outputs.rows })); // prettier-ignore
      });
    }));
});
