import { describe, expect, it } from 'vitest';
import { annotations, labels, SCHEDULED_AT } from '../../../lib/graph/labels.ts';
import type { Job } from '../../../lib/controller/objects.ts';
import { beyondHistory, ticksOf } from '../../../lib/controller/schedules/ticks.ts';
import { hasTurn, inTurn, turnOf } from '../../../lib/controller/schedules/turn-rules.ts';
import { isTicker } from '../../../lib/runs/run-kinds.ts';

interface Given {
  readonly scheduled?: string;
  readonly made?: string;
  readonly concurrency?: object;
  readonly notes?: Readonly<Record<string, string>>;
  readonly ended?: 'Complete' | 'Failed';
}

function job(name: string, { scheduled, made = '2026-01-01T00:00:01Z', concurrency, notes, ended }: Given = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      uid: name,
      creationTimestamp: made,
      labels: { [labels.plan]: 'plan' },
      annotations: {
        ...(scheduled && { [SCHEDULED_AT]: scheduled }),
        ...(concurrency && { [annotations.concurrency]: JSON.stringify(concurrency) }),
        ...notes,
      },
    },
    ...(ended && { status: { conditions: [{ type: ended, status: 'True' }] } }),
  };
}

const scheduled = '2026-01-01T00:00:00Z';
const others = (count: number) => Array.from({ length: count }, (_, index) => job(`other-${index}`));

describe('the turn of a run', () => {
  it.each([
    [{ policy: 'Queue', max: 2 }, 0, 'begin'],
    [{ policy: 'Queue', max: 2 }, 1, 'wait'],
    [{ policy: 'Queue', max: 2 }, 2, 'wait'],
    [{ policy: 'Queue', max: 2 }, 3, 'skip'],
    [{ policy: 'Forbid' }, 0, 'begin'],
    [{ policy: 'Forbid' }, 1, 'skip'],
    [{ policy: 'Replace' }, 2, 'replace'],
    [{ policy: 'Allow' }, 2, 'begin'],
    [{ policy: 'Sometimes' }, 2, 'begin'],
  ])('%j with %i others before it: %s', (concurrency, count, kind) =>
    expect(turnOf(job('run', { scheduled, concurrency }), others(count)).kind).toBe(kind),
  );

  it.each([{ policy: 'Queue', max: 1 }, { policy: 'Forbid' }])(
    'is waited for with %j by a run that was launched by hand, however many wait',
    (concurrency) => expect(turnOf(job('run', { concurrency }), others(5)).kind).toBe('wait'),
  );

  it('is waited for by a run that is made up for, however many wait, and such runs keep no other from waiting', () => {
    const notes = { [annotations.caughtUp]: 'true' };
    const concurrency = { policy: 'Queue', max: 1 };
    expect(turnOf(job('run', { scheduled, concurrency, notes }), others(5)).kind).toBe('wait');
    const madeUp = Array.from({ length: 5 }, (_, index) => job(`missed-${index}`, { scheduled, notes }));
    expect(turnOf(job('run', { scheduled, concurrency }), madeUp).kind).toBe('wait');
    expect(turnOf(job('run', { scheduled, concurrency }), [...madeUp, ...others(1)]).kind).toBe('skip');
  });

  it.each([
    [{ [annotations.between]: '{"from":"2026-01-01T00:00:00Z"}' }, 'begin'],
    [{ [annotations.between]: '{"from":"2026-01-01T00:00:01Z"}' }, 'skip'],
    [{ [annotations.between]: '{"to":"2026-01-01T00:00:00Z"}' }, 'skip'],
    [{ [annotations.between]: '{"from":"2025-12-31T23:00:00-01:00","to":"2026-01-01T00:00:01Z"}' }, 'begin'],
    [{ [annotations.between]: 'always' }, 'begin'],
    [{ [annotations.pausedUntil]: '2026-01-01T00:00:00Z' }, 'begin'],
    [{ [annotations.pausedUntil]: '2026-01-01T01:00:00Z' }, 'skip'],
  ])('of midnight with %j: %s', (notes, kind) => {
    expect(turnOf(job('run', { scheduled, notes }), []).kind).toBe(kind);
    expect(turnOf(job('by-hand', { notes }), []).kind).toBe('begin');
  });

  it('says why a run is skipped', () => {
    const run = (concurrency: object) => job('run', { scheduled, concurrency });
    expect(turnOf(run({ policy: 'Queue', max: 1 }), others(2))).toMatchObject({
      reason: 'QueueFull',
      why: 'other-0 still goes on, and 1 waits already',
    });
    expect(turnOf(run({ policy: 'Forbid' }), others(1))).toMatchObject({
      reason: 'RunGoesOn',
      why: 'other-0 still goes on',
    });
    const paused = job('run', { scheduled, notes: { [annotations.pausedUntil]: '2026-01-02T00:00:00Z' } });
    expect(turnOf(paused, [])).toMatchObject({ reason: 'PlanPaused' });
  });

  it('comes as the runs were scheduled, or made by hand', () => {
    const runs = [
      job('by-hand', { made: '2026-01-01T00:00:15Z' }),
      job('made-ahead', { scheduled: '2026-01-01T00:00:20Z' }),
      job('made-up-for', { scheduled: '2026-01-01T00:00:05Z', made: '2026-01-01T00:01:00Z' }),
      job('b', { scheduled: '2026-01-01T00:00:10Z' }),
      job('a', { scheduled: '2026-01-01T00:00:10Z' }),
    ];
    const names = runs.sort(inTurn).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['made-up-for', 'a', 'b', 'by-hand', 'made-ahead']);
  });

  it('is nothing to a step, or to a run that no plan made', () => {
    const run = job('run', { concurrency: { policy: 'Forbid' } });
    expect(hasTurn(run)).toBe(true);
    expect(hasTurn({ ...run, metadata: { ...run.metadata, labels: {} } })).toBe(false);
    expect(
      hasTurn({ ...run, metadata: { ...run.metadata, labels: { ...run.metadata.labels, [labels.step]: 's' } } }),
    ).toBe(false);
    expect(hasTurn(job('plain'))).toBe(false);
  });
});

