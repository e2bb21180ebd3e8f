/** What the compiler refuses of services. */
import { Chart } from 'cdk8s';
import { ContainerTask, z, type Reference, type WorkflowBuilder } from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const postgres = new ContainerTask(chart, 'postgres', { image: 'postgres', inputs: { user: z.string() } });
const redis = new ContainerTask(chart, 'redis', { image: 'redis' });
const count = new ContainerTask(chart, 'count', { image: 'etl', outputs: { rows: z.int() } });
const load = new ContainerTask(chart, 'load', { image: 'etl', inputs: { host: z.string(), port: z.int() } });

type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;
declare function build(check: <S>(workflow: WorkflowBuilder<Readonly<Record<never, never>>, S>) => void): void;

describe('a service', () => {
  test('gives its host, a text', () =>
    build(({ step }) => {
      const db = step.service('db', postgres, { user: 'etl' }, { readinessProbe: { tcpSocket: { port: 5432 } } });
      expectTypeOf<ValueOf<typeof db.host>>().toEqualTypeOf<string>();
      step('load', load, { host: db.host, port: 5432 }).after(step.service('cache', redis));
      // @ts-expect-error -- a host is no number
      step('wrong', load, { host: 'x', port: db.host });
      // @ts-expect-error -- it has no other outputs
      void db.outputs.port;
    }));

  test('is run by a task without outputs, with all of its inputs', () =>
    build(({ step }) => {
      // @ts-expect-error -- its outputs would never be there
      step.service('a', count);
      // @ts-expect-error -- an input is missing
      step.service('b', postgres);
      // @ts-expect-error -- no field of a probe
      step.service('c', redis, {}, { readinessProbe: { tcp: 1 } });
    }));
});
