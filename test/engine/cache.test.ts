import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { decodeResult, encodeResult, expiryOf, type KeptResult } from '../../lib/engine/kept-result.ts';
import { recoveredRecord } from '../../lib/engine/recover.ts';
import { Run } from '../../lib/engine/run.ts';
import { topology } from '../../lib/graph/topology.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { begin, graphOf, rowsOf, rowsSchema, T0, withRows, type Scenario, type StepSketch } from './scenario.ts';

const cache = { key: 'k', ttlSeconds: 100 };
const kept: KeptResult = { run: 'before', step: 'a', at: T0 - 50_000, outputs: { rows: 3 } };
const graph = graphOf({ a: { ...withRows, cache }, b: { inputs: { rows: rowsOf('a') } } });
const found = (run: Scenario, result: KeptResult | undefined, step = 'a') => run.tell({ step, found: result });
const kinds = ({ commands }: Scenario) => commands.map(({ kind }) => kind);

/** The same run by a shell that only has what was kept. */
function rebuilt(run: Scenario): Scenario {
  const decoded = decodeRecord(encodeRecord(run.run.record()));
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  run.run = new Run(run.topology, run.spec, decoded.record);
  return run;
}

describe('a step with a cache', () => {
  it('asks first, takes no room meanwhile, and says what it waits for', () => {
    const run = begin(graph, { parallelism: 1 });
    expect(run.asked).toEqual(['lookup a']);
    expect(run.phase('a')).toBe('Waiting/CheckingCache');
    expect(run.run.explain('a', T0)).toBe('asking for a kept result of an equal step');
    expect(run.run.counts().active).toBe(0);
  });

  it('takes what is found, says where it is from, and passes it on once that is written', () => {
    const run = found(begin(graph), kept);
    expect(run.run.step('a')).toEqual({
      phase: 'Succeeded',
      reason: 'Cached',
      message: 'from the cache: step a of run before, 50 s ago',
      attempts: [],
      outputs: { rows: 3 },
      finishedAt: T0,
    });
    expect(run.decision!.writeFirst).toBe(true);
    expect(run.commands).toEqual([{ kind: 'start', step: 'b', attempt: 1, inputs: { rows: 3 } }]);
    expect(run.succeed('b').end).toBe('Succeeded/Completed');
  });

  it.each<[string, KeptResult | undefined]>([
    ['there is nothing', undefined],
    ['it is too old', { ...kept, at: T0 - 100_000 }],
    ['it lacks an output', { ...kept, outputs: {} }],
    ['it has none', { run: 'before', step: 'a', at: T0 }],
    ['an output is of another type', { ...kept, outputs: { rows: 'many' } }],
  ])('runs when %s, and has its own result kept', (_, result) => {
    const run = found(begin(graph), result);
    expect(run.asked).toEqual(['start a 1']);
    expect(run.decision!.writeFirst).toBeUndefined();
    run.after(10).succeed('a', { rows: 4, more: true });
    expect(run.asked).toEqual(['keep a', 'start b 1']);
    const key = (begin(graph).commands[0] as Command & { kind: 'lookup' }).key;
    const result2 = { run: 'run', step: 'a', at: T0 + 10_000, outputs: { rows: 4 } };
    expect(run.commands[0]).toEqual({ kind: 'keep', step: 'a', key, result: result2, ttlSeconds: 100 });
  });

  it('leaves out of what it takes what it does not declare', () => {
    const run = found(begin(graph), { ...kept, outputs: { rows: 3, secret: 'x' } });
    expect(run.run.step('a').outputs).toEqual({ rows: 3 });
  });

  it('without outputs only saves the work', () => {
    const run = found(begin(graphOf({ a: { cache }, b: { after: ['a'] } })), kept);
    expect(run.run.step('a').outputs).toBeUndefined();
    expect(run.asked).toEqual(['start b 1']);
  });

  it('keeps nothing of an attempt that failed, and asks once, not before each attempt', () => {
    const run = found(begin(graphOf({ a: { ...withRows, cache, retries: { limit: 1 } } })), undefined);
    expect(run.fail('a').asked).toEqual(['start a 2']);
    expect(run.succeed('a', { rows: 'many' }).asked).toEqual([]);
    expect(run.phase('a')).toBe('Failed/OutputsInvalid');
  });

  it('asks again when its shell was replaced, and once only', () => {
    const run = rebuilt(begin(graph));
    expect(run.tell().asked).toEqual(['lookup a']);
    expect(run.tell().asked).toEqual([]);
    expect(rebuilt(found(run, kept)).tell().asked).toEqual(['start b 1']);
  });

  it('is not moved by answers that are late, repeated or about nobody', () => {
    const run = found(begin(graph), undefined);
    expect(found(run, kept).phase('a')).toBe('Running/Created');
    expect(found(run, kept, 'b').phase('b')).toBe('Pending/WaitingForUpstreams');
    expect(found(run, kept, 'nobody').asked).toEqual([]);
    run.succeed('a', { rows: 1 });
    expect(found(run, kept).run.step('a').outputs).toEqual({ rows: 1 });
  });

  it('goes on with an attempt that somebody has begun, and stops one of which it hears too late', () => {
    const begun = begin(graph);
    begun.tell({ step: 'a', found: kept }, { step: 'a', attempt: 1, state: { kind: 'running', startedAt: T0 } });
    expect(begun.phase('a')).toBe('Running/ContainerRunning');
    const late = found(begin(graph), kept);
    late.tell({ step: 'a', attempt: 1, state: { kind: 'running', startedAt: T0 } });
    expect(late.commands).toEqual([{ kind: 'stop', step: 'a', attempt: 1, reason: 'Cached' }]);
  });

  it('that waits for an answer ends with its run, and by its own timeout', () => {
    expect(begin(graph).ask({ cancel: 'Now' }).phase('a')).toBe('Cancelled/CancelRequested');
    const slow = begin(graphOf({ a: { cache, timeoutSeconds: 5 } })).after(5);
    expect(slow.phase('a')).toBe('Failed/StepTimeout');
    expect(found(slow, kept).phase('a')).toBe('Failed/StepTimeout');
  });

  it.each<[string, Partial<RunSpec>, string[], string[]]>([
    ['Off', { cache: 'Off' }, ['start'], ['start']],
    ['Overwrite', { cache: 'Overwrite' }, ['start'], ['keep', 'start']],
    ['named for a rerun', { rerun: ['a'] }, ['start'], ['keep', 'start']],
    ['another one named for a rerun', { rerun: ['b'] }, ['lookup'], ['keep', 'start']],
  ])('with %s', (_, spec, first, then) => {
    const run = begin(graph, spec);
    expect(kinds(run)).toEqual(first);
    expect(kinds(run.succeed('a', { rows: 1 }))).toEqual(then);
  });

  it('is forgotten to wait when somebody edited the record of a step without a cache', () => {
    const run = begin(graph);
    const plain = topology(graphOf({ a: withRows, b: { inputs: { rows: rowsOf('a') } } }));
    const edited = new Run(plain, run.spec, run.run.record());
    edited.advance(T0);
    expect(edited.step('a')).toMatchObject({ phase: 'Waiting', reason: 'ParallelismLimit' });
    expect(edited.advance(T0).commands).toMatchObject([{ kind: 'start', step: 'a' }]);
  });
});

