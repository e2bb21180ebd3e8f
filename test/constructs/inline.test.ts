import { App, Chart } from 'cdk8s';
import {
  cel,
  ContainerTask,
  failed,
  gt,
  InlinedWorkflow,
  LaunchPlan,
  succeeded,
  Workflow,
  z,
  type WorkflowBuilder,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../lib/graph/edges.ts';
import { graphProblems } from '../../lib/graph/validate.ts';
import { synth, synthProblems } from './support.ts';

function tasks(scope: Construct) {
  return {
    list: new ContainerTask(scope, 'list', {
      image: 'etl:1',
      inputs: { site: z.string(), limit: z.int().optional() },
      outputs: { rows: z.int(), shards: z.array(z.string()) },
    }),
    score: new ContainerTask(scope, 'score', {
      image: 'etl:1',
      inputs: { shard: z.string(), memory: z.string().default('1Gi') },
      outputs: { rows: z.int() },
      resources: ({ memory }) => ({ limits: { memory } }),
    }),
    note: new ContainerTask(scope, 'note', { image: 'etl:1', inputs: { text: z.string() } }),
    nothing: new ContainerTask(scope, 'nothing', { image: 'etl:1' }),
  };
}

type Tasks = ReturnType<typeof tasks>;

/** Has of everything: values in pods, a map, a gate, a branch, conditions on values and on ends, a default, an optional input. */
function prepareWorkflow(scope: Construct, { list, score, note }: Tasks) {
  return new Workflow(
    scope,
    'prepare',
    {
      inputs: {
        site: z.string(),
        least: z.int().default(5),
        memory: z.string().default('2Gi'),
        limit: z.int().optional(),
      },
    },
    ({ inputs, step, approve, branch }) => {
      const found = step('list', list, { site: inputs.site, limit: inputs.limit }).when(
        cel`${inputs.site} != "none" && ${inputs.least} > 0`,
      );
      const scores = step.map('score', score, { shard: found.outputs.shards, memory: inputs.memory });
      const checked = approve('check', { message: inputs.site }).after(scores);
      const sorted = branch('size')
        .if(gt(found.outputs.rows, inputs.least), () => ({ rows: found.outputs.rows }))
        .else(() => ({ rows: 0 }));
      step('note', note, { text: checked.outputs.approvedBy.or('nobody') }).after(failed(checked));
      step('late', note, { text: inputs.site }).when(gt(sorted.rows, 1)).after(scores);
      return { rows: sorted.rows, by: checked.outputs.approvedBy, site: inputs.site };
    },
  );
}

function outer(
  scope: Construct,
  build: <S>(
    builder: WorkflowBuilder<{ site: z.ZodString; limit: z.ZodOptional<z.ZodInt> }, S>,
    prepare: ReturnType<typeof prepareWorkflow>,
    all: Tasks,
  ) => void,
) {
  const all = tasks(scope);
  const prepare = prepareWorkflow(scope, all);
  return new Workflow(scope, 'outer', { inputs: { site: z.string(), limit: z.int().optional() } }, (builder) =>
    build(builder, prepare, all),
  );
}

/** The graph of a workflow that a function fills, which must be without problems. */
function graphOf(build: Parameters<typeof outer>[1]) {
  const chart = new Chart(new App(), 'chart');
  const workflow = outer(chart, build);
  expect(graphProblems(workflow.graph)).toEqual([]);
  return workflow.graph;
}

const node = (graph: { readonly steps: readonly { readonly name: string }[] }, name: string) =>
  graph.steps.find((step) => step.name === name);

describe('a workflow as part of another', () => {
  it('brings its steps under the name of the use, and a step that stands for all of them', () => {
    const graph = graphOf(({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site }));
    expect(graph.steps.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'task a-list',
      'map a-score',
      'gate a-check',
      'task a-note',
      'task a-late',
      'group a',
    ]);
    expect(node(graph, 'a')).toMatchObject({ steps: ['a-list', 'a-score', 'a-check', 'a-note', 'a-late'] });
  });

  it('uses the pod templates of the workflow itself', () => {
    const manifests = synth((chart) => outer(chart, ({ inputs, step }, prepare) => void step('a', prepare, inputs)));
    const templates = manifests.filter(({ kind }) => kind === 'PodTemplate').map(({ metadata }) => metadata.name);
    expect(templates.map((name) => name.replace(/-[^-]+$/, ''))).toEqual([
      'prepare-list',
      'prepare-score',
      'prepare-note',
      'prepare-late',
    ]);
  });

  it('gets its inputs: as they are given, by default, or not at all', () => {
    const graph = graphOf(({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site, least: 3 }));
    expect(node(graph, 'a-list')).toMatchObject({ inputs: { site: { input: 'site' }, limit: { first: [] } } });
    expect(node(graph, 'a-score')).toMatchObject({
      inputs: { memory: { value: '2Gi' } },
      over: [{ input: 'shard', list: { step: 'a-list', output: 'shards' } }],
    });
    expect(JSON.stringify(node(graph, 'a-score'))).toContain('{"text":{"value":"2Gi"}}');
    expect(node(graph, 'a-check')).toMatchObject({ gate: { message: { input: 'site' } }, after: ['a-score'] });
  });

  it('keeps its conditions as they were written, and puts what they read where they look for it', () => {
    const graph = graphOf(({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site, least: 3 }));
    expect(node(graph, 'a-list')).toMatchObject({
      when: {
        cel: 'inputs.site != "none" && inputs.least > 0',
        steps: [],
        values: [
          { at: ['inputs', 'site'], source: { input: 'site' } },
          { at: ['inputs', 'least'], source: { value: 3 } },
        ],
      },
    });
    expect(node(graph, 'a-note')).toMatchObject({ depends: { step: 'a-check', ended: 'failed' } });
  });

  it('begins with what is asked of the whole, where anything is', () => {
    const graph = graphOf(({ inputs, step }, prepare, { list, nothing }) => {
      const raw = step('list', list, { site: inputs.site });
      const first = step('first', nothing);
      step('a', prepare, { site: inputs.site, least: raw.outputs.rows })
        .after(first, succeeded(raw))
        .when(gt(raw.outputs.rows, 1));
    });
    expect(node(graph, 'a-begin')).toMatchObject({
      kind: 'begin',
      inputs: { least: { step: 'list', output: 'rows' } },
      after: ['first'],
      depends: { step: 'list', ended: 'succeeded' },
      when: { steps: ['list'] },
    });
    const begun = { step: 'a-begin', ended: 'succeeded' };
    const depends = ['a-list', 'a-score', 'a-check', 'a-note'].map((name) => node(graph, name));
    expect(depends).toMatchObject([
      { depends: begun },
      {},
      { depends: begun },
      { depends: { all: [begun, { step: 'a-check', ended: 'failed' }] } },
    ]);
    expect(depends[1]).not.toHaveProperty('depends');
  });

  it('is to the others one step: its outputs, its status and its end', () => {
    const graph = graphOf(({ inputs, step }, prepare, { note }) => {
      const a = step('a', prepare, { site: inputs.site });
      step('b', note, { text: a.outputs.by }).when(gt(a.outputs.rows, 1));
      step('c', note, { text: a.status.message }).after(failed(a));
    });
    expect(node(graph, 'a')).toMatchObject({ contains: true, outputs: { required: [] } });
    expect(node(graph, 'b')).toMatchObject({
      inputs: { text: { step: 'a', output: 'by' } },
      when: { cel: 'steps.a.outputs.rows > 1', steps: ['a'] },
    });
  });

  it('may have workflows as parts itself', () => {
    const graph = graphOf(({ inputs, step }, prepare, { nothing }) => {
      const chart = prepare.node.scope!;
      const middle = new Workflow(chart, 'middle', { inputs: { site: z.string() } }, (inner) => {
        const before = inner.step('before', nothing);
        const used = inner.step('b', prepare, { site: inner.inputs.site }).after(before);
        inner.step('after', nothing).after(failed(used));
        return { by: used.outputs.by };
      });
      step('a', middle, { site: inputs.site });
    });
    expect(graph.steps.map(({ name }) => name)).toEqual([
      'a-before',
      'a-b-begin',
      'a-b-list',
      'a-b-score',
      'a-b-check',
      'a-b-note',
      'a-b-late',
      'a-b',
      'a-after',
      'a',
    ]);
    expect(node(graph, 'a-b')).toMatchObject({ begin: 'a-b-begin', contains: true });
    expect(node(graph, 'a-b-late')).toMatchObject({ when: { values: expect.arrayContaining([]) } });
    expect(node(graph, 'a-b-list')).toMatchObject({
      when: { values: [{ at: ['inputs', 'site'], source: { input: 'site' } }, { at: ['inputs', 'least'] }] },
    });
  });

  it('may be changed until synth, like all that is in the app', () => {
    const chart = new Chart(new App(), 'chart');
    const workflow = outer(chart, ({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site }));
    const before = workflow.version;
    for (const { step } of workflow.podSteps) step.override({ retries: 4 });
    expect(workflow.version).not.toBe(before);
    expect(node(workflow.graph, 'a-list')).toMatchObject({ retries: { limit: 4 } });
  });

  it('is drawn with its last steps leading to the one that stands for it', () => {
    const graph = graphOf(({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site }));
    const ends = edgesOf(graph).filter(({ to }) => to === 'a');
    expect(ends.map(({ from, kind, labels }) => `${from} ${kind} ${labels.join()}`)).toEqual([
      'a-list data rows',
      'a-check data approvedBy',
      'a-note order ',
      'a-late order ',
    ]);
  });

  it('has its pods checked with what a plan changes of them', () => {
    const problems = synthProblems((chart) => {
      const workflow = outer(chart, ({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site }));
      const podTemplate = {
        spec: { volumes: [], containers: [{ name: 'main', volumeMounts: [{ name: 'x', mountPath: '/x' }] }] },
      };
      new LaunchPlan(chart, 'plan', { workflow, podTemplate } as never);
    });
    expect(problems.filter((problem) => problem.includes('step a-')).length).toBe(4);
  });
});

