import { Duration } from 'cdk8s';
import { and, ContainerTask, eq, gt, not, Step, Workflow, z, type AnyWorkflow } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { taskSteps } from '../../lib/graph/graph.ts';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import { find, synth, synthProblems, type Manifest } from './support.ts';

function tasks(scope: Construct) {
  return {
    extract: new ContainerTask(scope, 'extract', {
      image: 'etl:1',
      inputs: { site: z.string() },
      outputs: { rows: z.int(), uri: z.string() },
      command: ['etl'],
      args: ({ site }) => ['--site', site, `--label=${site}!`, 'costs $(5)', '$$'],
      env: { MODE: 'fast' },
    }),
    load: new ContainerTask(scope, 'load', {
      image: 'load:1',
      inputs: { uri: z.string(), mode: z.string().default('append') },
    }),
  };
}

function etl(scope: Construct, change?: (workflow: AnyWorkflow) => void) {
  const { extract, load } = tasks(scope);
  const workflow = new Workflow(
    scope,
    'etl',
    { inputs: { site: z.string(), least: z.int().default(0) } },
    ({ inputs, step }) => {
      const raw = step('extract', extract, { site: inputs.site });
      step('load', load, { uri: raw.outputs.uri }).when(
        and(gt(raw.outputs.rows, inputs.least), not(eq(inputs.site, 'x"y'))),
      );
      return { rows: raw.outputs.rows };
    },
  );
  change?.(workflow);
  return workflow;
}

