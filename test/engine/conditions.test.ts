import { describe, expect, it } from 'vitest';
import type { Json } from '../../lib/values/json.ts';
import { begin, graphOf, withRows } from './scenario.ts';

const inputs = {
  properties: {
    site: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    list: { type: 'array', items: { type: 'integer' } },
    nested: { type: 'object', properties: { depth: { type: 'integer' } }, additionalProperties: { type: 'integer' } },
    'a-b': { type: 'boolean' },
  },
  required: [],
} as const;

function decided(cel: string, values: Record<string, Json> = {}) {
  const steps = { up: withRows, down: { when: { cel, steps: ['up'] } } };
  const run = begin(graphOf(steps, { inputs }), { inputs: values }).succeed('up', { rows: 3, note: 'ok' });
  return run.run.step('down');
}

describe('a condition', () => {
  it.each([
    ['steps.up.outputs.rows > 0', {}],
    ['steps.up.outputs.rows + 1 == 4', {}],
    ['steps.up.outputs.rows > 2.5', {}],
    ['steps["up"].outputs.note == "ok"', {}],
    ['inputs.site.startsWith("site-")', { site: 'site-a' }],
    ['inputs.count * 2 == 4', { count: 2 }],
    ['inputs.ratio * 2.0 == 4.0', { ratio: 2 }],
    ['inputs.maybe + 1 == 3', { maybe: 2 }],
    ['inputs.maybe == null', { maybe: null }],
    ['inputs.list.all(n, n % 2 == 0) && inputs.list.size() == 2', { list: [2, 4] }],
    ['inputs.nested.depth + inputs.nested.other == 3', { nested: { depth: 1, other: 2 } }],
    ['inputs["a-b"]', { 'a-b': true }],
    ['!has(inputs.site)', {}],
  ])('%s lets the step start', (cel, values) => {
    expect(decided(cel, values)).toMatchObject({ phase: 'Running' });
  });

  it('that is false skips the step and says so', () => {
    expect(decided('steps.up.outputs.rows > 3')).toMatchObject({
      phase: 'Skipped',
      reason: 'WhenFalse',
      message: 'steps.up.outputs.rows > 3 is false',
    });
  });

  it.each([
    ['steps.up.outputs.rows', 'the condition "steps.up.outputs.rows" is 3, not true or false'],
    ['inputs.site', 'the condition "inputs.site" is "x", not true or false'],
    ['inputs.nothing == 1', 'the condition "inputs.nothing == 1" failed: No such key: nothing'],
    ['steps.up.outputs.rows >', 'the condition "steps.up.outputs.rows >" failed: Unexpected token: EOF'],
    ['inputs.ratio + 1 == 2', 'the condition "inputs.ratio + 1 == 2" failed: no such overload: dyn<double> + int'],
  ])('%s fails the step for good', (cel, message) => {
    expect(decided(cel, { site: 'x', ratio: 1 })).toMatchObject({
      phase: 'Failed',
      reason: 'ConditionError',
      message,
      attempts: [],
    });
  });

  it('does not read the outputs of steps it did not name', () => {
    const steps = { up: withRows, other: { after: ['up'], when: { cel: 'steps.up.outputs.rows == 3', steps: [] } } };
    const run = begin(graphOf(steps)).succeed('up', { rows: 3 });
    expect(run.phase('other')).toBe('Failed/ConditionError');
  });
});
