import {
  ContainerTask,
  LaunchPlan,
  mutex,
  Run,
  semaphore,
  TaskJob,
  Workflow,
  WorkflowController,
  z,
  type Lock,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { LockSource } from '../../lib/graph/locks.ts';
import { find, synth, synthProblems } from './support.ts';

const etl = (chart: Construct, ...locks: readonly Lock<never>[]) =>
  new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ inputs, step }) => {
    const load = new ContainerTask(chart, 'load', {
      image: 'i:1',
      inputs: { site: z.string(), table: z.string().default('rows') },
      outputs: { rows: z.int() },
      locks: ({ site, table }) => [mutex(['table', site, table])],
    });
    const report = new ContainerTask(chart, 'report', { image: 'i:1' });
    const loaded = step('load', load, { site: inputs.site }).lock(...locks);
    step('report', report).lock(mutex(loaded.outputs.rows), mutex('report', { scope: 'run' }));
    step.map('each', load, { site: ['a', 'b'] }).lock(semaphore('connections', 4, { scope: 'controller' }));
  });

function locksOf(define: (chart: Construct) => void): Record<string, readonly LockSource[] | undefined> {
  const decoded = decodeGraph(find(synth(define), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return Object.fromEntries(decoded.graph.steps.map((step) => [step.name, 'locks' in step ? step.locks : undefined]));
}

describe('locks', () => {
  it('of a task and of its step are together in the graph, with values in their keys', () => {
    const table = { value: 'rows' };
    expect(locksOf((chart) => void etl(chart, mutex('db')))).toEqual({
      load: [
        { key: { list: [{ value: 'table' }, { input: 'site' }, table] }, limit: 1, scope: 'namespace' },
        { key: { value: 'db' }, limit: 1, scope: 'namespace' },
      ],
      report: [
        { key: { step: 'load', output: 'rows' }, limit: 1, scope: 'namespace' },
        { key: { value: 'report' }, limit: 1, scope: 'run' },
      ],
      each: [
        { key: { list: [{ value: 'table' }, { item: 'site' }, table] }, limit: 1, scope: 'namespace' },
        { key: { value: 'connections' }, limit: 4, scope: 'controller' },
      ],
    });
  });

  it.each([
    ['a limit of 0', semaphore('db', 0), 'locks[1].limit: must be a whole number from 1, not 0'],
    ['half a limit', semaphore('db', 1.5), 'locks[1].limit: must be a whole number from 1, not 1.5'],
    ['an empty key', mutex(''), 'locks[1].key: is empty'],
    ['a key of no parts', mutex([]), 'locks[1].key: has no value'],
    ['a long key', mutex('x'.repeat(300)), 'locks[1].key: has 300 characters; it may have 256'],
  ])('with %s are refused', (_, lock, problem) => {
    expect(synthProblems((chart) => void etl(chart, lock)).join('\n')).toContain(problem);
  });

  it('do not take values of another workflow', () => {
    const task = (chart: Construct) => new ContainerTask(chart, 'task', { image: 'i:1' });
    const problems = synthProblems((chart) => {
      let stolen: unknown;
      new Workflow(chart, 'one', { inputs: { site: z.string() } }, ({ inputs }) => void (stolen = inputs.site));
      new Workflow(chart, 'two', {}, ({ step }) => void step('a', task(chart)).lock(mutex(stolen as string)));
    });
    expect(problems.join()).toContain('locks[0].key: inputs.site belongs to another workflow');
  });

  it.each([
    ['a Job', (chart: Construct, task: ContainerTask) => void new TaskJob(chart, 'alone', { task })],
    ['a plan', (chart: Construct, task: ContainerTask) => void new LaunchPlan(chart, 'alone', { task })],
  ])('are refused where %s runs the task alone', (_, use) => {
    const problems = synthProblems((chart) =>
      use(chart, new ContainerTask(chart, 'task', { image: 'i:1', locks: [mutex('db')] })),
    );
    expect(problems).toEqual([
      '[alone] task: has locks, which only a controller can keep; make it a step of a workflow, or leave the locks to the steps',
    ]);
  });

  it('that runs share are refused with a driver', () => {
    const problems = synthProblems(
      (chart) => void new Run(chart, 'run', { workflow: etl(chart), inputs: { site: 'a' }, driver: true }),
    );
    expect(problems).toEqual(
      ['load', 'report', 'each'].map(
        (step) =>
          `[run] driver: cannot keep the locks of step "${step}": it knows of no other run; give them scope: 'run', or let a controller sequence the run`,
      ),
    );
  });
});

describe('the priority of runs', () => {
  const run = (chart: Construct, priority: number) =>
    void new Run(chart, 'run', { workflow: etl(chart), inputs: { site: 'a' }, priority });

  it('is an annotation, which may be edited', () => {
    const { metadata } = find(
      synth((chart) => run(chart, -5)),
      'Job',
    );
    expect(metadata.annotations).toMatchObject({ 'cdk8s-workflows.dev/priority': '-5' });
  });

  it('is a whole number', () => {
    expect(synthProblems((chart) => run(chart, 1.5))).toEqual(['[run] priority: must be a whole number, not 1.5']);
  });

  it('says nothing of a task alone, nor to a driver', () => {
    const problems = synthProblems((chart) => {
      new LaunchPlan(chart, 'alone', { task: new ContainerTask(chart, 'task', { image: 'i:1' }), priority: 1 });
      new LaunchPlan(chart, 'driven', { workflow: new Workflow(chart, 'w', {}), driver: true, priority: 1 });
    });
    expect(problems).toEqual([
      '[alone] priority: says nothing of one task, which no controller sequences; leave it out',
      '[driven] priority: says nothing to a driver, which knows of no other run; leave it out',
    ]);
  });
});

describe('the limits of a controller', () => {
  it('are options of its command', () => {
    const manifests = synth(
      (chart) => void new WorkflowController(chart, 'controller', { maxSteps: 100, maxStepsPerNamespace: 20 }),
    );
    const [container] = find(manifests, 'Deployment').spec.template.spec.containers;
    expect(container.args).toEqual(expect.arrayContaining(['--max-steps=100', '--max-steps-per-namespace=20']));
  });

  it('are whole numbers from 1', () => {
    expect(synthProblems((chart) => void new WorkflowController(chart, 'controller', { maxSteps: 0 }))).toEqual([
      '[controller] maxSteps: must be a whole number from 1, not 0',
    ]);
  });
});