describe('what cannot be part of a workflow', () => {
  const problemsOf = (build: Parameters<typeof outer>[1]) =>
    synthProblems((chart) => void outer(chart, build)).map((problem) => problem.replace(/^\[[^\]]*\] /, ''));

  it.each<[string, Parameters<typeof outer>[1], string[]]>([
    [
      'one with steps for its end',
      ({ step }, prepare, { nothing }) => {
        const inner = new Workflow(prepare.node.scope!, 'inner', {}, (builder) => {
          builder.step('tidy', nothing).finally();
        });
        step('a', inner);
      },
      [
        ': workflow "inner" has steps for its end (tidy), which cannot be part of another workflow; run it as a run of its own with step.run(...)',
      ],
    ],
    [
      'one with another failure policy',
      ({ step }, prepare, { nothing }) => {
        const inner = new Workflow(prepare.node.scope!, 'inner', { failurePolicy: 'RunIndependent' }, (builder) => {
          builder.step('one', nothing);
        });
        step('a', inner);
      },
      [
        ': workflow "inner" has the failure policy RunIndependent, this one has FinishRunning; give both the same, or run it as a run of its own with step.run(...)',
      ],
    ],
    [
      'one whose names get too long',
      ({ inputs, step }, prepare) => void step('a'.repeat(60), prepare, { site: inputs.site }),
      [
        `: names of its steps have up to 66 characters together with "${'a'.repeat(58)}…; at most 63 fit; shorten it, or run it as a run of its own with step.run(...)`,
      ],
    ],
    [
      'one at the end of a run',
      ({ inputs, step }, prepare) => void step('a', prepare, { site: inputs.site }).finally(),
      [': runs at the end of a run, where no step waits for another; run it as a run of its own with step.run(...)'],
    ],
    [
      'one that is given what does not fit',
      ({ step }, prepare) => void step('a', prepare, { sote: 'x', least: 'many' } as never),
      [
        'inputs.sote: workflow "prepare" has no such input; did you mean "site"?',
        'inputs.least: must be integer, but is "many"',
        'inputs.site: is missing; workflow "prepare" needs it',
      ],
    ],
  ])('%s', (_, build, expected) => {
    expect(problemsOf(build).map((problem) => problem.replace(/^: /, ': '))).toEqual(
      expected.map((line) => line.replace(/^: /, '')),
    );
  });

  it('one that contains itself, at whatever depth', () => {
    const problems = synthProblems((chart) => {
      const one = new Workflow(chart, 'one', {});
      const two = new Workflow(chart, 'two', {}, ({ step }) => void step('one', one));
      new InlinedWorkflow(one, 'two', { workflow: two, inputs: {} });
    });
    expect(problems.filter((problem) => problem.includes('contain itself'))).toEqual([
      '[one/two] workflow "two" would contain itself: two -> one; launch a plan of it with step.launch(..., planNamed(\'...\'))',
      '[two/one] workflow "one" would contain itself: one -> two; launch a plan of it with step.launch(..., planNamed(\'...\'))',
    ]);
  });

  it('one of another namespace, whose pod templates are there', () => {
    const app = new App();
    const [here, there] = [new Chart(app, 'here', { namespace: 'a' }), new Chart(app, 'there', { namespace: 'b' })];
    const inner = new Workflow(there, 'inner', {});
    const workflow = new Workflow(here, 'outer', {}, ({ step }) => void step('a', inner));
    expect(workflow.node.tryFindChild('a')!.node.validate()).toEqual([
      'workflow "inner" belongs to another namespace, where its pod templates are; define it in the same one',
    ]);
  });
});
