import { cel, ContainerTask, eq, gt, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import { toMermaid } from '../../lib/graph/mermaid.ts';
import { find, synth, synthProblems } from './support.ts';

const inputs = { site: z.string(), cost: z.number().default(1) };
type Inputs = typeof inputs;

function tasks(scope: Construct) {
  return {
    size: new ContainerTask(scope, 'size', { image: 'x', outputs: { rows: z.int(), uri: z.string() } }),
    price: new ContainerTask(scope, 'price', {
      image: 'x',
      inputs: { of: z.string().optional() },
      outputs: { price: z.number() },
    }),
    report: new ContainerTask(scope, 'report', { image: 'x', inputs: { price: z.number() } }),
  };
}

type Build = <S>(workflow: WorkflowBuilder<Inputs, S>, made: ReturnType<typeof tasks>) => object | void;

function define(scope: Construct, build: Build): void {
  const made = tasks(scope);
  new Workflow(scope, 'w', { inputs }, (workflow) => build(workflow, made) as never);
}

function graphOf(build: Build) {
  const decoded = decodeGraph(
    find(
      synth((chart) => define(chart, build)),
      'ConfigMap',
    ) as never,
  );
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph;
}

const problemsOf = (build: Build) => synthProblems((chart) => define(chart, build));

const prices: Build = ({ inputs: given, step, branch }, { size, price, report }) => {
  const sized = step('size', size);
  const priced = branch('price')
    .if(gt(sized.outputs.rows, 1000), () => ({ price: step('bulk', price).outputs.price }))
    .elseIf(eq(given.site, 'site-a'), () => ({ price: given.cost }))
    .else(() => {
      const { outputs } = step('single', price, { of: sized.outputs.uri });
      return { price: step('again', price, { of: given.site }).when(gt(outputs.price, 0)).outputs.price };
    });
  step('report', report, { price: priced.price });
  return { price: priced.price.or(0) };
};

const isLarge = 'steps.size.outputs.rows > 1000';
const isSiteA = 'inputs.site == "site-a"';

describe('a branch', () => {
  it('gives every step of an arm its condition, and the values of the arms as one', () => {
    const { steps, outputs } = graphOf(prices);
    const otherwise = `(!(${isLarge})) && (!(${isSiteA}))`;
    expect(Object.fromEntries(steps.map(({ name, when }) => [name, when?.cel]))).toEqual({
      size: undefined,
      bulk: isLarge,
      single: otherwise,
      again: `(${otherwise}) && (steps.single.outputs.price > 0.0)`,
      report: undefined,
    });
    const first = [
      { step: 'bulk', output: 'price' },
      { if: { cel: `(!(${isLarge})) && (${isSiteA})`, steps: ['size'] }, then: { input: 'cost' } },
      { step: 'again', output: 'price' },
    ];
    expect(steps.at(-1)).toMatchObject({ inputs: { price: { first } } });
    expect(outputs).toEqual({ price: { first, default: 0 } });
  });

  it('is drawn with its conditions and with an edge from each arm', () => {
    const picture = toMermaid(graphOf(prices));
    expect(picture).toContain('s1 -->|"price"| s4');
    expect(picture).toContain('s3 -->|"price"| s4');
    expect(picture).toContain('s0 -->|"rows"| s4');
    expect(picture).toContain('when steps.size.outputs.rows #62; 1000');
  });

  it('may be in an arm of another: its steps run only if both arms do', () => {
    const { steps } = graphOf(({ inputs: given, step, branch }, { size, price, report }) => {
      const sized = step('size', size);
      const outer = branch('outer')
        .if(gt(sized.outputs.rows, 1000), () => {
          const inner = branch('inner')
            .if(eq(given.site, 'site-a'), () => ({ price: step('a', price).outputs.price }))
            .else(() => ({ price: 1.5 }));
          return { price: inner.price };
        })
        .else(() => ({ price: step('b', price).outputs.price }));
      step('report', report, { price: outer.price });
    });
    const both = `(${isLarge}) && (${isSiteA})`;
    expect(steps.map(({ when }) => when?.cel)).toEqual([undefined, both, `!(${isLarge})`, undefined]);
    expect(steps.at(-1)).toMatchObject({
      inputs: {
        price: {
          first: [
            {
              if: { cel: isLarge },
              then: {
                first: [
                  { step: 'a', output: 'price' },
                  { if: { cel: `(${isLarge}) && (!(${isSiteA}))` }, then: { value: 1.5 } },
                ],
              },
            },
            { step: 'b', output: 'price' },
          ],
        },
      },
    });
  });

  it('gives values that conditions read', () => {
    const { steps } = graphOf(({ step, branch }, { size, price }) => {
      const sized = step('size', size);
      const rows = branch('rows')
        .if(gt(sized.outputs.rows, 5), () => ({ left: 5 }))
        .else(() => ({ left: sized.outputs.rows }));
      step('one', price).when(cel`${rows.left} + 1 > 3 && ${sized.outputs.rows} == ${rows.left}`);
      step('two', price).when(gt(rows.left.or(1), 3));
    });
    expect(steps[1]!.when).toMatchObject({
      cel: 'branches.rows.left + 1 > 3 && steps.size.outputs.rows == branches.rows.left',
      steps: ['size'],
      values: [{ at: ['branches', 'rows', 'left'], source: { first: [{ then: { value: 5 } }, {}] } }],
    });
    expect(steps[2]!.when).toMatchObject({ values: [{ source: { default: 1 } }] });
  });
});

describe('synth refuses, all at once,', () => {
  const js = (value: unknown) => value as never;

  it('branches that cannot be', () => {
    const problems = problemsOf(({ inputs: given, step, branch }, { size }) => {
      const sized = step('size', size);
      branch('empty');
      const large = gt(sized.outputs.rows, 1000);
      const arms = branch('names').if(large, () => ({ price: 1, tier: 'hot' }));
      arms.elseIf(
        eq(given.site, 'a'),
        js(() => ({ price: 2, note: '' })),
      );
      arms.else(js(() => ({ price: 2, tier: undefined })));
      branch('nothing').if(large, () => ({ elseIf: 1 }));
      branch('nothing').if(large, () => void [step('twin', size), step('twin', size)]);
    });
    expect(problems).toEqual([
      '[w] branch empty: has no arm; add one with .if(condition, ...)',
      '[w] branch names.elseIf[0]: gives price, note, but the first arm gives price, tier; give values of the same names in every arm',
      '[w] branch names.else: gives price, but the first arm gives price, tier; give values of the same names in every arm',
      '[w] branch nothing: gives a value named "elseIf", which adds an arm; rename it',
      '[w] branch nothing: two branches have this name; rename one',
      '[w] twin: two steps are named "twin"; rename one',
    ]);
  });

  it('a step for the end of a run that cannot do without the value of a branch', () => {
    const handled =
      (fallback: boolean): Build =>
      ({ inputs: given, step, branch }, { price, report }) => {
        const priced = branch('price')
          .if(eq(given.site, 'a'), () => ({ price: step('bulk', price).outputs.price }))
          .else(() => ({ price: 1 }));
        step('late', report, { price: fallback ? priced.price.or(0) : priced.price }).finally();
      };
    expect(problemsOf(handled(true))).toEqual([]);
    expect(problemsOf(handled(false))).toEqual([
      '[w] late: takes outputs of step "bulk", which there are none of when that one does not succeed; this step runs all the same; give the references a default with .or(...), or look at the status of the step',
    ]);
  });

  it('values and conditions of another workflow, and conditions of the wrong type', () => {
    const problems = synthProblems((chart) => {
      let leaked: unknown;
      define(chart, ({ step }, { size }) => {
        leaked = step('size', size).outputs.rows;
      });
      new Workflow(chart, 'other', { inputs }, ({ inputs: given, branch }) => {
        branch('a')
          .if(gt(js(leaked), 3), () => ({ rows: 1 }))
          .elseIf(cel`${given.site} + 1`, () => ({ rows: leaked as never }));
      });
    });
    expect(problems).toEqual([
      '[other] branch a.if: steps.size.outputs.rows belongs to another workflow; pass it in as an input of this workflow',
      '[other] branch a.elseIf[0].rows: steps.size.outputs.rows belongs to another workflow; pass it in as an input of this workflow',
      '[other] branch a.elseIf[0]: the condition "inputs.site + 1" is wrong: no such overload: string + int; compare values of one type, or convert with int(), double() or string()',
    ]);
  });
});
