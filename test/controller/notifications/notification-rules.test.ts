import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireNotification } from '../../../lib/graph/notifications.ts';
import { dueNow, failuresBefore, type PastRun } from '../../../lib/controller/notifications/notification-rules.ts';
import { settledKey } from '../../../lib/controller/notifications/notice.ts';
import { runFacts, type RunFacts } from '../../../lib/controller/notifications/run-facts.ts';
import type { Job } from '../../../lib/controller/objects.ts';
import { annotations, CONTROLLER_NAME, labels, SCHEDULED_AT } from '../../../lib/graph/labels.ts';

const SECOND = 1000;
const to = { kind: 'slack', url: 'https://chat.test/hook' } as const;
const every: WireNotification = {
  on: ['succeeded', 'failed', 'cancelled', 'recovered'],
  lateAfterSeconds: 10,
  longAfterSeconds: 60,
  to,
};

const made: RunFacts = { uid: 'u', name: 'etl-1', namespace: 'n', createdAt: 0, dueAt: 0 };
const ended = (phase: 'Succeeded' | 'Failed' | 'Cancelled', at: number, reason = '') => ({
  end: { phase, at: at * SECOND, reason, message: '' },
});

function told(run: RunFacts, now: number, wanted: Partial<WireNotification> = {}, failures = 0): readonly string[] {
  const { due } = dueNow(run, failures, { team: { ...every, ...wanted } }, now * SECOND);
  return due.map(({ event, at }) => `${event}@${at / SECOND}`);
}

describe('what is told of a run', () => {
  it.each<[string, Partial<Record<keyof RunFacts, unknown>>, number, readonly string[]]>([
    ['that was just made', {}, 5, []],
    ['that has not begun', {}, 10, ['late@10']],
    ['that was due before it was made', { dueAt: -6 * SECOND }, 5, ['late@4']],
    ['that fills up for a time that has passed', { dueAt: undefined }, 100, []],
    ['that began late', { startedAt: 11 * SECOND }, 20, ['late@10']],
    ['that began in time', { startedAt: 9 * SECOND }, 20, []],
    ['that was cancelled before it began', ended('Cancelled', 5), 20, ['cancelled@5']],
    ['that waited long and was cancelled', ended('Cancelled', 15), 20, ['late@10', 'cancelled@15']],
    ['that runs', { startedAt: SECOND }, 60, []],
    ['that runs long', { startedAt: SECOND }, 61, ['runningLong@61']],
    ['that ran long', { startedAt: SECOND, ...ended('Succeeded', 70) }, 80, ['runningLong@61', 'succeeded@70']],
    ['that did not', { startedAt: SECOND, ...ended('Succeeded', 60) }, 80, ['succeeded@60']],
    ['that failed', { startedAt: SECOND, ...ended('Failed', 3) }, 3, ['failed@3']],
  ])('%s', (_, facts, now, expected) => {
    expect(told({ ...made, ...facts } as RunFacts, now)).toEqual(expected);
  });

  it.each<[WireNotification['reasons'], number | undefined, 'Succeeded' | 'Failed', number, readonly string[]]>([
    [undefined, undefined, 'Failed', 0, ['failed@3']],
    [['RunTimeout'], undefined, 'Failed', 0, []],
    [['RunTimeout', 'StepFailed'], undefined, 'Failed', 0, ['failed@3']],
    [undefined, 3, 'Failed', 1, []],
    [undefined, 3, 'Failed', 2, ['failed@3']],
    [undefined, undefined, 'Succeeded', 0, ['succeeded@3']],
    [undefined, undefined, 'Succeeded', 1, ['succeeded@3', 'recovered@3']],
    [undefined, 3, 'Succeeded', 2, ['succeeded@3']],
    [undefined, 3, 'Succeeded', 3, ['succeeded@3', 'recovered@3']],
    [['RunTimeout'], 1, 'Succeeded', 1, ['succeeded@3', 'recovered@3']],
  ])(
    'reasons %j, in a row %j: one that %s after %i failures',
    (reasons, consecutiveFailures, phase, before, expected) => {
      const wanted = { ...(reasons && { reasons }), ...(consecutiveFailures && { consecutiveFailures }) };
      const run = { ...made, startedAt: SECOND, ...ended(phase, 3, 'StepFailed') };
      expect(told(run, 5, wanted, before)).toEqual(expected);
    },
  );

  it('is not what happened so long ago that nobody would try any more', () => {
    const run = { ...made, startedAt: SECOND, ...ended('Failed', 3) };
    expect(told(run, 62, { retryForSeconds: 60 })).toEqual(['failed@3']);
    expect(told(run, 63, { retryForSeconds: 60 })).toEqual([]);
  });

  it('says when to look again', () => {
    const next = (facts: Partial<RunFacts>, now: number) => dueNow({ ...made, ...facts }, 0, { team: every }, now).next;
    expect(next({}, 0)).toBe(10 * SECOND);
    expect(next({}, 10 * SECOND)).toBe(undefined);
    expect(next({ startedAt: SECOND }, 2 * SECOND)).toBe(61 * SECOND);
    expect(next({ startedAt: SECOND, ...ended('Succeeded', 2) }, 3 * SECOND)).toBe(undefined);
  });
});

