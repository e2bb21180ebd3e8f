import { describe, expect, it } from 'vitest';
import type { ValueCondition, ValueSource } from '../../lib/graph/value-source.ts';
import { begin, graphOf, rowsOf, rowsSchema, withRows, type Scenario, type StepSketch } from './scenario.ts';

const onSize = (cel: string): ValueCondition => ({ cel, steps: ['size'] });
const large = onSize('steps.size.outputs.rows > 10');
const small = onSize('!(steps.size.outputs.rows > 10)');

/** What the arms of a branch compile to: `bulk` runs for many rows, `single` and what follows it for few. */
const arms: Record<string, StepSketch> = {
  size: withRows,
  bulk: { ...withRows, when: large },
  single: { ...withRows, when: small },
  twice: { ...withRows, when: small, inputs: { rows: rowsOf('single') } },
  thrice: { ...withRows, when: small, inputs: { rows: rowsOf('twice') } },
};

const joined: ValueSource = { first: [rowsOf('bulk'), rowsOf('thrice')] };

function run(report: StepSketch, more: Record<string, StepSketch> = {}): Scenario {
  return begin(graphOf({ ...arms, ...more, report }, { failurePolicy: 'RunIndependent' }));
}

const inputsOf = (scenario: Scenario, step: string) => {
  const command = scenario.commands.find((one) => one.step === step);
  return command?.kind === 'start' ? command.inputs : undefined;
};

describe('a step that takes the value of a branch', () => {
  it('gets it from the arm that ran; every step of the other arm is skipped since its condition was false', () => {
    const scenario = run({ inputs: { rows: joined } }).succeed('size', { rows: 11 });
    expect(scenario.phases()).toMatchObject({
      bulk: 'Running/Created',
      single: 'Skipped/WhenFalse',
      twice: 'Skipped/WhenFalse',
      thrice: 'Skipped/WhenFalse',
      report: 'Pending/WaitingForUpstreams',
    });
    expect(inputsOf(scenario.succeed('bulk', { rows: 5 }), 'report')).toEqual({ rows: 5 });
  });

  it('waits for the last step of the arm that runs', () => {
    const scenario = run({ inputs: { rows: joined } }).succeed('size', { rows: 1 });
    scenario.succeed('single', { rows: 2 }).succeed('twice', { rows: 3 });
    expect(scenario.phase('report')).toBe('Pending/WaitingForUpstreams');
    expect(inputsOf(scenario.succeed('thrice', { rows: 4 }), 'report')).toEqual({ rows: 4 });
  });

  it.each<[string, ValueSource, string]>([
    ['cannot do without', joined, 'Skipped/UpstreamFailed'],
    ['with a default has no use for a failure either', { ...joined, default: 0 }, 'Skipped/UpstreamFailed'],
  ])('%s: a failed arm', (_name, source, expected) => {
    const scenario = run({ inputs: { rows: source } })
      .succeed('size', { rows: 11 })
      .fail('bulk');
    expect(scenario.phase('report')).toBe(expected);
  });

  it('is skipped when no arm ran, unless it has a default', () => {
    const source: ValueSource = { first: [rowsOf('bulk')] };
    const scenario = run({ inputs: { rows: source } }, { other: { inputs: { rows: { ...source, default: 7 } } } });
    scenario.succeed('size', { rows: 1 });
    expect(scenario.run.step('report')).toMatchObject({
      phase: 'Skipped',
      reason: 'InputUnavailable',
      message: 'there is no value for steps.bulk.outputs.rows',
    });
    expect(inputsOf(scenario, 'other')).toEqual({ rows: 7 });
  });

  it('is skipped with the arms when their conditions cannot be told', () => {
    const scenario = begin(
      graphOf({ ...arms, size: { ...withRows, when: { cel: 'false', steps: [] } }, report: { inputs: { joined } } }),
    );
    expect(scenario.phases()).toMatchObject({
      bulk: 'Skipped/InputUnavailable',
      single: 'Skipped/InputUnavailable',
      report: 'Skipped/UpstreamSkipped',
    });
  });

  it.each<[string, number, number]>([
    ['a value that is known', 11, 3],
    ['the step of the other arm', 1, 20],
  ])('gets %s, whichever arm runs', (_name, size, expected) => {
    const source: ValueSource = { first: [{ if: large, then: { value: 3 } }, rowsOf('single')] };
    const scenario = run({ inputs: { rows: source } }).succeed('size', { rows: size });
    if (size === 1) scenario.succeed('single', { rows: 20 });
    expect(inputsOf(scenario, 'report')).toEqual({ rows: expected });
  });

  it('takes null for a value where an arm gives it', () => {
    const source: ValueSource = {
      first: [
        { if: large, then: { value: null } },
        { if: small, then: rowsOf('single') },
      ],
      default: 1,
    };
    const scenario = run({ inputs: { rows: source } }).succeed('size', { rows: 11 });
    expect(inputsOf(scenario, 'report')).toEqual({ rows: null });
  });

  it('may read it in its condition', () => {
    const when: ValueCondition = {
      cel: 'branches.price.rows + 1 == 6',
      steps: [],
      values: [{ at: ['branches', 'price', 'rows'], source: joined, schema: { type: 'integer' } }],
    };
    const scenario = run({ when }, { never: { when: { ...when, cel: 'branches.price.rows > 5' } } });
    scenario.succeed('size', { rows: 11 }).succeed('bulk', { rows: 5 });
    expect(scenario.phases()).toMatchObject({ report: 'Running/Created', never: 'Skipped/WhenFalse' });
  });
});

