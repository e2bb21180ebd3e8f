import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeGraph, encodeGraph } from '../../lib/graph/config-map.ts';
import type { Graph, TaskStep } from '../../lib/graph/graph.ts';
import { attemptObjectName } from '../../lib/graph/object-names.ts';
import { findCycle, topology, upstreamsOf } from '../../lib/graph/topology.ts';
import { graphProblems, parseGraph } from '../../lib/graph/validate.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const step = (name: string, extra: Partial<TaskStep> = {}): TaskStep => ({
  kind: 'task',
  name,
  task: name,
  template: `${name}-1`,
  inputs: {},
  ...extra,
});
const graph = (steps: readonly TaskStep[], extra: Partial<Graph> = {}): Graph => ({
  apiVersion: 'cdk8s-workflows.dev/v1',
  workflow: 'w',
  inputs: { properties: {}, required: [] },
  outputs: {},
  failurePolicy: 'FinishRunning',
  steps,
  ...extra,
});

/** Steps named s0, s1, ... and for each the earlier ones it comes after. */
const acyclic = fc
  .integer({ min: 0, max: 30 })
  .chain((size) =>
    fc
      .tuple(
        ...Array.from({ length: size }, (_, index) =>
          fc.subarray(Array.from({ length: index }, (__, before) => `s${before}`)),
        ),
      )
      .map((after) => graph(after.map((names, index) => step(`s${index}`, { after: names })))),
  );

describe('the edges of a graph', () => {
  it('are the same in both directions', () => {
    fc.assert(
      fc.property(acyclic, (document) => {
        const { steps } = topology(document);
        for (const { index, edges } of steps)
          for (const upstream of edges.keys()) expect(steps[upstream]!.downstreams).toContain(index);
        const edges = steps.reduce((sum, { edges: to }) => sum + to.size, 0);
        expect(steps.reduce((sum, { downstreams }) => sum + downstreams.length, 0)).toBe(edges);
      }),
    );
  });

  it('have no cycle when every edge goes forward, and one when an edge closes it', () => {
    fc.assert(
      fc.property(acyclic, (document) => {
        expect(findCycle(topology(document))).toBeUndefined();
        const end = document.steps.findLastIndex(({ after }) => after!.length > 0);
        if (end < 0) return;
        const start = document.steps[end]!.after![0]!;
        const closed = document.steps.map(
          (node) => (node.name === start ? { ...node, after: [...node.after!, `s${end}`] } : node) as TaskStep,
        );
        const cycle = findCycle(topology(graph(closed)))!;
        expect(cycle.at(-1)).toBe(cycle[0]);
        const { byName, steps } = topology(graph(closed));
        for (let index = 1; index < cycle.length; index++)
          expect([...upstreamsOf(byName.get(cycle[index]!)!)].map((upstream) => steps[upstream]!.node.name)).toContain(
            cycle[index - 1],
          );
      }),
    );
  });

  it('are found in linear time: 20,000 steps in diamonds', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
    const diamonds = names.map((name, index) => step(name, { after: names.slice(Math.max(0, index - 2), index) }));
    expect(findCycle(topology(graph(diamonds)))).toBeUndefined();
  });
});

describe('a graph that cannot run', () => {
  const outputs = { properties: { uri: { type: 'string' } }, required: ['uri'] };
  it.each<[string, Graph, string[]]>([
    [
      'a step that comes after an unknown one',
      graph([step('load', { after: ['extarct'] }), step('extract')]),
      ['load: there is no step "extarct"; did you mean "extract"?'],
    ],
    [
      'values that nothing gives',
      graph([
        step('extract', { outputs }),
        step('load', {
          inputs: {
            a: { step: 'extract', output: 'url' },
            b: { list: [{ input: 'site' }] },
            c: { fields: { d: { step: 'x', output: 'y' } } },
          },
        }),
      ]),
      [
        'load.inputs.a: step "extract" has no output "url"; did you mean "uri"?',
        'load.inputs.b: the workflow has no input "site"',
        'load.inputs.c: there is no step "x"; known are extract, load',
      ],
    ],
    [
      'values of branches and conditions that nothing gives',
      graph([
        step('extract', { outputs }),
        step('load', {
          inputs: {
            a: {
              first: [
                { step: 'extract', output: 'url' },
                { if: { cel: 'true', steps: ['x'] }, then: { input: 'site' } },
              ],
            },
          },
          when: {
            cel: 'true',
            steps: [],
            values: [{ at: ['inputs', 'day'], source: { input: 'day', default: 1 }, schema: {} }],
          },
        }),
      ]),
      [
        'load.inputs.a: the workflow has no input "site"',
        'load.inputs.a: step "extract" has no output "url"; did you mean "uri"?',
        'load.inputs.a: there is no step "x"; known are extract, load',
        'load.when: the workflow has no input "day"',
      ],
    ],
    [
      'a step that waits for itself through the condition of a value',
      graph([
        step('a', { inputs: { x: { if: { cel: 'true', steps: ['b'] }, then: { value: 1 } } } }),
        step('b', { after: ['a'] }),
      ]),
      ['a: steps wait for each other: a -> b -> a; remove one of these edges'],
    ],
    [
      'an output of the workflow that nothing gives',
      graph([], { outputs: { rows: { step: 'a', output: 'rows' } } }),
      ['.outputs.rows: there is no step "a"'],
    ],
    [
      'a step that waits for itself',
      graph([step('a', { after: ['a'] })]),
      ['a: steps wait for each other: a -> a; remove one of these edges'],
    ],
  ])('is told: %s', (_name, document, expected) => {
    expect(graphProblems(document).map(formatProblem)).toEqual(expected);
  });
});