describe('the runs of a minute', () => {
  const ticker = (every: string, at: string) => job('minute', { scheduled: at, notes: { [annotations.every]: every } });

  it.each(['10', '12', '15', '25', '45', '59'])('every %s s, come in equal intervals over the minutes', (every) => {
    const minutes = Array.from({ length: 60 }, (_, minute) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString());
    const ticks = minutes.flatMap((minute) => ticksOf(ticker(every, minute)));
    expect(ticks.length).toBeGreaterThan(3500 / Number(every) - 1);
    for (const [index, tick] of ticks.slice(1).entries()) expect(tick - ticks[index]!).toBe(Number(every) * 1000);
    expect(ticks.every((tick) => tick % (Number(every) * 1000) === 0)).toBe(true);
  });

  it('begin when the Job of the minute has been there for a while', () =>
    expect(
      ticksOf(ticker('10', '2026-01-01T00:00:00Z')).map((tick) => new Date(tick).toISOString().slice(14, 19)),
    ).toEqual(['00:10', '00:20', '00:30', '00:40', '00:50', '01:00']));

  it('are started by nobody for a Job that was launched by hand, or says no interval', () => {
    expect(isTicker(ticker('10', scheduled))).toBe(true);
    expect(isTicker(job('by-hand', { notes: { [annotations.every]: '10' } }))).toBe(false);
    expect(ticksOf(ticker('often', scheduled))).toEqual([]);
  });

  it('are kept within the limits of the plan, the newest of each end', () => {
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
    const runs = [3, 1, 2, 4].map((minute) =>
      job(`run-${minute}`, { scheduled: at(minute), ended: minute === 4 ? 'Failed' : 'Complete' }),
    );
    const names = (limits: { succeeded: number; failed: number }) =>
      beyondHistory([...runs, job('open', { scheduled: at(0) })], limits).map(({ metadata }) => metadata.name);
    expect(names({ succeeded: 1, failed: 1 })).toEqual(['run-1', 'run-2']);
    expect(names({ succeeded: 5, failed: 0 })).toEqual(['run-4']);
  });
});
