import { describe, expect, it } from 'vitest';
import { holeValues } from '../../lib/engine/hole-values.ts';
import type { TaskStep } from '../../lib/graph/graph.ts';
import type { ValueSource } from '../../lib/graph/value-source.ts';
import { topology } from '../../lib/graph/topology.ts';
import { runtimeTemplate } from '../../lib/pods/runtime-template.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import type { Json, JsonObject } from '../../lib/values/json.ts';
import { formatProblem, InvalidError } from '../../lib/values/problems.ts';
import { begin, graphOf, rowsSchema } from './scenario.ts';

const spec = (fields: Readonly<Record<string, ValueSource>>): ValueSource => ({ fields: { spec: { fields } } });
const main = (fields: Readonly<Record<string, ValueSource>>) =>
  spec({ containers: { list: [{ fields: { name: { value: 'main' }, ...fields } }] } });

describe('what values make of a pod', () => {
  const size = { input: 'size' } as const;

  it.each<[string, ValueSource, Json | undefined, JsonObject]>([
    ['a value', size, 'large', { at: 'large' }],
    ['nothing', size, undefined, {}],
    ['what takes its place', { ...size, default: 'small' }, undefined, { at: 'small' }],
    ['the first that there is', { first: [{ input: 'other' }, size, { value: null }] }, 'large', { at: 'large' }],
    ['a removal where there is none', { first: [size, { value: null }] }, undefined, { at: null }],
    ['text of a number', { text: size }, 2, { at: '2' }],
    ['text of a list', { text: size }, ['a', 1], { at: '["a",1]' }],
    ['text as it is', { text: size }, '$(HOME)', { at: '$(HOME)' }],
    ['text that no kubelet changes', { text: size, literal: true }, '$(HOME)', { at: '$$(HOME)' }],
    ['no text of nothing', { text: size, literal: true }, undefined, {}],
    ['no text of a removal', { text: { first: [size, { value: null }] } }, undefined, { at: null }],
  ])('is in the command to start it: %s', (_name, source, value, expected) => {
    const graph = graphOf({ a: { pod: spec({ at: source }) } });
    const run = begin(graph, { inputs: value === undefined ? {} : { size: value } });
    expect(run.commands).toEqual([{ kind: 'start', step: 'a', attempt: 1, inputs: {}, pod: { spec: expected } }]);
  });

  it('is the same for every attempt', () => {
    const run = begin(graphOf({ a: { pod: spec({ at: size }), retries: { limit: 1 } } }), { inputs: { size: 'l' } });
    const [first] = run.commands;
    expect(run.fail('a').commands).toEqual([{ ...first, attempt: 2 }]);
  });

  it('is not said where the pod waits for none', () => {
    expect(begin(graphOf({ a: {} })).commands[0]).not.toHaveProperty('pod');
  });
});

describe('what values make of the Job around a pod', () => {
  const replicas = { input: 'replicas' } as const;
  const job = (fields: Readonly<Record<string, ValueSource>>) => ({ runAs: 'Job', job: spec(fields) }) as const;

  it.each<[string, ValueSource, JsonObject, JsonObject]>([
    ['a value', replicas, { replicas: 3 }, { parallelism: 3 }],
    ['nothing', replicas, {}, {}],
    ['what is below', { first: [replicas, { value: 2 }] }, {}, { parallelism: 2 }],
  ])('is in the command to start it: %s', (_, parallelism, inputs, expected) => {
    const run = begin(graphOf({ a: job({ parallelism }) }), { inputs });
    expect(run.commands).toEqual([{ kind: 'start', step: 'a', attempt: 1, inputs: {}, job: { spec: expected } }]);
  });

  it('waits for the step whose output it is', () => {
    const up = { outputs: rowsSchema };
    const run = begin(graphOf({ up, down: job({ completions: { step: 'up', output: 'rows' } }) }));
    expect(run.asked).toEqual(['start up 1']);
    expect(run.succeed('up', { rows: 7 }).commands).toMatchObject([
      { step: 'down', job: { spec: { completions: 7 } } },
    ]);
  });

  it('leaves the step out when the other one was left out, unless there is something below', () => {
    const up = { outputs: rowsSchema, when: { cel: 'false', steps: [] } };
    const rows = { step: 'up', output: 'rows' } as const;
    expect(begin(graphOf({ up, down: job({ completions: rows }) })).phase('down')).toBe('Skipped/InputUnavailable');
    const run = begin(graphOf({ up, down: job({ completions: { first: [rows, { value: 2 }] } }) }));
    expect(run.commands).toMatchObject([{ step: 'down', job: { spec: { completions: 2 } } }]);
  });
});

