import {
  and,
  cel,
  ContainerTask,
  eq,
  gt,
  isTrue,
  ne,
  not,
  Workflow,
  z,
  type Condition,
  type InputReferences,
  type StepOutputs,
  type StepStatus,
} from 'cdk8s-workflows';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import { celLiteral, loadCel } from '../../lib/values/cel.ts';
import type { Json } from '../../lib/values/json.ts';
import { find, synth, synthProblems } from './support.ts';

const inputs = {
  site: z.string(),
  count: z.int(),
  ratio: z.number(),
  tier: z.enum(['hot', 'cold']),
  maybe: z.int().nullable(),
  tags: z.array(z.string()),
  limits: z.object({ rows: z.int(), 'max-size': z.number() }),
  labels: z.record(z.string(), z.string()),
  spots: z.array(z.object({ x: z.number() })),
  any: z.json(),
};
const outputs = { rows: z.int(), uri: z.string(), done: z.boolean() };

type Make = <S>(given: InputReferences<typeof inputs, S>, up: StepOutputs<typeof outputs, S>) => Condition<S>;

function define(make: Make) {
  return (scope: ConstructorParameters<typeof ContainerTask>[0]) => {
    const task = new ContainerTask(scope, 'task', { image: 'x', outputs });
    new Workflow(scope, 'w', { inputs }, ({ inputs: given, step }) => {
      const up = step('up-1', task);
      step('down', task).when(make(given, up.outputs));
    });
  };
}

type StatusMake = <S>(status: StepStatus<S>) => Condition<S>;

const problemsOf = (make: Make) => synthProblems(define(make));

