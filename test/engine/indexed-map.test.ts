import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { endOfItems, type ItemEnd } from '../../lib/engine/item-ends.ts';
import { itemBytes, itemValues } from '../../lib/engine/item-values.ts';
import { Run } from '../../lib/engine/run.ts';
import type { IndexedMapStep } from '../../lib/graph/graph.ts';
import type { ValueSource } from '../../lib/graph/value-source.ts';
import { encodeValue } from '../../lib/values/environment.ts';
import type { Json } from '../../lib/values/json.ts';
import { begin, graphOf, rowsOf, rowsSchema, T0, withRows, type Scenario, type StepSketch } from './scenario.ts';

const list = (...values: Json[]): ValueSource => ({ value: values });

/** A map as one Job over a list of values for the input `shard`. */
function indexed(
  more: Partial<IndexedMapStep> = {},
  over: Record<string, ValueSource> = { shard: list('a', 'b', 'c') },
): StepSketch {
  const inputs = Object.fromEntries(Object.keys(over).map((input) => [input, { item: input }]));
  const lists = Object.entries(over).map(([input, each]) => ({ input, list: each }));
  return { kind: 'indexedMap', over: lists, inputs, itemOutputs: rowsSchema, outputs: listOfRows, ...more };
}

const listOfRows = { properties: { rows: { type: 'array', items: { type: 'integer' } } }, required: ['rows'] };
const gave = (rows: number): ItemEnd => ({ kind: 'succeeded', outputs: { text: JSON.stringify({ rows }) } });
const failed = (message = 'exit code 1'): ItemEnd => ({ kind: 'failed', message });

/** Ends the attempt as a shell would: what its items did, in their order; nothing for those that ran to no end. */
function end(run: Scenario, ...ends: (ItemEnd | undefined)[]): Scenario {
  const node = run.topology.byName.get('m')!.node as IndexedMapStep;
  const known = ends.flatMap((one, item) => (one === undefined ? [] : [[item, one] as const]));
  const at = { startedAt: T0, finishedAt: T0 };
  const otherwise = { kind: 'failed', failure: 'user', reason: 'AttemptTimeout', message: 'late', ...at } as const;
  const state = endOfItems(node, { count: ends.length, ends: new Map(known), ...at, otherwise });
  return run.see('m', state);
}