describe('failures in a row', () => {
  const past = (phases: string): readonly PastRun[] =>
    [...phases].map((letter, index) => ({
      uid: `u${index}`,
      seen: index,
      end: { phase: ({ s: 'Succeeded', f: 'Failed', c: 'Cancelled' } as const)[letter as 's']!, at: index },
    }));
  it.each([
    ['', 0],
    ['s', 0],
    ['f', 1],
    ['sff', 2],
    ['ffs', 0],
    ['sfcf', 2],
    ['fsc', 0],
  ])('before a run after %j are %i', (phases, expected) => {
    const run = { uid: 'now', seen: 100, end: { phase: 'Succeeded', at: 100 } } as const;
    const later = { uid: 'later', seen: 101, end: { phase: 'Failed', at: 101 } } as const;
    expect(failuresBefore(run, [later, ...past(phases), run].reverse())).toBe(expected);
  });

  it('of one second are in the order in which they were seen', () => {
    const at = (uid: string, phase: 'Succeeded' | 'Failed', seen: number) => ({
      uid,
      seen,
      end: { phase, at: 5 },
    });
    expect(failuresBefore(at('c', 'Succeeded', 3), [at('b', 'Failed', 2), at('a', 'Succeeded', 1)])).toBe(1);
    expect(failuresBefore(at('c', 'Succeeded', 3), [at('a', 'Failed', 1), at('b', 'Succeeded', 2)])).toBe(0);
  });
});

it('failures in a row are counted on from what was written down, when the runs before are gone', () => {
  const run = { uid: 'now', seen: 9, end: { phase: 'Failed', at: 9 } } as const;
  const before = (failures: number): PastRun => ({
    uid: 'u',
    seen: 8,
    end: { phase: 'Failed', at: 8 },
    failuresBefore: failures,
  });
  expect(failuresBefore(run, [before(0)])).toBe(1);
  expect(failuresBefore(run, [before(6)])).toBe(7);
  expect(failuresBefore(run, [{ ...before(6), end: { phase: 'Succeeded', at: 8 } }])).toBe(0);
});