describe('equal steps that are serialized', () => {
  const alone = { ...withRows, cache: { ...cache, serialize: true } };
  const both = graphOf({ a: alone, b: alone, c: {} });
  /** Both have asked once, and nothing was found. */
  const missed = () => begin(both).tell({ step: 'a', found: undefined }, { step: 'b', found: undefined });

  it('run one at a time; the others wait, and hit', () => {
    const run = missed();
    expect(run.asked).toEqual(['lookup a']);
    expect(run.phase('a')).toBe('Running/CheckingCache');
    expect(run.phase('b')).toBe('Waiting/WaitingForResult');
    expect(run.run.explain('b', T0)).toBe('its result comes from step a');
    expect(found(run, undefined).asked).toEqual(['start a 1']);
    expect(run.succeed('a', { rows: 3 }).asked).toEqual(['keep a', 'lookup b']);
    expect(found(run, kept, 'b').phase('b')).toBe('Succeeded/Cached');
    expect(run.succeed('c').end).toBe('Succeeded/Completed');
  });

  it('run one after the other when nothing comes of it, and need no lock when it is there', () => {
    const run = found(missed(), undefined).fail('a');
    run.ask({}).tell();
    const independent = begin(graphOf({ a: alone, b: alone }, { failurePolicy: 'RunIndependent' }));
    independent.tell({ step: 'a', found: undefined }, { step: 'b', found: undefined });
    expect(found(independent, undefined).fail('a').asked).toEqual(['lookup b']);
    expect(found(independent, undefined, 'b').asked).toEqual(['start b 1']);
    const hits = begin(both).tell({ step: 'a', found: kept }, { step: 'b', found: kept });
    expect([hits.phase('a'), hits.phase('b')]).toEqual(['Succeeded/Cached', 'Succeeded/Cached']);
  });

  it('go on after a restart in the middle of asking', () => {
    const run = rebuilt(missed());
    expect(run.tell().asked).toEqual(['lookup a', 'start c 1']);
    expect(run.phase('b')).toBe('Waiting/WaitingForResult');
    expect(found(run, undefined).asked).toEqual(['start a 1']);
    expect(rebuilt(run).tell().asked).toEqual(['start a 1', 'start c 1']);
    const seen = rebuilt(missed());
    seen.tell({ step: 'a', attempt: 1, state: { kind: 'running', startedAt: T0 } });
    expect(seen.phase('a')).toBe('Running/ContainerRunning');
  });

  it.each<[string, (run: Scenario) => Scenario, string]>([
    ['its run is cancelled', (run) => run.ask({ cancel: 'Now' }), 'Cancelled/CancelRequested'],
    ['its time is up', (run) => run.after(5), 'Failed/StepTimeout'],
  ])('end while they ask when %s', (_, end, phase) => {
    const run = begin(graphOf({ a: { ...alone, timeoutSeconds: 5 } })).tell({ step: 'a', found: undefined });
    expect(run.phase('a')).toBe('Running/CheckingCache');
    expect(end(run).phase('a')).toBe(phase);
    expect(found(run, kept).phase('a')).toBe(phase);
    expect(run.run.finished).toBe(true);
  });

  it.each<[string, Partial<RunSpec>]>([
    ['no cache', { cache: 'Off' }],
    ['an overwritten one', { cache: 'Overwrite' }],
  ])('do not wait for each other with %s', (_, spec) => {
    expect(begin(both, spec).asked).toEqual(['start a 1', 'start b 1', 'start c 1']);
  });
});