function graphOf(manifests: readonly Manifest[]) {
  const decoded = decodeGraph(find(manifests, 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph;
}

describe('a workflow', () => {
  it('becomes one pod template a step and an immutable graph that names them', () => {
    const manifests = synth(etl);
    expect(
      manifests.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[0-9a-v]{10}$/, '-<hash>')}`),
    ).toEqual(['ConfigMap etl-<hash>', 'PodTemplate etl-extract-<hash>', 'PodTemplate etl-load-<hash>']);
    expect(find(manifests, 'ConfigMap').immutable).toBe(true);
    expect(taskSteps(graphOf(manifests)).map((step) => step.template)).toEqual(
      manifests.slice(1).map(({ metadata }) => metadata.name),
    );
  });

  it('compiles data edges, conditions, defaults and outputs', () => {
    const graph = graphOf(synth(etl));
    expect(graph).toMatchObject({
      workflow: 'etl',
      failurePolicy: 'FinishRunning',
      inputs: { properties: { site: { type: 'string' }, least: { default: 0 } }, required: ['site'] },
      outputs: { rows: { step: 'extract', output: 'rows' } },
      steps: [
        { name: 'extract', inputs: { site: { input: 'site' } }, outputs: { required: ['rows', 'uri'] } },
        {
          name: 'load',
          inputs: { uri: { step: 'extract', output: 'uri' }, mode: { value: 'append' } },
          when: {
            cel: '(steps.extract.outputs.rows > inputs.least) && (!(inputs.site == "x\\"y"))',
            steps: ['extract'],
          },
        },
      ],
    });
  });

  it('has a name that changes with its content and with nothing else', () => {
    const name = (change?: (workflow: AnyWorkflow) => void) =>
      find(
        synth((chart) => void etl(chart, change)),
        'ConfigMap',
      ).metadata.name;
    expect(name()).toBe(name());
    expect(name((workflow) => workflow.taskSteps[0]!.override({ image: 'etl:2' }))).not.toBe(name());
    expect(name((workflow) => workflow.taskSteps[1]!.override({ retries: 2 }))).not.toBe(name());
  });

  it('may be changed by others until synth: steps are constructs in its scope', () => {
    const manifests = synth((chart) => {
      const workflow = etl(chart);
      new Step(workflow, 'late', { task: tasks_(chart), inputs: {} }).after(workflow.steps[1]!);
      for (const construct of workflow.node.findAll())
        if (construct instanceof Step) construct.override({ podTemplate: { spec: { priorityClassName: 'batch' } } });
    });
    expect(graphOf(manifests).steps.map(({ name, after }) => [name, after])).toEqual([
      ['extract', undefined],
      ['load', undefined],
      ['late', ['load']],
    ]);
    for (const manifest of manifests.filter(({ kind }) => kind === 'PodTemplate'))
      expect(manifest.template.spec.priorityClassName).toBe('batch');
  });
});

const tasks_ = (scope: Construct) => new ContainerTask(scope, 'nothing', { image: 'nothing' });

describe('a step', () => {
  it('reaches its container with inputs as variables, and a dollar of the author as it was written', () => {
    const [container] = find(synth(etl), 'PodTemplate', /extract/).template.spec.containers;
    expect(container).toMatchObject({
      name: 'main',
      image: 'etl:1',
      command: ['etl'],
      args: ['--site', '$(INPUT_SITE)', '--label=$(INPUT_SITE)!', 'costs $$(5)', '$$$$'],
      env: [{ name: 'MODE', value: 'fast' }],
    });
  });

  it('overrides what it names and keeps the rest', () => {
    const manifests = synth((chart) => {
      const task = new ContainerTask(chart, 'train', {
        image: 'train:1',
        resources: { requests: { cpu: 4 }, limits: { memory: '32Gi', 'nvidia.com/gpu': 1 } },
        env: { A: '1', B: '2' },
        retries: 1,
        podTemplate: {
          spec: { nodeSelector: { gpu: 'v100', pool: 'training' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
        },
      });
      new Workflow(chart, 'w', {}, ({ step }) => {
        step('train', task).override({
          resources: { limits: { memory: '128Gi' } },
          env: { B: '3', C: '4' },
          retries: { limit: 0 },
          timeout: Duration.minutes(5),
          podTemplate: { spec: { nodeSelector: { gpu: 'a100' }, tolerations: null } },
        });
      });
    });
    expect(find(manifests, 'PodTemplate').template.spec).toEqual({
      restartPolicy: 'Never',
      nodeSelector: { gpu: 'a100', pool: 'training' },
      containers: [
        {
          name: 'main',
          image: 'train:1',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '3' },
            { name: 'C', value: '4' },
          ],
          resources: { requests: { cpu: '4' }, limits: { memory: '128Gi', 'nvidia.com/gpu': '1' } },
        },
      ],
    });
    expect(graphOf(manifests).steps[0]).toMatchObject({ retries: { limit: 0 }, timeoutSeconds: 300 });
  });
});

describe('synth refuses, all at once, with paths and what to do', () => {
  const js = (value: unknown) => value as never;
  const cases: [string, (chart: Construct) => void, string[]][] = [
    [
      'unknown, missing and mistyped inputs that no compiler saw',
      (chart) => {
        const { extract, load } = tasks(chart);
        new Workflow(chart, 'w', {}, ({ step }) => {
          step('a', extract, js({ sit: 'x' }));
          step('b', load, js({ uri: 3 }));
        });
      },
      [
        '[w/a] inputs.sit: task "extract" has no such input; did you mean "site"?',
        '[w/a] inputs.site: is missing; task "extract" needs it',
        '[w/b] inputs.uri: must be string, but is 3',
      ],
    ],
    [
      'two steps of one name',
      (chart) =>
        new Workflow(chart, 'w', {}, ({ step }) => {
          const task = tasks_(chart);
          step('a', task);
          step('a', task);
        }),
      ['[w] a: two steps are named "a"; rename one'],
    ],
    [
      'steps that wait for each other',
      (chart) =>
        new Workflow(chart, 'w', {}, ({ step }) => {
          const task = tasks_(chart);
          const a = step('a', task);
          const b = step('b', task).after(a);
          a.after(step('c', task).after(b));
        }),
      ['[w] a: steps wait for each other: a -> b -> c -> a; remove one of these edges'],
    ],
    [
      'a value of another workflow',
      (chart) => {
        const { extract, load } = tasks(chart);
        let leaked: unknown;
        new Workflow(chart, 'one', {}, ({ step }) => {
          leaked = step('a', extract, { site: 'x' }).outputs.uri;
        });
        new Workflow(chart, 'two', {}, ({ step }) => void step('b', load, { uri: js(leaked) }));
      },
      ['[two/b] inputs.uri: steps.a.outputs.uri belongs to another workflow; pass it in as an input of this workflow'],
    ],
    [
      'names that Kubernetes would refuse, and two workflows of one name',
      (chart) => {
        new Workflow(chart, 'one', { name: 'Site_ETL' }, ({ step }) => void step('Extract', tasks_(chart)));
        new Workflow(chart, 'two', { name: 'x'.repeat(41) });
        new Workflow(chart, 'three', { name: 'Site_ETL' });
      },
      [
        '[one] name: "Site_ETL" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        '[one] Extract: the step name "Extract" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        `[two] name: "${'x'.repeat(41)}" has 41 characters; at most 40 fit`,
        '[three] name: workflow "Site_ETL" exists already at chart/one; rename one',
        '[three] name: "Site_ETL" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
      ],
    ],
    [
      'an input inside a script, and two inputs of one variable',
      (chart) => {
        new ContainerTask(chart, 'shell', {
          image: 'x',
          inputs: { site: z.string() },
          command: ({ site }) => ['/bin/sh', '-ec', `fetch ${site}`],
        });
        new ContainerTask(chart, 'vars', { image: 'x', inputs: { siteName: z.string(), 'site-name': z.string() } });
      },
      [
        '[shell] command: puts an input into the script of "/bin/sh", where its value would run as code; write "$INPUT_<NAME>" in the script, with the quotes',
        '[vars] inputs.site-name: is INPUT_SITE_NAME, as "siteName" is; rename one',
      ],
    ],
    [
      'a schema that JSON cannot carry',
      (chart) => new ContainerTask(chart, 'dates', { image: 'x', inputs: { day: z.date() } }),
      [
        '[dates] inputs.day: Date cannot be represented in JSON Schema; use a type that JSON has: strings, numbers, booleans, lists and objects of them',
      ],
    ],
    [
      'a list item without the key it is merged by',
      (chart) =>
        new Workflow(chart, 'w', {}, ({ step }) => {
          step('a', tasks_(chart)).override({ podTemplate: { spec: { containers: [js({ image: 'sidecar' })] } } });
        }),
      [
        '[w/a] podTemplate.spec.containers: the item {"image":"sidecar"} has no name (step override of chart/w/a (test/constructs/workflow.test.ts:<line>)); items are merged by name: set it',
      ],
    ],
  ];

  it.each(cases)('%s', (_name, define, expected) => {
    expect(synthProblems(define)).toEqual(expected);
  });

  it('a graph that fits no ConfigMap, with its size', () => {
    const [problem] = synthProblems((chart) => {
      const task = new ContainerTask(chart, 'blob', { image: 'x', inputs: { blob: z.string() } });
      new Workflow(chart, 'w', {}, ({ step }) => {
        for (let index = 0; index < 100; index++) step(`s${index}`, task, { blob: incompressible(index) });
      });
    });
    expect(problem).toMatch(
      /^\[w\] w: its graph of 100 steps takes \d+ KiB, \d+ KiB compressed; a ConfigMap holds 992 KiB; split the workflow/,
    );
  });

  it('text made of a reference', () => {
    const define = (chart: Construct) =>
      new Workflow(
        chart,
        'w',
        { inputs: { site: z.string() } },
        ({ inputs, step }) => void step('a', tasks(chart).extract, { site: `${inputs.site}!` }),
      );
    expect(() => synthProblems(define)).toThrow(
      'inputs.site is not known before the workflow runs, so it cannot be part of a string',
    );
  });
});

function incompressible(seed: number): string {
  let state = seed + 1;
  const next = () => (state = (state * 48271) % 0x7fffffff);
  return Array.from({ length: 2000 }, () => next().toString(36)).join('');
}
