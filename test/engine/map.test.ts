import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { Run } from '../../lib/engine/run.ts';
import type { MapStep } from '../../lib/graph/graph.ts';
import type { ValueSource } from '../../lib/graph/value-source.ts';
import type { Json } from '../../lib/values/json.ts';
import { begin, graphOf, rowsOf, rowsSchema, withRows, type Scenario, type StepSketch } from './scenario.ts';

const list = (...values: Json[]): ValueSource => ({ value: values });

/** A map over a list of values for the input `shard`. */
function mapOf(
  more: Partial<MapStep> = {},
  over: Record<string, ValueSource> = { shard: list('a', 'b', 'c') },
): StepSketch {
  const inputs = Object.fromEntries(Object.keys(over).map((input) => [input, { item: input }]));
  const outputs = { properties: { rows: { type: 'array', items: { type: 'integer' } } }, required: ['rows'] };
  const lists = Object.entries(over).map(([input, each]) => ({ input, list: each }));
  return { kind: 'map', over: lists, inputs, itemOutputs: rowsSchema, outputs, ...more };
}

const finish = (run: Scenario, ...rows: number[]) => {
  for (const [item, value] of rows.entries()) run.succeed(`m-${item}`, { rows: value });
  return run;
};

describe('a map step', () => {
  it('starts a step for each item, with the values of its lists and of others', () => {
    const run = begin(graphOf({ m: mapOf({ inputs: { shard: { item: 'shard' }, model: { value: 'x' } } }) }));
    expect(run.commands).toEqual([
      { kind: 'start', step: 'm-0', attempt: 1, inputs: { shard: 'a', model: 'x' } },
      { kind: 'start', step: 'm-1', attempt: 1, inputs: { shard: 'b', model: 'x' } },
      { kind: 'start', step: 'm-2', attempt: 1, inputs: { shard: 'c', model: 'x' } },
    ]);
    expect(run.run.step('m')).toMatchObject({ phase: 'Running', message: '0 of 3 items done', items: 3 });
  });

  it('gives what its items give as lists in their order, whoever ends first', () => {
    const graph = graphOf({ m: mapOf(), next: { inputs: { all: rowsOf('m') } } }, { outputs: { all: rowsOf('m') } });
    const run = begin(graph).succeed('m-2', { rows: 3 }).succeed('m-0', { rows: 1 });
    expect(run.run.step('m').message).toBe('2 of 3 items done');
    run.succeed('m-1', { rows: 2 });
    expect(run.commands).toMatchObject([{ step: 'next', inputs: { all: [1, 2, 3] } }]);
    run.succeed('next');
    expect(run.run.state).toMatchObject({ phase: 'Succeeded', outputs: { all: [1, 2, 3] } });
  });

  it('goes over a list that another step gives', () => {
    const steps = { first: withRows, m: mapOf({}, { shard: { list: [rowsOf('first'), { value: 7 }] } }) };
    const run = begin(graphOf(steps)).succeed('first', { rows: 5 });
    expect(run.commands.map((command) => command.kind === 'start' && command.inputs)).toEqual([
      { shard: 5 },
      { shard: 7 },
    ]);
  });

  it('of several lists runs each value of one with each of the others', () => {
    const over = { lr: list(1, 2), depth: list('x', 'y', 'z') };
    const run = begin(graphOf({ m: mapOf({}, over) }));
    expect(run.commands.map((command) => command.kind === 'start' && Object.values(command.inputs).join(''))).toEqual([
      '1x',
      '1y',
      '1z',
      '2x',
      '2y',
      '2z',
    ]);
  });

  it('of an empty list succeeds at once and gives empty lists', () => {
    const run = begin(graphOf({ m: mapOf({}, { shard: list() }), next: { inputs: { all: rowsOf('m') } } }));
    expect(run.phase('m')).toBe('Succeeded/Completed');
    expect(run.commands).toMatchObject([{ step: 'next', inputs: { all: [] } }]);
  });

  it.each<[string, ValueSource, string]>([
    ['what is no list', { value: 3 }, 'shard must be a list, not 3'],
    ['more than fit', list(...Array.from({ length: 10_001 }, () => 0)), 'it would have 10001 items; 10000 fit'],
  ])('over %s fails', (_name, over, message) => {
    const run = begin(graphOf({ m: mapOf({}, { shard: over }) }));
    expect(run.run.step('m')).toMatchObject({ phase: 'Failed', reason: 'ItemsInvalid', message });
  });

  it('runs no more items at once than its concurrency and the run allow', () => {
    const over = { shard: list(0, 1, 2, 3, 4) };
    const run = begin(graphOf({ m: mapOf({ concurrency: 2 }, over) }));
    expect(run.asked).toEqual(['start m-0 1', 'start m-1 1']);
    expect(run.succeed('m-1', { rows: 1 }).asked).toEqual(['start m-2 1']);
    const limited = begin(graphOf({ m: mapOf({}, over) }), { parallelism: 3 });
    expect(limited.asked).toEqual(['start m-0 1', 'start m-1 1', 'start m-2 1']);
    expect(limited.ask({ parallelism: 4 }).asked).toEqual(['start m-3 1']);
  });

  it('tries items again by themselves', () => {
    const run = begin(graphOf({ m: mapOf({ retries: { limit: 1 } }) })).fail('m-1');
    expect(run.asked).toEqual(['start m-1 2']);
    expect(finish(run, 1, 2, 3).end).toBe('Succeeded/Completed');
  });

  it('fails when an item does, and starts no more of them', () => {
    const run = begin(graphOf({ m: mapOf({ concurrency: 2 }) })).fail('m-0', { exitCode: 3 });
    expect(run.asked).toEqual([]);
    expect(run.phases()).toMatchObject({ m: 'Running/ItemsRunning' });
    run.succeed('m-1', { rows: 1 });
    expect(run.run.step('m')).toMatchObject({
      phase: 'Failed',
      reason: 'ItemsFailed',
      message: '1 of 3 items failed: m-0 (exit code 3)',
    });
    expect(run.phase('m-2')).toBe('Cancelled/MapStopped');
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('stops the others when an item fails, if that is what the workflow does on failures', () => {
    const run = begin(graphOf({ m: mapOf() }, { failurePolicy: 'CancelRunning' })).fail('m-0');
    expect(run.asked).toEqual(['stop m-1 1 MapStopped', 'stop m-2 1 MapStopped']);
    expect(run.fail('m-1').fail('m-2').end).toBe('Failed/StepFailed');
  });

  it.each<[Partial<MapStep>, number, string]>([
    [{ minSuccesses: 2 }, 1, 'Succeeded/Completed'],
    [{ minSuccesses: 2 }, 2, 'Failed/ItemsFailed'],
    [{ minSuccessRatio: 0.5 }, 1, 'Succeeded/Completed'],
    [{ minSuccessRatio: 0.5 }, 2, 'Failed/ItemsFailed'],
    [{ minSuccesses: 0 }, 3, 'Succeeded/Completed'],
    [{ minSuccesses: 9 }, 1, 'Failed/ItemsFailed'],
  ])('with %j and %i items that fail is %s', (more, failures, end) => {
    const run = begin(graphOf({ m: mapOf(more), next: { inputs: { all: rowsOf('m') } } }));
    for (let item = 0; item < 3; item++)
      if (item < failures) run.fail(`m-${item}`);
      else if (run.run.step(`m-${item}`).phase === 'Running') run.succeed(`m-${item}`, { rows: item });
    expect(run.phase('m')).toBe(end);
    if (end === 'Succeeded/Completed' && failures === 1)
      expect(run.commands).toMatchObject([{ step: 'next', inputs: { all: [null, 1, 2] } }]);
  });

  it('with its time up stops what runs and fails', () => {
    const run = begin(graphOf({ m: mapOf({ timeoutSeconds: 10, concurrency: 1 }) })).after(10);
    expect(run.asked).toEqual(['stop m-0 1 MapStopped']);
    run.fail('m-0');
    expect(run.run.step('m')).toMatchObject({
      phase: 'Failed',
      reason: 'StepTimeout',
      message: 'no end in 10 s (step timeout)',
    });
  });

  it.each([
    ['Now', ['stop m-0 1 CancelRequested']],
    ['Drain', []],
  ] as const)('of a run that is cancelled with %s ends with what runs', (cancel, asked) => {
    const run = begin(graphOf({ m: mapOf({ concurrency: 1 }) })).ask({ cancel });
    expect(run.asked).toEqual(asked);
    if (asked.length > 0) run.fail('m-0');
    else run.succeed('m-0', { rows: 1 });
    expect(run.phase('m')).toBe('Cancelled/CancelRequested');
    expect(run.end).toBe('Cancelled/CancelRequested');
  });

  it('of a run that is drained lets what runs end, whatever the workflow does on failures', () => {
    const run = begin(graphOf({ m: mapOf({ concurrency: 1 }) }, { failurePolicy: 'CancelRunning' }));
    expect(run.ask({ cancel: 'Drain' }).asked).toEqual([]);
    expect(run.succeed('m-0', { rows: 1 }).phase('m')).toBe('Cancelled/CancelRequested');
  });

  it('starts no more items when another step has failed', () => {
    const run = begin(graphOf({ m: mapOf({ concurrency: 1 }), other: {} })).fail('other');
    expect(run.succeed('m-0', { rows: 1 }).phase('m')).toBe('Cancelled/FailurePolicy');
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('starts no more items while the run is suspended', () => {
    const run = begin(graphOf({ m: mapOf({ concurrency: 1 }) }))
      .ask({ suspended: true })
      .succeed('m-0', { rows: 1 });
    expect(run.asked).toEqual([]);
    expect(run.phase('m-1')).toBe('Waiting/Suspended');
    expect(run.ask({ suspended: false }).asked).toEqual(['start m-1 1']);
  });
});

describe('ten thousand items', () => {
  const count = 10_000;
  const over = { shard: list(...Array.from({ length: count }, (_, item) => item)) };

  it('are kept in a hundred blocks, each small, and read again as they were', () => {
    const run = begin(graphOf({ m: mapOf({}, over) }), { parallelism: 50 });
    let keys = new Set<string>();
    for (let item = 0; item < count; item++) {
      run.runs(`m-${item}`);
      run.now += 10;
      run.succeed(`m-${item}`, { rows: item });
      keys = new Set([...keys, ...(run.decision?.items?.keys() ?? [])]);
    }
    expect(run.end).toBe('Succeeded/Completed');
    expect(keys.size).toBe(100);
    const encoded = encodeRecord(run.run.record());
    expect(Object.keys(encoded.items!)).toHaveLength(100);
    expect(JSON.stringify(encoded).length).toBeLessThan(500_000);
    const decoded = decodeRecord(encoded);
    if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems.slice(0, 3)));
    expect(decoded.record).toEqual(run.run.record());
    expect(new Run(run.topology, run.spec, decoded.record).record()).toEqual(run.run.record());
  });
});