function compiled(make: Make) {
  const decoded = decodeGraph(find(synth(define(make)), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps.at(-1)!.when!;
}

const convert = 'compare values of one type, or convert with int(), double() or string()';

describe('a condition', () => {
  it.each<[string, Make]>([
    ['inputs.count > 3', (given) => gt(given.count, 3)],
    ['inputs.ratio > 3.0', (given) => gt(given.ratio, 3)],
    ['inputs.maybe == null', (given) => eq(given.maybe, null)],
    ['inputs.maybe == 3.0', (given) => eq(given.maybe, 3)],
    ['dyn(inputs.ratio) == inputs.count', (given) => eq(given.ratio, given.count)],
    ['inputs.ratio == 2.5', (given) => eq(given.ratio, 2.5)],
    ['inputs.tier != "hot"', (given) => ne(given.tier, 'hot')],
    ['steps["up-1"].outputs.done', (_given, up) => isTrue(up.done)],
    ['(!(inputs.count > 3)) && (inputs.site == "a")', (given) => and(not(gt(given.count, 3)), eq(given.site, 'a'))],
    [
      'steps["up-1"].outputs.rows > 3 && inputs.site.startsWith("eu-")',
      (given, up) => cel`${up.rows} > 3 && ${given.site}.startsWith("eu-")`,
    ],
    ['inputs.site in ["a", "b\\"c"]', (given) => cel`${given.site} in ${['a', 'b"c']}`],
    ['inputs.site.matches("^\\\\d+$")', (given) => cel`${given.site}.matches("^\\d+$")`],
    [
      'inputs.tags.exists(t, t == "x") && size(inputs.tags) > 1',
      (given) => cel`${given.tags}.exists(t, t == "x") && size(${given.tags}) > ${1}`,
    ],
    [
      'inputs.limits.rows > 3 && inputs.limits["max-size"] > 0.5',
      (given) => cel`${given.limits}.rows > 3 && ${given.limits}["max-size"] > ${0.5}`,
    ],
    [
      'inputs.labels["a"] == "x" || "b" in inputs.labels',
      (given) => cel`${given.labels}["a"] == "x" || "b" in ${given.labels}`,
    ],
    ['inputs.spots[0].x > 1.0', (given) => cel`${given.spots}[0].x > 1.0`],
    ['inputs.any.deep[0] == 3', (given) => cel`${given.any}.deep[0] == 3`],
    ['inputs.count > 3 // "quoted', () => cel`inputs.count > 3 // "quoted`],
  ])('%s', (expected, make) => {
    expect(problemsOf(make)).toEqual([]);
    expect(compiled(make).cel).toBe(expected);
  });

  it('may look at how a step ended', () => {
    const make: StatusMake = (status) => cel`${status.phase} == "Failed" && ${status.attempt} > 1`;
    const conditions = (scope: Parameters<ReturnType<typeof define>>[0]) => {
      const task = new ContainerTask(scope, 'task', { image: 'x' });
      new Workflow(scope, 'w', {}, ({ step }) => {
        step('down', task).when(make(step('up', task).status));
        step('wrong', task).when(cel`${step('other', task).status.attempt} == "1"`);
      });
    };
    expect(synthProblems(conditions)).toEqual([
      `[w/wrong] when: the condition "steps.other.status.attempt == \\"1\\"" is wrong: no such overload: int == string; ${convert}`,
    ]);
  });

  it('names the steps that it cannot do without, and the values that have a default', () => {
    expect(compiled((given, up) => and(cel`${up.rows} > 3`, gt(given.count.or(2), 1), eq(up.uri.or(''), '')))).toEqual({
      cel: expect.any(String) as string,
      steps: ['up-1'],
      values: [
        { at: ['inputs', 'count'], source: { input: 'count', default: 2 }, schema: expect.anything() as object },
        {
          at: ['steps', 'up-1', 'outputs', 'uri'],
          source: { step: 'up-1', output: 'uri', default: '' },
          schema: { type: 'string' },
        },
      ],
    });
  });

  const reference = 'read inputs as inputs.<name>, and put outputs of steps in as references';
  it.each<[string, string, Make]>([
    ['inputs.site > 3', `is wrong: no such overload: string > int; ${convert}`, (given) => cel`${given.site} > 3`],
    ['inputs.ratio + 1 > 2', `is wrong: no such overload: double + int; ${convert}`, () => cel`inputs.ratio + 1 > 2`],
    ['inputs.limits > 3', `is wrong: no such overload: inputs.limits > int; ${convert}`, () => cel`inputs.limits > 3`],
    [
      'inputs.site.starts("a")',
      `is wrong: found no matching overload for 'string.starts(string)'; ${convert}`,
      () => cel`inputs.site.starts("a")`,
    ],
    ['inputs.count', 'is of type int, not bool; compare it with something', (given) => cel`${given.count}`],
    ['inputs.sit == "a"', 'is wrong: No such key: sit; did you mean "site"?', () => cel`inputs.sit == "a"`],
    ['inputs.limits.row > 3', 'is wrong: No such key: row; did you mean "rows"?', () => cel`inputs.limits.row > 3`],
    [
      'steps.up.outputs.rows > 3',
      `is wrong: Unknown variable: steps; ${reference}`,
      () => cel`steps.up.outputs.rows > 3`,
    ],
    [
      'steps["up-1"].outputs.rows > 3 && steps["up-1"].outputs.done',
      `is wrong: No such key: done; ${reference}`,
      (_given, up) => cel`${up.rows} > 3 && steps["up-1"].outputs.done`,
    ],
    ['inputs.count >', 'is wrong: Unexpected token: EOF', () => cel`inputs.count >`],
    [
      'undefined > 3',
      `is wrong: Unknown variable: undefined; ${reference}`,
      (given) => cel`${(given as never)['nothing']} > 3`,
    ],
    [
      '(inputs.count > 3) && (inputs.count < 5)',
      'has two defaults for inputs.count, 1 and 2; give it one',
      (given) => and(cel`${given.count.or(1)} > 3`, cel`${given.count.or(2)} < 5`),
    ],
  ])('%s is refused at synth', (written, expected, make) => {
    expect(problemsOf(make)).toEqual([`[w/down] when: the condition ${JSON.stringify(written)} ${expected}`]);
  });

  it('has no value inside a string', () => {
    for (const make of [
      (given) => cel`"${given.site}-1" == "a-1"`,
      (given) => cel`inputs.site == 'it is ${given.site}'`,
      (given) => cel`inputs.site == """a "quoted" ${given.site}"""`,
    ] satisfies Make[])
      expect(() => problemsOf(make)).toThrow(
        'inputs.site stands inside a string of the condition; end the string before it and join with +',
      );
    expect(problemsOf((given) => cel`'it\'s "' + "\"" != ${given.site}`)).toEqual([]);
  });
});

describe('a value in a condition', () => {
  const context = { value: undefined as unknown };
  const evaluate = (literal: string) => loadCel().evaluate(`[dyn(${literal})][0]`, context) as unknown;

  it('is what it was, as a literal', () => {
    const text = fc.string({ unit: 'grapheme' });
    // CEL's maps leave out what JavaScript reserves.
    const key = text.map((name) => `.${name}`);
    const scalar = fc.oneof(text, fc.boolean(), fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const law = (value: Json): void => {
      expect(toJson(evaluate(celLiteral(value)))).toEqual(value === 0 ? 0 : value);
    };
    fc.assert(fc.property(scalar, law));
    fc.assert(fc.property(fc.array(text), law));
    fc.assert(fc.property(fc.dictionary(key, fc.boolean(), { noNullPrototype: true }), law));
  });

  it.each([
    [3, undefined, '3'],
    [3, 'double', '3.0'],
    [-3, undefined, '-3'],
    [1e21, undefined, '1e+21'],
    [0.1, undefined, '0.1'],
  ] as const)('%s as %s is %s', (value, type, expected) => {
    expect(celLiteral(value, type)).toBe(expected);
  });

  it('is JSON', () => {
    expect(() => cel`inputs.ratio > ${NaN}`).toThrow('NaN is no JSON value');
  });
});

const toJson = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