describe('the items of a map', () => {
  const map = (more: object = {}): StepSketch => ({
    kind: 'map',
    over: [{ input: 'n', list: { value: [1, 2, 3] } }],
    inputs: { n: { item: 'n' } },
    itemOutputs: rowsSchema,
    outputs: { properties: { rows: { type: 'array' } }, required: ['rows'] },
    cache,
    ...more,
  });

  it('are looked up each for itself, as many at a time as may run', () => {
    const run = begin(graphOf({ m: map({ concurrency: 2 }), after: { inputs: { rows: rowsOf('m') } } }));
    expect(run.asked).toEqual(['lookup m-0', 'lookup m-1']);
    const keys = run.commands.map((command) => 'key' in command && command.key);
    expect(new Set(keys).size).toBe(2);
    found(run, kept, 'm-0');
    expect(run.asked).toEqual(['lookup m-2']);
    expect(found(run, undefined, 'm-1').asked).toEqual(['start m-1 1']);
    found(run, { ...kept, outputs: { rows: 9 } }, 'm-2');
    run.succeed('m-1', { rows: 5 });
    expect(run.run.step('m')).toMatchObject({ reason: 'Completed', message: '2 of 3 items from the cache' });
    expect(run.commands.at(-1)).toMatchObject({ step: 'after', inputs: { rows: [3, 5, 9] } });
  });

  it('are written in short, without a sentence each', () => {
    const run = found(begin(graphOf({ m: map() })), kept, 'm-0');
    const { items } = encodeRecord(run.run.record());
    expect(JSON.parse(items!['m.0']!).items[0]).toEqual([0, { rows: 3 }, null, 'Cached']);
    expect(decodeRecord(encodeRecord(run.run.record()))).toEqual({ record: run.run.record() });
  });
});

