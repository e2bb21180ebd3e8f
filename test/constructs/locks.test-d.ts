import { Chart } from 'cdk8s';
import { ContainerTask, mutex, semaphore, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import { test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const inputs = { site: z.string(), shards: z.array(z.string()), note: z.string().optional() };
const task = new ContainerTask(chart, 'task', { image: 'i' });

declare function build(check: <S>(workflow: WorkflowBuilder<typeof inputs, S>) => void): void;

test('keys are text, numbers and the like, or lists of them', () =>
  build(({ inputs: { site, shards, note }, step }) => {
    const db = semaphore('db', 2, { scope: 'run' });
    step('a', task).lock(db, mutex(1), mutex(site), mutex(['site', site, 3, true]), mutex(note.or('none')));
    // @ts-expect-error a list that is known later is no key
    step('b', task).lock(mutex(shards));
    // @ts-expect-error there is no such scope
    step('d', task).lock(mutex('db', { scope: 'cluster' }));
  }));

test('values of another workflow are no part of a key', () =>
  build(({ inputs: { site } }) => {
    new Workflow(chart, 'inner', {}, ({ step }) => {
      // @ts-expect-error an input of the outer workflow
      step('a', task).lock(mutex(site));
      // @ts-expect-error the same among others
      step('b', task).lock(mutex(['site', site]));
    });
  }));

test('locks of a task are made of its inputs, and of no workflow', () =>
  build(({ inputs: { site } }) => {
    new ContainerTask(chart, 'own', {
      image: 'i',
      inputs: { table: z.string() },
      locks: ({ table }) => [mutex(['table', table]), mutex('db')],
    });
    new ContainerTask(chart, 'other', {
      image: 'i',
      // @ts-expect-error the task does not know the workflow
      locks: [mutex(site)],
    });
  }));