describe('a map as one Job', () => {
  it('starts once, with its lists and the values that are the same for every item', () => {
    const inputs = { shard: { item: 'shard' }, model: { value: 'x' } };
    const run = begin(graphOf({ m: indexed({ inputs }) }), { parallelism: 7 });
    expect(run.commands).toEqual([
      {
        kind: 'start',
        step: 'm',
        attempt: 1,
        inputs: { model: 'x' },
        items: { lists: { shard: ['a', 'b', 'c'] }, count: 3, concurrency: 7, required: 3 },
      },
    ]);
    expect(run.run.step('m')).toMatchObject({ phase: 'Running', reason: 'Created', indexes: 3 });
  });

  it.each<[string, Partial<IndexedMapStep>, object]>([
    ['its own concurrency', { concurrency: 50 }, { concurrency: 50, required: 3 }],
    ['a number that must succeed', { minSuccesses: 2 }, { required: 2 }],
    ['a number beyond its items', { minSuccesses: 9 }, { required: 3 }],
    ['a share that must succeed', { minSuccessRatio: 0.5 }, { required: 2 }],
  ])('says with %j how items are to run', (_name, more, items) => {
    expect(begin(graphOf({ m: indexed(more) })).commands).toMatchObject([{ items }]);
  });

  it('takes one place among the steps that may run, and waits for one', () => {
    const run = begin(graphOf({ m: indexed({ concurrency: 50 }), other: {}, third: {} }), { parallelism: 2 });
    expect(run.asked).toEqual(['start m 1', 'start other 1']);
    const late = begin(graphOf({ other: {}, m: indexed() }), { parallelism: 1 });
    expect(late.run.step('m')).toMatchObject({ phase: 'Waiting', reason: 'ParallelismLimit', indexes: 3 });
    expect(late.succeed('other').asked).toEqual(['start m 1']);
  });

  it('goes over a list that another step gives, and gives lists to the next', () => {
    const steps = { first: withRows, m: indexed({}, { shard: { list: [rowsOf('first'), { value: 7 }] } }) };
    const run = begin(graphOf({ ...steps, next: { inputs: { all: rowsOf('m') } } })).succeed('first', { rows: 5 });
    expect(run.commands).toMatchObject([{ items: { lists: { shard: [5, 7] } } }]);
    expect(end(run, gave(1), gave(2)).commands).toMatchObject([{ step: 'next', inputs: { all: [1, 2] } }]);
    expect(run.run.step('m')).toMatchObject({ phase: 'Succeeded', outputs: { rows: [1, 2] }, indexes: 2 });
  });

  it('of an empty list succeeds at once and gives empty lists', () => {
    const run = begin(graphOf({ m: indexed({}, { shard: list() }), next: { inputs: { all: rowsOf('m') } } }));
    expect(run.phase('m')).toBe('Succeeded/Completed');
    expect(run.commands).toMatchObject([{ step: 'next', inputs: { all: [] } }]);
  });

  it.each<[string, Record<string, ValueSource>, string]>([
    ['what is no list', { shard: { value: 3 } }, 'shard must be a list, not 3'],
    ['too many items', { shard: list(...Array(10_001).fill(0)) }, 'it would have 10001 items; 10000 fit'],
    [
      'values that are too large for all together',
      { shard: list('x'.repeat(50_000), 'y'.repeat(50_000)), depth: list(...Array(100).fill(1)) },
      'its items have 10000200 bytes; 4194304 fit, so pass large values by reference',
    ],
  ])('over %s fails without an attempt', (_name, over, message) => {
    const run = begin(graphOf({ m: indexed({}, over) }));
    expect(run.run.step('m')).toMatchObject({ phase: 'Failed', reason: 'ItemsInvalid', message, attempts: [] });
    expect(run.commands).toEqual([]);
  });

  it('shows how far it has come', () => {
    const run = begin(graphOf({ m: indexed() })).see('m', { kind: 'pending', message: 'no node' });
    expect(run.run.step('m')).toMatchObject({ reason: 'PodPending', message: 'no node' });
    for (const message of ['0 of 3 items done', '1 of 3 items done']) {
      run.see('m', { kind: 'running', startedAt: T0, message });
      expect(run.run.step('m')).toMatchObject({ reason: 'ItemsRunning', message });
      expect(run.run.explain('m', T0)).toBe(message);
    }
    expect(run.see('m', { kind: 'running', startedAt: T0, message: '1 of 3 items done' }).decision?.steps.size).toBe(0);
  });

  it.each<[Partial<IndexedMapStep>, (ItemEnd | undefined)[], string, string | undefined]>([
    [{}, [gave(1), gave(2), gave(3)], 'Succeeded/Completed', undefined],
    [{}, [gave(1), failed(), gave(3)], 'Failed/ItemsFailed', '1 of 3 items failed: m-1 (exit code 1)'],
    [
      { minSuccesses: 2 },
      [gave(1), failed(), gave(3)],
      'Succeeded/Completed',
      '1 of 3 items failed: m-1 (exit code 1)',
    ],
    [
      { minSuccesses: 2 },
      [{ kind: 'succeeded' }, failed(), gave(3)],
      'Failed/ItemsFailed',
      '2 of 3 items failed: m-0 (it wrote no outputs; rows must be there), m-1 (exit code 1)',
    ],
    [{ minSuccesses: 2 }, [gave(1), failed(), undefined], 'Failed/AttemptTimeout', 'late'],
    [
      { minSuccesses: 2 },
      [gave(1), { kind: 'lost' }, gave(3)],
      'Succeeded/Completed',
      'the outputs of 1 are gone with their pods: m-1',
    ],
  ])('with %j and %j ends as %s', (more, ends, phase, message) => {
    const run = end(begin(graphOf({ m: indexed(more) })), ...ends);
    expect(run.phase('m')).toBe(phase);
    expect(run.run.step('m').message).toBe(message);
  });

  it('has null in the places of items that failed', () => {
    const run = begin(graphOf({ m: indexed({ minSuccesses: 1 }), next: { inputs: { all: rowsOf('m') } } }));
    expect(end(run, failed(), gave(2), failed()).commands).toMatchObject([{ inputs: { all: [null, 2, null] } }]);
  });

  it('runs again as a whole when outputs that it needs are lost, and is not tried again for the failures of its items', () => {
    const run = begin(graphOf({ m: indexed({ systemRetries: 1, itemRetries: { limit: 9 } }) }));
    end(run, gave(1), { kind: 'lost' }, gave(3));
    expect(run.run.step('m')).toMatchObject({ phase: 'Waiting', reason: 'Backoff' });
    expect(run.after(2).asked).toEqual(['start m 2']);
    expect(end(run, gave(1), failed(), gave(3)).end).toBe('Failed/StepFailed');
    expect(run.run.step('m').attempts.map(({ reason, failure }) => [reason, failure])).toEqual([
      ['PodDeleted', 'system'],
      ['ItemsFailed', 'user'],
    ]);
  });

  it('needs no outputs of items whose task gives none', () => {
    const run = begin(graphOf({ m: indexed({ itemOutputs: undefined, outputs: undefined }) }));
    expect(end(run, { kind: 'lost' }, { kind: 'succeeded' }, { kind: 'lost' }).phase('m')).toBe('Succeeded/Completed');
  });

  it('fails with the size when what its items gave does not fit into a record', () => {
    const note: ItemEnd = { kind: 'succeeded', outputs: { text: JSON.stringify({ rows: 1, note: 'x'.repeat(4000) }) } };
    const outputs = { properties: { rows: {}, note: {} }, required: ['rows', 'note'] };
    const over = { shard: list(...Array(300).fill(0)) };
    const run = end(begin(graphOf({ m: indexed({ outputs }, over) })), ...Array<ItemEnd>(300).fill(note));
    expect(run.run.step('m')).toMatchObject({
      phase: 'Failed',
      reason: 'OutputsTooLarge',
      message: 'the outputs of its 300 items have 1201519 bytes; 983040 bytes fit into the record of the run',
    });
  });

  it.each([
    ['a cancellation', (run: Scenario) => run.ask({ cancel: 'Now' }), 'CancelRequested', 'Cancelled/CancelRequested'],
    ['its time', (run: Scenario) => run.after(11), 'StepTimeout', 'Failed/StepTimeout'],
  ])('is stopped as one by %s', (_name, stop, reason, phase) => {
    const run = stop(begin(graphOf({ m: indexed({ timeoutSeconds: 10 }) })));
    expect(run.asked).toEqual([`stop m 1 ${reason}`]);
    expect(end(run, gave(1), undefined, undefined).phase('m')).toBe(phase);
  });

  it('that was done before it could be stopped has succeeded', () => {
    const run = begin(graphOf({ m: indexed({ timeoutSeconds: 10 }) })).after(11);
    expect(end(run, gave(1), gave(2), gave(3)).phase('m')).toBe('Succeeded/Completed');
  });
});

