/** What the compiler refuses of workflows within workflows. */
import { Chart } from 'cdk8s';
import { ContainerTask, failed, gt, Workflow, z, type Reference, type WorkflowBuilder } from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const extract = new ContainerTask(chart, 'extract', {
  image: 'etl',
  inputs: { site: z.string() },
  outputs: { rows: z.int(), uri: z.string() },
});
const nothing = new ContainerTask(chart, 'nothing', { image: 'etl' });
const prepare = new Workflow(
  chart,
  'prepare',
  { inputs: { site: z.string(), day: z.string().default('today') } },
  ({ inputs, step }) => {
    const raw = step('extract', extract, { site: inputs.site });
    return { rows: raw.outputs.rows, day: inputs.day };
  },
);
const silent = new Workflow(chart, 'silent', {}, ({ step }) => void step('nothing', nothing));

type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;
declare function build(check: <S>(workflow: WorkflowBuilder<{ site: z.ZodString; count: z.ZodInt }, S>) => void): void;

describe('a workflow as a step', () => {
  test('gives the outputs of the workflow, of their types', () =>
    build(({ inputs, step }) => {
      const part = step('a', prepare, { site: inputs.site });
      expectTypeOf<ValueOf<typeof part.outputs.rows>>().toEqualTypeOf<number>();
      expectTypeOf<ValueOf<typeof part.outputs.day>>().toEqualTypeOf<string>();
      step('b', extract, { site: part.outputs.day }).when(gt(part.outputs.rows, 0));
      step('c', nothing).after(part, failed(part));
      step('c2', nothing).after(step('d', silent).after(part));
      // @ts-expect-error there is no such output
      void part.outputs.uri;
      // @ts-expect-error rows are numbers
      step('e', extract, { site: part.outputs.rows });
    }));

  test('takes the inputs of the workflow', () =>
    build(({ inputs, step }) => {
      step('a', prepare, { site: 'x', day: inputs.site });
      // @ts-expect-error site is missing
      step('b', prepare, {});
      // @ts-expect-error site is missing
      step('c', prepare);
      // @ts-expect-error a count is no site
      step('d', prepare, { site: inputs.count });
      // @ts-expect-error there is no such input
      step('e', prepare, { site: 'x', sites: 'y' });
    }));

  test('has no pod of its own to override', () =>
    build(({ inputs, step }) => {
      // @ts-expect-error its steps have pods, and settings of their own
      step('a', prepare, { site: inputs.site }).override({ retries: 2 });
    }));

  test('belongs to the workflow that it is a step of', () =>
    build(({ inputs, step }) => {
      const part = step('a', prepare, { site: inputs.site });
      new Workflow(chart, 'other', {}, ({ step: inner }) => {
        // @ts-expect-error an output of another workflow
        inner('b', extract, { site: part.outputs.day });
        // @ts-expect-error a step of another workflow
        inner('c', nothing).after(part);
      });
    }));
});
