/** What the compiler refuses of steps that are runs of their own. */
import { Chart, Duration } from 'cdk8s';
import {
  ContainerTask,
  failed,
  LaunchPlan,
  planNamed,
  Workflow,
  z,
  type Reference,
  type WorkflowBuilder,
} from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const count = new ContainerTask(chart, 'count', {
  image: 'etl',
  inputs: { site: z.string() },
  outputs: { rows: z.int() },
});
const inputs = { site: z.string(), day: z.string().default('today') };
const inner = new Workflow(chart, 'inner', { inputs }, ({ inputs: given, step }) => {
  return { rows: step('count', count, { site: given.site }).outputs.rows };
});
const plan = new LaunchPlan(chart, 'plan', { workflow: inner });
const named = planNamed('later', { inputs, outputs: { rows: z.int() } });

type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;
declare function build(check: <S>(workflow: WorkflowBuilder<{ site: z.ZodString; count: z.ZodInt }, S>) => void): void;

describe('a run as a step', () => {
  test('gives the outputs of the workflow, of their types', () =>
    build(({ inputs: given, step }) => {
      const run = step.run('a', inner, { site: given.site });
      const launched = step.launch('b', plan, { site: given.site }).after(failed(run));
      const later = step.launch('c', named);
      expectTypeOf<ValueOf<typeof run.outputs.rows>>().toEqualTypeOf<number>();
      expectTypeOf<ValueOf<typeof launched.outputs.rows>>().toEqualTypeOf<number>();
      void later.outputs;
      expectTypeOf<ValueOf<typeof later.outputs.rows>>().toEqualTypeOf<number>();
      // @ts-expect-error there is no such output
      void launched.outputs.row;
      // @ts-expect-error rows are numbers
      step('d', count, { site: run.outputs.rows });
    }));

  test('takes the inputs of the workflow, and of a plan those that the author wants', () =>
    build(({ inputs: given, step }) => {
      step.launch('a', plan);
      step.launch('b', named, { day: given.site });
      // @ts-expect-error site is missing
      step.run('c', inner, {});
      // @ts-expect-error a count is no site
      step.run('d', inner, { site: given.count });
      // @ts-expect-error a count is no site
      step.launch('e', plan, { site: given.count });
      // @ts-expect-error there is no such input
      step.launch('f', named, { sites: 'x' });
    }));

  test('has options of a run, and none of a pod', () =>
    build(({ step }) => {
      step.run(
        'a',
        inner,
        { site: 'x' },
        { retries: 3, attemptTimeout: Duration.hours(1), parallelism: 2, maxDepth: 3 },
      );
      step.run('d', inner, { site: 'x' }, { cluster: 'gpu-eu' });
      step.launch('e', plan, {}, { cluster: 'gpu-eu' });
      // @ts-expect-error a run is on one cluster, which the step names
      step.run('f', inner, { site: 'x' }, { cluster: { matchLabels: { gpu: 'a100' } } });
      // @ts-expect-error a run has no pod
      step.run('b', inner, { site: 'x' }, { resources: { limits: { cpu: 1 } } });
      // @ts-expect-error the plan says how many of its steps run at once
      step.launch('c', plan, {}, { parallelism: 2 });
    }));
});