describe('a graph in a ConfigMap', () => {
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(acyclic, (document) => {
        expect(decodeGraph(encodeGraph(document) as never)).toEqual({ graph: document });
      }),
    );
  });

  it('is compressed when it would not fit', () => {
    const large = graph(Array.from({ length: 12_000 }, (_, index) => step(`step-${index}`)));
    const encoded = encodeGraph(large);
    expect(Object.keys((encoded as { binaryData: object }).binaryData)).toEqual(['graph.json.gz']);
    expect(decodeGraph(encoded as never)).toEqual({ graph: large });
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'data: has neither graph.json nor graph.json.gz'],
    ['no JSON', { data: { 'graph.json': '{' } }, 'data: is not readable'],
    ['no gzip', { binaryData: { 'graph.json.gz': 'AAAA' } }, 'data: is not readable'],
    ['a list', { data: { 'graph.json': '[]' } }, 'is no graph but []'],
    [
      'another version',
      { data: { 'graph.json': '{"apiVersion":"v9"}' } },
      'apiVersion: is "v9"; this version reads cdk8s-workflows.dev/v1',
    ],
    [
      'missing fields',
      { data: { 'graph.json': '{"apiVersion":"cdk8s-workflows.dev/v1","steps":[{"kind":"nap"},3]}' } },
      'workflow: must be a string, not undefined',
    ],
  ])('that holds %s is refused in words', (_name, configMap, message) => {
    const decoded = decodeGraph(configMap as never);
    expect('problems' in decoded && decoded.problems.map(formatProblem).join('\n')).toContain(message);
  });

  it.each<[string, unknown]>([
    ['a condition without CEL', { if: { steps: [] }, then: { value: 1 } }],
    ['a condition that decides on nothing', { if: { cel: 'true', steps: [] } }],
    [
      'values of a condition that are none',
      { if: { cel: 'true', steps: [], values: [{ at: 'x' }] }, then: { value: 1 } },
    ],
    ['no list of values', { first: { value: 1 } }],
  ])('with %s in a value is refused', (_name, source) => {
    const parsed = parseGraph(graph([step('a', { inputs: { x: source as never } })]));
    expect('problems' in parsed && parsed.problems.map(({ path }) => path)).toEqual(['steps[0].inputs']);
  });

  it.each<[string, object, readonly string[]]>([
    ['with all that it needs', {}, []],
    ['as a Pod', { runAs: 'Pod' }, ['steps[0].runAs: must be Job, not "Pod"']],
    ['over no lists', { over: {} }, ['steps[0].over: must be a list of inputs and their lists, not {}']],
    [
      'with retries that are none',
      { itemRetries: 3, itemTimeoutSeconds: '1' },
      ['steps[0].itemRetries: must be a retry policy, not 3', 'steps[0].itemTimeoutSeconds: must be a number, not "1"'],
    ],
    [
      'with part of a second',
      { itemTimeoutSeconds: 0.5 },
      ['m.attemptTimeout: must be whole seconds, at least 1, not 0.5'],
    ],
  ])('has a map as one Job %s', (_name, more, problems) => {
    const over = [{ input: 'n', list: { value: [1] } }];
    const map = { ...step('m', { inputs: { n: { item: 'n' } } }), kind: 'indexedMap', runAs: 'Job', over, ...more };
    const parsed = parseGraph(graph([map as never]));
    expect('problems' in parsed ? parsed.problems.map(formatProblem) : []).toEqual(problems);
  });

  it.each<[string, unknown, boolean]>([
    ['one that is known', { value: { spec: { parallelism: 2 } } }, true],
    ['values in it', { fields: { metadata: { value: {} }, spec: { fields: { parallelism: { input: 'n' } } } } }, true],
    ['no source', { spec: { parallelism: 2 } }, false],
    ['all of it in an input', { input: 'n' }, false],
    ['a spec that is none', { value: { spec: 'x' } }, false],
    ['its spec in an input', { fields: { spec: { input: 'n' } } }, false],
    ['metadata that are none', { fields: { metadata: { value: [] } } }, false],
  ])('has the Job around a pod as part of a Job: %s', (_, job, fits) => {
    const inputs = { properties: { n: { type: 'integer' } }, required: [] };
    const parsed = parseGraph({ ...graph([step('a')]), inputs, steps: [{ ...step('a'), job }] });
    expect('graph' in parsed).toBe(fits);
    if (!fits) expect(JSON.stringify(parsed)).toContain('steps[0].job');
  });

  it('never makes the reader throw, whatever it holds', () => {
    const edited = acyclic.chain((document) =>
      fc.jsonValue().map((value) => ({ ...document, steps: [...document.steps, value] })),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), edited), (document) => {
        const parsed = parseGraph(document);
        expect('problems' in parsed || 'graph' in parsed).toBe(true);
      }),
    );
  });
});

describe('names of what a run creates', () => {
  it('are readable, and fit into a label whatever the length', () => {
    expect(attemptObjectName('etl-1', 'extract', 2)).toBe('etl-1-extract-2');
    const label = fc
      .string({ unit: fc.constantFrom('a', '-', '1'), minLength: 1, maxLength: 61 })
      .map((text) => `a${text}a`);
    fc.assert(
      fc.property(label, label, fc.integer({ min: 1, max: 999 }), (run, name, attempt) => {
        expect(attemptObjectName(run, name, attempt)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  it('differ when their middle was cut', () => {
    const run = 'r'.repeat(60);
    expect(attemptObjectName(run, 'step-one-of-many', 1)).not.toBe(attemptObjectName(run, 'step-two-of-many', 1));
  });
});