describe('a step that lacks a value', () => {
  const size = { size: withRows, none: { ...withRows, when: { cel: 'false', steps: [] } } };
  it.each<[string, StepSketch, string]>([
    ['and whose condition is false', { when: small }, 'Skipped/WhenFalse'],
    ['and whose condition is true', { when: large }, 'Skipped/InputUnavailable'],
    [
      'and whose condition is false whatever the value is',
      { when: { cel: '(!(steps.size.outputs.rows > 10)) && (steps.none.outputs.rows > 1)', steps: ['size', 'none'] } },
      'Skipped/WhenFalse',
    ],
    [
      'that its condition asks for',
      { when: { cel: 'has(steps.none.outputs.rows)', steps: ['none'] } },
      'Skipped/InputUnavailable',
    ],
  ])('%s', (_name, sketch, expected) => {
    const scenario = begin(graphOf({ ...size, down: { inputs: { rows: rowsOf('none') }, ...sketch } }));
    expect(scenario.succeed('size', { rows: 11 }).phase('down')).toBe(expected);
  });
});

describe('a condition on a value with a default', () => {
  const when: ValueCondition = {
    cel: 'steps.up.outputs.rows > 3',
    steps: [],
    values: [{ at: ['steps', 'up', 'outputs', 'rows'], source: rowsOf('up', 4), schema: rowsSchema.properties.rows! }],
  };

  it('is decided by the value, or by the default when there is none', () => {
    const graph = (up: StepSketch) => graphOf({ up: { ...withRows, ...up }, down: { when } });
    expect(begin(graph({})).phase('down')).toBe('Pending/WaitingForUpstreams');
    expect(begin(graph({})).succeed('up', { rows: 3 }).phase('down')).toBe('Skipped/WhenFalse');
    expect(begin(graph({ when: { cel: 'false', steps: [] } })).phase('down')).toBe('Running/Created');
    expect(
      begin(graph({ continueOnFailure: true }))
        .fail('up')
        .phase('down'),
    ).toBe('Running/Created');
    expect(begin(graph({})).fail('up').phase('down')).toBe('Skipped/UpstreamFailed');
  });

  it('fails its step, and nothing else, in a graph that was changed by hand', () => {
    const places = [[], ['__proto__', 'x'], ['inputs'], ['constructor', 'prototype', 'x'], ['steps', 'up']];
    for (const at of places) {
      const changed = { ...when, values: [{ ...when.values![0]!, at }] };
      const scenario = begin(graphOf({ up: withRows, down: { when: changed } })).succeed('up', { rows: 9 });
      expect(scenario.phase('down')).toBe('Failed/ConditionError');
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