describe('an output in the pod of another step', () => {
  const rows = { step: 'up', output: 'rows' } as const;
  const up = { outputs: rowsSchema };
  const never = { cel: 'false', steps: [] };

  it('makes a step wait for the other, and has its value', () => {
    const graph = graphOf({ up, down: { pod: spec({ at: rows }) } });
    expect(topology(graph).byName.get('down')!.edges.size).toBe(1);
    const run = begin(graph);
    expect(run.asked).toEqual(['start up 1']);
    expect(run.succeed('up', { rows: 7 }).commands).toMatchObject([{ step: 'down', pod: { spec: { at: 7 } } }]);
  });

  it('leaves the step out when the other one was left out, as an input would', () => {
    const run = begin(graphOf({ up: { ...up, when: never }, down: { pod: spec({ at: rows }) } }));
    expect(run.phase('down')).toBe('Skipped/InputUnavailable');
  });

  it('does not when something takes its place', () => {
    const run = begin(graphOf({ up: { ...up, when: never }, down: { pod: spec({ at: { ...rows, default: 1 } }) } }));
    expect(run.commands).toMatchObject([{ step: 'down', pod: { spec: { at: 1 } } }]);
  });

  it('is nothing when it is an optional one that was not written', () => {
    const run = begin(graphOf({ up, down: { pod: spec({ at: { step: 'up', output: 'note' } }) } }));
    expect(run.succeed('up', { rows: 7 }).commands).toMatchObject([{ step: 'down', pod: { spec: {} } }]);
  });
});

describe('a pod that values make no pod of', () => {
  const limits = (fields: Readonly<Record<string, ValueSource>>) =>
    main({ resources: { fields: { limits: { fields } } } });
  const memory = { text: { input: 'memory' } };
  const template = {
    spec: { containers: [{ name: 'main', image: 'i:1', resources: { requests: { memory: '2Gi' } } }] },
  } as unknown as PodTemplate;

  it.each<[string, ValueSource, JsonObject, RegExp]>([
    [
      'an amount that is none',
      limits({ memory }),
      { memory: '8GB' },
      /^spec\.containers\[main\]\.resources\.limits\.memory: .*"8GB".* \(from inputs\.memory\)/,
    ],
    [
      'part of a GPU',
      limits({ 'nvidia.com/gpu': { text: { input: 'gpus' } } }),
      { gpus: 0.5 },
      /^spec\.containers\[main\]\.resources\.limits\[nvidia\.com\/gpu\]: .*"0\.5" is not whole.* \(from inputs\.gpus\)/,
    ],
    [
      'a label that is none',
      spec({ nodeSelector: { fields: { gpu: { input: 'gpu' } } } }),
      { gpu: 'a 100' },
      /^spec\.nodeSelector\.gpu: "a 100" .*\(from inputs\.gpu\)/,
    ],
    [
      'a number for a label',
      spec({ nodeSelector: { fields: { gpu: { input: 'gpu' } } } }),
      { gpu: 100 },
      /^spec\.nodeSelector\.gpu: must be text, not 100 \(from inputs\.gpu\)/,
    ],
    [
      'a name that is none',
      spec({ serviceAccountName: { first: [{ input: 'account' }, { input: 'other' }] } }),
      { account: 'No One' },
      /^spec\.serviceAccountName: "No One" .*\(from inputs\.account, else inputs\.other\)/,
    ],
    [
      'no image',
      main({ image: { first: [{ input: 'image' }, { value: null }] } }),
      {},
      /^spec\.containers\[main\]\.image: .*\(from inputs\.image\)/,
    ],
    [
      'an empty image',
      main({ image: { input: 'image' }, imagePullPolicy: { value: null } }),
      { image: '' },
      /^spec\.containers\[main\]\.image: .*\(from inputs\.image\)/,
    ],
    [
      'a limit below what is requested',
      limits({ memory }),
      { memory: '1Gi' },
      /^spec\.containers\[main\]\.resources\.requests\.memory: .*2Gi.*above the limit.*1Gi/,
    ],
  ])('is refused with the place, the value and the input: %s', (_name, pod, inputs, problem) => {
    const graph = graphOf({ a: { pod } });
    const [command] = begin(graph, { inputs }).commands;
    const values = holeValues(graph.steps[0] as TaskStep, command!.kind === 'start' ? command!.pod : undefined);
    let problems: readonly string[] = [];
    try {
      runtimeTemplate('a', { template }, { run: 'r' }, values);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      problems = error.problems.map(formatProblem);
    }
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it('names the layer instead where that says something else', () => {
    const graph = graphOf({ a: { pod: spec({ serviceAccountName: { input: 'account' } }) } });
    const [command] = begin(graph, { inputs: { account: 'fine' } }).commands;
    const values = holeValues(graph.steps[0] as TaskStep, command!.kind === 'start' ? command!.pod : undefined);
    const run = { run: 'r', runOverride: { a: { spec: { serviceAccountName: 'No One' } } } };
    expect(() => runtimeTemplate('a', { template }, run, values)).toThrow(/"No One" .*\(run override of r\)/);
  });
});
