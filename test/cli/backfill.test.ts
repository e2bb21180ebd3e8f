import { describe, expect, it } from 'vitest';
import { backfillId, backfillJob } from '../../lib/cli/cluster/backfill/backfill-job.ts';
import { backfillRuns, backfillTimes, timeIn } from '../../lib/cli/cluster/backfill/backfill-plan.ts';
import { progressLine } from '../../lib/cli/cluster/backfill/backfill-progress.ts';
import type { BackfillPhase } from '../../lib/cli/cluster/backfill/backfill-watch.ts';
import { planTimes } from '../../lib/cli/cluster/backfill/plan-times.ts';
import type { PlanCronJob, RunJob } from '../../lib/runs/run-objects.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import { TimeZone } from '../../lib/values/time-zone.ts';

const NOW = Date.UTC(2026, 5, 1);
const request = { from: '2026-03-28', to: '2026-03-31', concurrency: 1, order: 'oldest', rerunFailed: false } as const;

function plan(schedule: string, notes: Record<string, string> = {}, timeZone?: string): PlanCronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'etl', uid: 'plan', creationTimestamp: '2026-01-01T00:00:20Z' },
    spec: { schedule, ...(timeZone && { timeZone }), jobTemplate: { metadata: { annotations: notes }, spec: {} } },
  };
}

function timesOf(of: PlanCronJob, change: Partial<typeof request> | Record<string, unknown> = {}) {
  const found = backfillTimes(of, planTimes(of), { ...request, ...change }, NOW);
  return 'times' in found ? found.times.map((time) => new Date(time).toISOString().slice(5, 19)) : found;
}

describe('the times of a backfill', () => {
  it.each([
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00Z'],
    ['2026-03-30T06:30', 'America/New_York', '2026-03-30T10:30:00Z'],
    ['2026-03-30 06:30:15', 'UTC', '2026-03-30T06:30:15Z'],
    ['2026-03-30T06:30Z', 'Europe/Berlin', '2026-03-30T06:30:00Z'],
    ['2026-03-30T06:30+02:00', 'UTC', '2026-03-30T04:30:00Z'],
    ['2026-02-31', 'UTC', undefined],
    ['yesterday', 'UTC', undefined],
    ['2026-03-30T25:00', 'UTC', undefined],
  ])('%s in %s is %s', (text, zone, expected) =>
    expect(timeIn(text, new TimeZone(zone))).toBe(expected && Date.parse(expected)),
  );

  it('are those of the schedule in its zone, with the first and without the last', () => {
    expect(timesOf(plan('0 0 * * *', {}, 'Europe/Berlin'))).toEqual([
      '03-27T23:00:00',
      '03-28T23:00:00',
      '03-29T22:00:00',
    ]);
    expect(timesOf(plan('30 2 * * *', {}, 'Europe/Berlin'))).toEqual(['03-28T01:30:00', '03-30T00:30:00']);
  });

  it('lie within the dates of the plan, whether or not it was paused', () => {
    const dates = { [annotations.between]: '{"from":"2026-03-29T00:00:00Z"}' };
    expect(timesOf(plan('0 12 * * *', dates))).toEqual(['03-29T12:00:00', '03-30T12:00:00']);
    const paused = { [annotations.pausedUntil]: '2026-03-30T00:00:00Z' };
    expect(timesOf(plan('0 12 * * *', paused))).toHaveLength(3);
  });

  it('of an interval are counted from its last run, or from the epoch below a minute', () => {
    const hour = { from: '2026-03-28T00:00', to: '2026-03-28T03:00' };
    expect(timesOf(plan('@every 90m'), hour)).toEqual(['03-28T00:00:20', '03-28T01:30:20']);
    const minute = { from: '2026-03-28T00:00', to: '2026-03-28T00:00:30' };
    expect(timesOf(plan('* * * * *', { [annotations.every]: '10' }), minute)).toEqual([
      '03-28T00:00:00',
      '03-28T00:00:10',
      '03-28T00:00:20',
    ]);
  });

  it.each([
    ['0 0 31 2 *', {}, ['has no schedule']],
    ['0 0 * * *', { from: 'soon', to: 'later' }, ['"soon" is no time', '"later" is no time']],
    ['0 0 * * *', { from: '2026-04-02', to: '2026-04-01' }, ['is not before --to']],
    ['0 0 * * *', { to: '2026-07-01' }, ['is yet to come']],
    ['0 0 * * *', { from: '2027-01-01', to: '2026-12-01' }, ['is not before --to', 'is yet to come']],
    ['0 0 1 1 *', {}, ['no time of the schedule lies']],
    ['* * * * *', { from: '2026-01-01' }, ['makes more than 10000 runs']],
  ])('%s with %j are refused', (schedule, change, messages) => {
    const found = timesOf(plan(schedule), change);
    expect(found).toHaveLength(messages.length);
    messages.forEach((message, index) =>
      expect(JSON.stringify(found[index])).toContain(JSON.stringify(message).slice(1, -1)),
    );
  });
});