describe('the facts of a run', () => {
  const job = (over: Partial<Job> & { readonly notes?: Record<string, string> } = {}): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: { managedBy: CONTROLLER_NAME },
    ...over,
    metadata: {
      name: 'etl-1',
      namespace: 'n',
      uid: 'u',
      creationTimestamp: '1970-01-01T00:00:02Z',
      labels: { [labels.plan]: 'etl', [labels.workflow]: 'w' },
      annotations: { [SCHEDULED_AT]: '1970-01-01T00:00:01Z', ...over.notes },
    },
  });
  const condition = (type: string, reason: string) => ({
    type,
    reason,
    status: 'True',
    message: 'why',
    lastTransitionTime: '1970-01-01T00:00:09Z',
  });

  it('are what its Job says', () => {
    const status = { startTime: '1970-01-01T00:00:03Z', conditions: [condition('Failed', 'StepFailed')] };
    expect(runFacts(job({ status, notes: { [annotations.failuresBefore]: '2' } }))).toEqual({
      uid: 'u',
      name: 'etl-1',
      namespace: 'n',
      plan: 'etl',
      workflow: 'w',
      createdAt: 2000,
      dueAt: 1000,
      scheduledAt: 1000,
      startedAt: 3000,
      end: { phase: 'Failed', reason: 'StepFailed', message: 'why', at: 9000 },
      failuresBefore: 2,
    });
  });

  it('that fills up for a time that has passed have no time at which it is due', () => {
    const { metadata, ...rest } = job();
    const filled = { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, [labels.backfill]: 'b' } } };
    expect(runFacts(filled)).not.toHaveProperty('dueAt');
  });

  it.each([
    [{ managedBy: CONTROLLER_NAME }, 'CancelRequested', {}, 'Cancelled'],
    [{ managedBy: CONTROLLER_NAME }, 'StepFailed', { [annotations.cancel]: 'Now' }, 'Failed'],
    [{}, 'DeadlineExceeded', { [annotations.cancel]: 'Now' }, 'Cancelled'],
    [{}, 'DeadlineExceeded', {}, 'Failed'],
  ])('of %j that failed for %s with %j: %s', (spec, reason, notes, phase) => {
    const status = { conditions: [condition('FailureTarget', reason), condition('Failed', reason)] };
    expect(runFacts(job({ spec, notes, status })).end?.phase).toBe(phase);
  });
});

/** A run as it comes to be, and when controllers looked at it: what is noted on its Job is all that one hears of the one before. */
const histories = fc.record({
  scheduledAt: fc.option(fc.integer({ min: -100, max: 0 }), { nil: undefined }),
  startsAfter: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
  endsAfter: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  phase: fc.constantFrom('Succeeded' as const, 'Failed' as const, 'Cancelled' as const),
  failures: fc.integer({ min: 0, max: 3 }),
  looks: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 }),
  wanted: fc.record({
    on: fc.subarray(['succeeded', 'failed', 'cancelled', 'recovered'] as const),
    lateAfterSeconds: fc.integer({ min: 1, max: 60 }),
    longAfterSeconds: fc.integer({ min: 1, max: 60 }),
    consecutiveFailures: fc.integer({ min: 1, max: 3 }),
  }),
});

it('whenever controllers looked, each event is told once, and all are that had happened by the last look', () => {
  fc.assert(
    fc.property(histories, ({ scheduledAt, startsAfter, endsAfter, phase, failures, looks, wanted }) => {
      const startedAt = startsAfter;
      const endedAt = endsAfter === undefined ? undefined : (startedAt ?? 0) + endsAfter;
      const at = (now: number): RunFacts => ({
        ...made,
        ...(scheduledAt !== undefined && { dueAt: scheduledAt * SECOND }),
        ...(startedAt !== undefined && startedAt <= now && { startedAt: startedAt * SECOND }),
        ...(endedAt !== undefined && endedAt <= now && ended(phase, endedAt)),
      });
      const notifications = { a: { ...wanted, to }, b: { ...every } };
      const times = [...looks].sort((a, b) => a - b);
      const noted: string[] = [];
      for (const now of times)
        for (const due of dueNow(at(now), failures, notifications, now * SECOND).due)
          if (!noted.includes(settledKey(due))) noted.push(settledKey(due));
      const last = times.at(-1);
      const all =
        last === undefined ? [] : dueNow(at(last), failures, notifications, last * SECOND).due.map(settledKey);
      expect(new Set(all).size).toBe(all.length);
      expect([...noted].sort()).toEqual([...all].sort());
    }),
  );
});
