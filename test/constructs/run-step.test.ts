import { App, Chart, Duration } from 'cdk8s';
import { ContainerTask, LaunchPlan, planNamed, RunStep, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { graphProblems } from '../../lib/graph/validate.ts';
import { synthProblems } from './support.ts';

const inputs = { site: z.string(), least: z.int().default(5), limit: z.int().optional() };

function define(
  build: <S>(builder: WorkflowBuilder<{ site: z.ZodString }, S>, parts: ReturnType<typeof partsIn>) => void,
  chart = new Chart(new App(), 'chart'),
) {
  const parts = partsIn(chart);
  return new Workflow(chart, 'outer', { inputs: { site: z.string() } }, (builder) => build(builder, parts));
}

function partsIn(chart: Chart) {
  const count = new ContainerTask(chart, 'count', {
    image: 'etl:1',
    inputs: { site: z.string() },
    outputs: { rows: z.int() },
  });
  const inner = new Workflow(chart, 'inner', { inputs, failurePolicy: 'RunIndependent' }, (builder) => {
    const raw = builder.step('count', count, { site: builder.inputs.site });
    builder.step('tidy', count, { site: 'x' }).finally();
    return { rows: raw.outputs.rows };
  });
  const plan = new LaunchPlan(chart, 'plan', {
    workflow: inner,
    inputs: { least: 7 },
    fixedInputs: { site: 'site-a' },
  });
  const single = new LaunchPlan(chart, 'single', { task: count, inputs: { site: 'x' } });
  return { chart, count, inner, plan, single };
}

describe('a step that is a run of its own', () => {
  it('names the graph that it runs, and all inputs', () => {
    const workflow = define(({ inputs: given, step }, { inner }) => {
      const options = { retries: 2, attemptTimeout: Duration.hours(1), timeout: Duration.hours(3), maxDepth: 4 };
      step.run('a', inner, { site: given.site }, { ...options, systemRetries: 0, parallelism: 3 });
    });
    expect(graphProblems(workflow.graph)).toEqual([]);
    expect(workflow.graph.steps).toEqual([
      {
        kind: 'run',
        name: 'a',
        runs: {
          workflow: 'inner',
          graph: expect.stringMatching(/^inner-[0-9a-v]{10}$/),
          version: expect.stringMatching(/^[0-9a-v]{10}$/),
          parallelism: 3,
        },
        inputs: { site: { input: 'site' }, least: { value: 5 } },
        outputs: { properties: { rows: expect.objectContaining({ type: 'integer' }) }, required: [] },
        retries: { limit: 2 },
        systemRetries: 0,
        attemptTimeoutSeconds: 3600,
        timeoutSeconds: 10800,
        maxDepth: 4,
      },
    ]);
  });

  it('changes with the workflow that it runs', () => {
    const chart = new Chart(new App(), 'chart');
    const workflow = define(({ step }, { inner }) => void step.run('a', inner, { site: 'x' }), chart);
    const before = workflow.version;
    (chart.node.findChild('inner') as Workflow).taskSteps[0]!.override({ retries: 3 });
    expect(workflow.version).not.toBe(before);
  });

  it('launches a plan with what is given only, since the plan has the rest', () => {
    const workflow = define(({ step }, { plan }) => {
      const a = step.launch('a', plan, { limit: 3 });
      step.launch('b', planNamed('later', { inputs, outputs: { rows: z.int() } }), { least: a.outputs.rows });
    });
    expect(workflow.graph.steps).toMatchObject([
      { kind: 'run', runs: { plan: 'plan' }, inputs: { limit: { value: 3 } }, outputs: { required: [] } },
      { kind: 'run', runs: { plan: 'later' }, inputs: { least: { step: 'a', output: 'rows' } } },
    ]);
    expect(workflow.graph.steps.map((step) => 'inputs' in step && Object.keys(step.inputs))).toEqual([
      ['limit'],
      ['least'],
    ]);
  });
});

describe('what cannot be run or launched', () => {
  const problemsOf = (build: Parameters<typeof define>[0]) =>
    synthProblems((chart) => void define(build, chart as Chart)).map((problem) => problem.replace(/^\[[^\]]*\] /, ''));

  it.each<[string, Parameters<typeof define>[0], string[]]>([
    [
      'a workflow without the inputs that it needs',
      ({ step }, { inner }) => void step.run('a', inner, { least: 'x' } as never),
      ['inputs.least: must be integer, but is "x"', 'inputs.site: is missing; workflow "inner" needs it'],
    ],
    [
      'a plan with an input that is fixed, or that is not there',
      ({ step }, { plan }) => void step.launch('a', plan, { site: 'y', lest: 3 } as never),
      [
        'inputs.lest: launch plan "plan" has no such input; did you mean "least"?',
        'inputs.site: is fixed by launch plan "plan"; leave it out',
      ],
    ],
    [
      'a plan over a single task',
      ({ step }, { single }) => void step.launch('a', single),
      ['launch plan "single" runs a single task, which is no run of a workflow; use step(...) with the task'],
    ],
    [
      'numbers that make no sense',
      ({ step }, { inner }) =>
        void step.run('a', inner, { site: 'x' }, { maxDepth: 0, parallelism: 0.5, systemRetries: -1 }),
      [
        'a.systemRetries: must be a whole number from 0, not -1',
        'a.maxDepth: must be a whole number from 1, not 0',
        'a.parallelism: must be a whole number from 1, not 0.5',
      ],
    ],
  ])('%s', (_, build, expected) => {
    expect(problemsOf(build)).toEqual(expected);
  });

  it('a workflow that runs itself, by whatever way', () => {
    const problems = synthProblems((chart) => {
      const one = new Workflow(chart, 'one', {});
      const two = new Workflow(chart, 'two', {}, ({ step }) => void step('one', one));
      new RunStep(one, 'two', { workflow: two, inputs: {} });
    });
    expect(problems.filter((problem) => problem.includes('itself'))).toEqual([
      `[one/two] workflow "two" would run itself: two -> one; launch a plan of it with step.launch(..., planNamed('...'))`,
      `[two/one] workflow "one" would contain itself: one -> two; launch a plan of it with step.launch(..., planNamed('...'))`,
    ]);
  });
});