describe('the runs of a backfill', () => {
  const ended = (name: string, type: string): [string, RunJob] => [
    name,
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: {},
      status: { conditions: [{ type, status: 'True' }] },
    },
  ];
  const of = plan('0 0 * * *');
  const times = ['2026-03-28', '2026-03-29', '2026-03-30'].map((text) => Date.parse(text));
  const [first, second] = times.map((time) => `etl-${time / 60_000}`) as [string, string];
  const known = new Map<string, RunJob>([ended(first, 'Complete'), ended(second, 'Failed')]);

  it.each([
    ['oldest', false, ['exists', 'exists', 'create']],
    ['oldest', true, ['exists', 'rerun', 'create']],
    ['newest', true, ['create', 'rerun', 'exists']],
  ] as const)('that exist are left alone, %s first, rerunning those that failed: %s', (order, rerunFailed, actions) => {
    const runs = backfillRuns(times, planTimes(of)!, { ...request, order, rerunFailed }, known);
    expect(runs.map(({ action }) => action)).toEqual(actions);
  });

  it('are of nobody, have the time as input, and nothing that the controller judges runs of the schedule by', () => {
    const made = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: first,
        labels: { [labels.plan]: 'etl' },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'etl', uid: 'plan', controller: true }],
        annotations: {
          [annotations.inputs]: '{"at":"2026-06-01T00:00:00Z","site":"a"}',
          [annotations.kickoffInputs]: '["at"]',
          [annotations.between]: '{}',
          [annotations.every]: '10',
          [annotations.concurrency]: '{"policy":"Queue","max":1}',
          'cronjob.kubernetes.io/instantiate': 'manual',
        },
      },
    };
    const turns = { concurrency: 3, order: 'oldest' } as const;
    const id = backfillId(times[0]!, times[2]!);
    expect(backfillJob(made, id, times[0]!, turns).metadata).toEqual({
      name: first,
      labels: { [labels.plan]: 'etl', [labels.backfill]: '20260328T000000Z-20260330T000000Z' },
      annotations: {
        [annotations.inputs]: '{"at":"2026-03-28T00:00:00Z","site":"a"}',
        [annotations.kickoffInputs]: '["at"]',
        'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-03-28T00:00:00Z',
        [annotations.backfill]: '{"concurrency":3,"order":"oldest"}',
      },
    });
  });
});

describe('the progress of a backfill', () => {
  const glyphs = ['#', '-'] as const;
  it.each([
    [10, 5, {}, '[###############---------------]  5/10 made'],
    [10, 10, { Pending: 8, Running: 2 }, '[------------------------------]  0/10 over, 2 running'],
    [
      10,
      8,
      { Succeeded: 3, Failed: 1, Running: 1 },
      '[############------------------]  8/10 made, 4/10 over, 1 running, 1 failed',
    ],
    [2, 2, { Succeeded: 1, Deleted: 1 }, '[##############################]  2/2 over, 1 deleted'],
  ])('of %i, %i made, with %j', (total, made, counts, expected) =>
    expect(progressLine(total, made, new Map(Object.entries(counts)) as Map<BackfillPhase, number>, glyphs)).toBe(
      expected,
    ),
  );
});
