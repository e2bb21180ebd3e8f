import { describe, expect, it } from 'vitest';
import type { OutputsText } from '../../lib/engine/advance.ts';
import { readOutputs } from '../../lib/engine/outputs.ts';
import { resolve } from '../../lib/engine/resolve.ts';
import { begin, graphOf, rowsOf, rowsSchema, withRows } from './scenario.ts';

const optional = { properties: { note: { type: 'string' }, level: { type: 'integer', default: 1 } }, required: [] };

describe('what an attempt wrote', () => {
  it.each<[string, OutputsText | undefined, object]>([
    ['is taken over', { text: '{"rows":3,"note":"x"}' }, { outputs: { rows: 3, note: 'x' } }],
    ['loses what was not declared', { text: ' {"rows":3,"more":[1]}\n' }, { outputs: { rows: 3 } }],
    ['must be there', undefined, { reason: 'OutputsMissing', message: 'it wrote no outputs; rows must be there' }],
    [
      'must not be blank',
      { text: ' \n' },
      { reason: 'OutputsMissing', message: 'it wrote no outputs; rows must be there' },
    ],
    [
      'must be JSON',
      { text: 'done!' },
      { reason: 'OutputsNotJson', message: 'the outputs are not a JSON object: "done!"' },
    ],
    [
      'must be an object',
      { text: '[1]' },
      { reason: 'OutputsNotJson', message: 'the outputs are not a JSON object: "[1]"' },
    ],
    [
      'must fit its schema in every field',
      { text: '{"rows":"x","note":1}' },
      {
        reason: 'OutputsInvalid',
        message: 'outputs.rows must be integer, but is "x"; outputs.note must be string, but is 1',
      },
    ],
    [
      'must have every required field',
      { text: '{}' },
      { reason: 'OutputsInvalid', message: 'outputs.rows is missing, give a value of type integer' },
    ],
    [
      'must fit, when its size is known',
      { text: `{"rows":3,"note":"${'é'.repeat(100)}"}`, cutAt: 150 },
      { reason: 'OutputsTooLarge', message: 'the outputs have 220 bytes; 150 bytes fit' },
    ],
    [
      'must fit, when only what was kept is known',
      { text: '{"rows":3', cutAt: 4096 },
      { reason: 'OutputsTooLarge', message: 'the outputs have more than the 4096 bytes that fit; 9 bytes were kept' },
    ],
  ])('%s', (_, written, expected) => {
    expect(readOutputs(rowsSchema, written)).toEqual(expected);
  });

  it('may be nothing when nothing is required; defaults are filled in', () => {
    expect(readOutputs(optional, undefined)).toEqual({ outputs: { level: 1 } });
    expect(readOutputs(optional, { text: '{"note":"x"}' })).toEqual({ outputs: { note: 'x', level: 1 } });
  });

  it('does not matter for a task without outputs', () => {
    expect(readOutputs(undefined, { text: 'all kinds of things', cutAt: 4096 })).toEqual({ outputs: undefined });
  });

  it('is a failure of the task, so that it is tried again', () => {
    const run = begin(graphOf({ a: { ...withRows, retries: { limit: 1 } } }));
    expect(run.succeed('a', { rows: 'x' }).asked).toEqual(['start a 2']);
    run.succeed('a', [1]);
    expect(run.run.step('a')).toMatchObject({
      phase: 'Failed',
      reason: 'OutputsNotJson',
      message: 'the outputs are not a JSON object: "[1]" (2 attempts)',
      attempts: [
        { reason: 'OutputsInvalid', failure: 'user' },
        { reason: 'OutputsNotJson', failure: 'user' },
      ],
    });
  });
});

describe('the inputs of a step', () => {
  const scope = {
    inputs: { site: 'a', nothing: null },
    outputs: (step: string) => (step === 'up' ? { rows: 1, none: null } : undefined),
    lacks: () => false,
    status: () => undefined,
    holds: () => false,
  };

  it('leave out an optional value that is not there', () => {
    const graph = graphOf({
      up: withRows,
      down: {
        inputs: {
          note: { step: 'up', output: 'note' },
          text: { step: 'up', output: 'note', default: 'none' },
          site: { input: 'site' },
        },
      },
    });
    expect(begin(graph).succeed('up', { rows: 1 }).commands).toMatchObject([
      { step: 'down', inputs: { text: 'none' } },
    ]);
  });

  it('keep null, which is a value', () => {
    expect(resolve({ input: 'nothing' }, scope)).toBeNull();
    expect(resolve({ step: 'up', output: 'none', default: 1 }, scope)).toBeNull();
    expect(resolve(rowsOf('other', null), scope)).toBeNull();
  });

  it('have no values but their own', () => {
    expect(resolve({ input: 'toString' }, scope)).toBeUndefined();
    expect(resolve({ fields: JSON.parse('{"__proto__":{"value":1}}') as never }, scope)).toEqual(
      JSON.parse('{"__proto__":1}'),
    );
  });
});