describe('ten thousand items of one Job', () => {
  it('are one record of a step, which is read again as it was, while it runs and when it has ended', () => {
    const over = { shard: list(...Array.from({ length: 10_000 }, (_, item) => item)) };
    const run = begin(graphOf({ m: indexed({}, over) }));
    run.see('m', { kind: 'running', startedAt: T0, message: '17 of 10000 items done' });
    const again = () => {
      const encoded = encodeRecord(run.run.record());
      const decoded = decodeRecord(encoded);
      if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
      expect(decoded.record).toEqual(run.run.record());
      expect(new Run(run.topology, run.spec, decoded.record).record()).toEqual(run.run.record());
      return encoded;
    };
    expect(JSON.stringify(again()).length).toBeLessThan(1000);
    end(run, ...Array.from({ length: 10_000 }, (_, item) => gave(item)));
    const encoded = again();
    expect(Object.keys(encoded.steps)).toEqual(['m']);
    expect(encoded.items).toBeUndefined();
    expect(JSON.stringify(encoded).length).toBeLessThan(100_000);
  });
});

describe('the values of items', () => {
  const lists = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant({ deep: ['é'] })), { maxLength: 4 }),
    { minKeys: 1 },
  );

  it('have the size that is told without making them', () => {
    fc.assert(
      fc.property(lists, (given) => {
        const count = Object.values(given).reduce((product, { length }) => product * length, 1);
        const values = Array.from({ length: count }, (_, item) => Object.values(itemValues(given as never, item)));
        const bytes = values.flat().reduce((sum: number, value) => sum + Buffer.byteLength(encodeValue(value)), 0);
        expect(itemBytes(given as never)).toBe(bytes);
      }),
    );
  });
});