it('ten thousand items that are all found fit into the record', () => {
  const map: StepSketch = {
    kind: 'map',
    over: [{ input: 'n', list: { value: Array.from({ length: 10_000 }, (_, item) => item) } }],
    inputs: { n: { item: 'n' } },
    itemOutputs: rowsSchema,
    cache,
  };
  const run = begin(graphOf({ m: map }), { parallelism: 500 });
  while (!run.run.finished)
    run.tell(...run.commands.map(({ step }) => ({ step, found: { ...kept, outputs: { rows: 12_345 } } })));
  expect(run.run.step('m').message).toBe('10000 of 10000 items from the cache');
  expect(JSON.stringify(encodeRecord(run.run.record())).length).toBeLessThan(500_000);
});

it('a rerun takes over what came from the cache', () => {
  const failed = graphOf({ a: { ...withRows, cache }, b: { inputs: { rows: rowsOf('a') } } });
  const run = found(begin(failed), kept).fail('b');
  const record = recoveredRecord(run.topology, { run: 'run', record: run.run.record(), rerun: [] }, T0);
  expect(record.steps.get('a')).toMatchObject({ reason: 'Recovered', outputs: { rows: 3 } });
});

describe('the key of a result', () => {
  const names = ['site', 'day', 'verbose'] as const;
  const keyOf = (inputs: JsonObject, policy: object = {}) => {
    const sources = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, { value }]));
    const run = begin(graphOf({ a: { inputs: sources, cache: { key: 'k', ignoreInputs: ['verbose'], ...policy } } }));
    return (run.commands[0] as Command & { kind: 'lookup' }).key;
  };
  const values = fc.record({ site: fc.jsonValue(), day: fc.jsonValue(), verbose: fc.jsonValue() });
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, inner]) => [name, reversed(inner)]),
          )
        : value;

  it('does not depend on the order of inputs or of fields in them', () => {
    fc.assert(
      fc.property(values, (inputs) => {
        expect(keyOf(reversed(inputs) as JsonObject)).toBe(keyOf(inputs as JsonObject));
      }),
    );
  });

  it('depends on each input that counts and on no other', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(...names), fc.jsonValue(), (inputs, name, value) => {
        const before = keyOf(inputs as JsonObject);
        const after = keyOf({ ...inputs, [name]: value } as JsonObject);
        const isSame = name === 'verbose' || JSON.stringify(reversed(inputs[name])) === JSON.stringify(reversed(value));
        if (isSame) expect(after).toBe(before);
        else if (JSON.stringify(inputs[name]) !== JSON.stringify(value)) expect(after).not.toBe(before);
      }),
    );
  });

  it('depends on the content of the task, on values in it, and not on the name of the step or on the age allowed', () => {
    const before = keyOf({ site: 'a' });
    expect(keyOf({ site: 'a' }, { key: 'k2' })).not.toBe(before);
    expect(keyOf({ site: 'a' }, { content: { value: { image: 'b' } } })).not.toBe(before);
    expect(keyOf({ site: 'a' }, { ttlSeconds: 7 })).toBe(before);
    const other = begin(graphOf({ b: { inputs: { site: { value: 'a' } }, cache: { key: 'k' } } }));
    expect(other.commands[0]).toMatchObject({ kind: 'lookup', key: before });
  });
});

describe('a kept result as text', () => {
  it('is read by people, and comes back as it was', () => {
    expect(JSON.parse(encodeResult(kept))).toEqual({ ...kept, at: '2024-12-31T23:59:10.000Z' });
    expect(decodeResult(encodeResult(kept))).toEqual(kept);
    expect(decodeResult('{"run":"r","step":"s","at":"2025-01-01T00:00:00Z"}')).toEqual({ run: 'r', step: 's', at: T0 });
  });

  it.each([undefined, '', '{', '[]', 'null', '{"outputs":{}}', '{"run":"r","step":"s","at":"soon"}', '{"run":1}'])(
    'is none when somebody wrote %j',
    (text) => expect(decodeResult(text)).toBeUndefined(),
  );

  it('is none when its outputs are no object', () => {
    expect(decodeResult('{"run":"r","step":"s","at":"2025-01-01T00:00:00Z","outputs":[1]}')).toBeUndefined();
  });

  it('may go after its time, or after 90 days', () => {
    expect(expiryOf({ ...kept, at: T0 }, 60)).toBe(T0 + 60_000);
    expect(expiryOf({ ...kept, at: T0 })).toBe(T0 + 90 * 24 * 3_600_000);
  });
});
