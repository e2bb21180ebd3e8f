import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { Run } from '../../lib/engine/run.ts';
import { begin, graphOf, rowsOf, T0, withRows, type Scenario } from './scenario.ts';

/** The same run by a shell that only has what was kept. */
function rebuilt(run: Scenario): Scenario {
  const decoded = decodeRecord(encodeRecord(run.run.record()));
  if ('problems' in decoded) throw new Error('the record cannot be read');
  run.run = new Run(run.topology, run.spec, decoded.record);
  return run;
}

const graph = graphOf({
  a: withRows,
  b: { inputs: { rows: rowsOf('a') } },
  c: { attemptTimeoutSeconds: 10, retries: { limit: 1 } },
  d: { after: ['b', 'c'] },
});

describe('a run that is rebuilt from its record', () => {
  it('starts again what nothing was seen of, with the same inputs, and asks again for the ends it asked for', () => {
    const run = begin(graph).runs('c').after(10).succeed('a', { rows: 2 });
    expect(run.asked).toEqual(['start b 1']);
    rebuilt(run).tell();
    expect(run.commands).toEqual([
      { kind: 'start', step: 'b', attempt: 1, inputs: { rows: 2 } },
      { kind: 'stop', step: 'c', attempt: 1, reason: 'AttemptTimeout' },
    ]);
    expect(run.decision!.steps.size).toBe(0);
    expect(run.tell().asked).toEqual([]);
  });

  it('starts nothing again that was seen, also when it is seen only now', () => {
    const run = begin(graph).pending('a');
    expect(rebuilt(run).runs('c').asked).toEqual([]);
  });

  it('does not start again what it stops', () => {
    const run = begin(graph);
    expect(rebuilt(run).ask({ cancel: 'Now' }).asked).toEqual(['stop a 1 CancelRequested', 'stop c 1 CancelRequested']);
  });

  it('knows what its shell must find again', () => {
    const run = rebuilt(begin(graph).runs('c').after(10));
    expect([...run.run.liveAttempts()]).toEqual([
      { step: 'a', attempt: 1, seen: false },
      { step: 'c', attempt: 1, stopping: 'AttemptTimeout', seen: true },
    ]);
  });

  it('ends when all its steps had ended but nobody had said so', () => {
    const run = begin(graphOf({ a: {} }));
    const before = run.run.state;
    const { steps } = run.succeed('a').run.record();
    run.run = new Run(run.topology, run.spec, { run: before, steps });
    expect(run.tell().end).toBe('Succeeded/Completed');
  });

  it('lets an attempt run on that it did not know of, although the run has failed since', () => {
    const run = begin(graphOf({ a: {}, b: {}, c: { after: ['b'] } })).fail('a');
    rebuilt(run).tell(
      { step: 'c', attempt: 1, state: { kind: 'running', startedAt: T0 } },
      { step: 'b', attempt: 1, state: { kind: 'succeeded', finishedAt: T0 } },
    );
    expect(run.phase('c')).toBe('Running/ContainerRunning');
    expect(run.asked).toEqual([]);
  });

  it('keeps whole milliseconds, which is what its record can say', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] } }));
    run.now += 0.75;
    run.succeed('a');
    const { record } = decodeRecord(encodeRecord(run.run.record())) as { record: unknown };
    expect(record).toEqual(run.run.record());
  });

  it('stays finished', () => {
    const run = begin(graph).ask({ cancel: 'Now' }).fail('a').fail('c');
    expect(run.end).toBe('Cancelled/CancelRequested');
    expect(rebuilt(run).ask({ cancel: undefined, timeoutSeconds: 1 }).after(100).end).toBe('Cancelled/CancelRequested');
    expect(run.decision).toEqual({ steps: new Map(), commands: [] });
  });

  it('stays cancelled when the request was taken back meanwhile', () => {
    const run = begin(graph).ask({ cancel: 'Drain' });
    run.spec = { ...run.spec, cancel: undefined };
    rebuilt(run).succeed('a', { rows: 1 });
    expect(run.phase('b')).toBe('Cancelled/CancelRequested');
    expect(run.succeed('c').end).toBe('Cancelled/CancelRequested');
  });

  it('decides steps that somebody took out of its record', () => {
    const run = begin(graph).succeed('a', { rows: 1 });
    const record = run.run.record();
    const steps = new Map([...record.steps, ['unknown', record.steps.get('a')!]] as const);
    steps.delete('b');
    run.run = new Run(run.topology, run.spec, { run: record.run, steps });
    expect(run.tell().asked).toEqual(['start b 1', 'start c 1']);
    expect([...run.run.record().steps.keys()]).toEqual(['a', 'b', 'c']);
  });
});
