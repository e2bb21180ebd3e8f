import { describe, expect, it } from 'vitest';
import type { FailurePolicy } from '../../lib/graph/graph.ts';
import { edgeVerdict } from '../../lib/engine/edges.ts';
import type { EdgeKind } from '../../lib/graph/step-edges.ts';
import type { StepRecord } from '../../lib/engine/record.ts';
import { begin, graphOf, rowsOf, withRows, type Scenario, type StepSketch } from './scenario.ts';

const whenFalse = { cel: 'false', steps: [] };

/** An upstream `up`, and how it comes to its end. */
const ends: Record<
  string,
  { steps: Record<string, StepSketch>; play: (run: Scenario) => void; policy?: FailurePolicy }
> = {
  succeeded: { steps: { up: withRows }, play: (run) => run.succeed('up', { rows: 1 }) },
  'was skipped since its when was false': { steps: { up: { ...withRows, when: whenFalse } }, play: () => {} },
  'was skipped for another reason': {
    steps: { first: { ...withRows, when: whenFalse }, up: { ...withRows, inputs: { rows: rowsOf('first') } } },
    play: () => {},
  },
  failed: { steps: { up: withRows }, play: (run) => run.fail('up') },
  'failed with continueOnFailure': {
    steps: { up: { ...withRows, continueOnFailure: true } },
    play: (run) => run.fail('up'),
  },
  'was cancelled': {
    steps: { up: withRows, bad: {} },
    play: (run) => run.fail('bad').fail('up'),
    policy: 'CancelRunning',
  },
};

const edges: Record<string, StepSketch> = {
  order: { after: ['up'] },
  data: { inputs: { rows: rowsOf('up') } },
  'data with a default': { inputs: { rows: rowsOf('up', 0) } },
  'data for a condition': { when: { cel: 'steps.up.outputs.rows >= 0', steps: ['up'] } },
  'data with a default, and without another time': {
    inputs: { rows: rowsOf('up', 0), again: { list: [rowsOf('up')] } },
  },
  'data with a default, and for a condition': {
    inputs: { rows: rowsOf('up', 0) },
    when: { cel: 'steps.up.outputs.rows >= 0', steps: ['up'] },
  },
  'order and data': { after: ['up'], inputs: { rows: rowsOf('up') } },
};

const started = 'Running/Created';
const unavailable = 'Skipped/InputUnavailable';
const allSame = (end: string) => Object.fromEntries(Object.keys(edges).map((edge) => [edge, end]));
const onlyWithValues = {
  ...allSame(unavailable),
  order: started,
  'data with a default': started,
};

const table: Record<string, Record<string, string>> = {
  succeeded: allSame(started),
  'was skipped since its when was false': onlyWithValues,
  'was skipped for another reason': allSame('Skipped/UpstreamSkipped'),
  failed: allSame('Skipped/UpstreamFailed'),
  'failed with continueOnFailure': onlyWithValues,
  'was cancelled': allSame('Cancelled/UpstreamCancelled'),
};

describe.each(Object.keys(ends))('a step whose upstream %s', (end) => {
  it.each(Object.entries(table[end]!))('with an edge for %s is %s', (edge, expected) => {
    const { steps, play, policy } = ends[end]!;
    const run = begin(graphOf({ ...steps, down: edges[edge]! }, { failurePolicy: policy ?? 'RunIndependent' }));
    play(run);
    expect(run.phase('down')).toBe(expected);
  });
});

describe('a step with several upstreams', () => {
  const failurePolicy = 'CancelRunning';
  const steps = {
    bad: {},
    stopped: {},
    skipped: { when: whenFalse, ...withRows },
    blind: { inputs: { rows: rowsOf('skipped') } },
  };

  it('is cancelled when one of them was, whatever the others are', () => {
    const run = begin(graphOf({ ...steps, down: { after: ['bad', 'stopped', 'blind'] } }, { failurePolicy }));
    expect(run.fail('bad').phase('down')).toBe('Pending/WaitingForUpstreams');
    expect(run.fail('stopped').phase('down')).toBe('Cancelled/UpstreamCancelled');
    expect(run.run.step('down').message).toBe('step stopped was cancelled');
  });

  it('names a failed one before a skipped one', () => {
    const down = { after: ['blind', 'bad'], inputs: { rows: rowsOf('skipped') } };
    const run = begin(graphOf({ ...steps, down }, { failurePolicy })).fail('bad');
    expect(run.run.step('down')).toMatchObject({
      phase: 'Skipped',
      reason: 'UpstreamFailed',
      message: 'step bad failed',
    });
  });

  it('names a skipped one before one that merely has no values', () => {
    const run = begin(graphOf({ ...steps, down: { after: ['blind'], inputs: { rows: rowsOf('skipped') } } }));
    expect(run.run.step('down').message).toBe('step blind was skipped (InputUnavailable)');
    expect(run.run.step('blind').message).toBe('step skipped has no outputs: its condition was false');
  });

  it('is not decided before the last of them has ended', () => {
    const run = begin(graphOf({ a: {}, b: {}, down: { after: ['a', 'b'] } }, { failurePolicy: 'RunIndependent' }));
    expect(run.fail('a').phase('down')).toBe('Pending/WaitingForUpstreams');
    expect(run.succeed('b').phase('down')).toBe('Skipped/UpstreamFailed');
  });
});

it('a skip passes down a long chain without recursion', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
  const steps = Object.fromEntries(
    names.map((name, index) => [name, index === 0 ? {} : { after: [names[index - 1]!] }]),
  );
  const run = begin(graphOf(steps)).fail('s0');
  expect(run.run.counts()).toMatchObject({ failed: 1, skipped: 19_999 });
  expect(run.end).toBe('Failed/StepFailed');
});

it.each(['order', 'data', 'data-with-default'] satisfies EdgeKind[])(
  'an edge for %s cannot be judged early',
  (edge) => {
    const upstream: StepRecord = { phase: 'Running', reason: 'Created', attempts: [] };
    expect(() => edgeVerdict(upstream, false, edge)).toThrow('before its upstream ended');
  },
);
