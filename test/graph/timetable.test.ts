import { describe, expect, it } from 'vitest';
import { annotations, NEVER } from '../../lib/graph/labels.ts';
import { firesAt, timesAfter, timetableOf, timetableText } from '../../lib/graph/timetable.ts';

const spec = (notes: Readonly<Record<string, string>> = {}, more: { schedule?: string; timeZone?: string } = {}) => ({
  schedule: '0,30 6,18 * * *',
  timeZone: 'Etc/UTC',
  ...more,
  jobTemplate: { metadata: { annotations: notes } },
});
const several = { [annotations.schedules]: '{"cron":["0 6 * * *","30 18 * * fri"],"timeZone":"Etc/UTC"}' };
const after = (text: string, of: ReturnType<typeof spec>, count = 3) =>
  [...timesAfter(timetableOf(of), Date.parse(text)).take(count)].map((time) => new Date(time).toISOString());

describe('when a plan fires', () => {
  it('is the next time of all of its schedules, once when two agree', () => {
    expect(after('2026-01-01T00:00:00Z', spec(several), 4)).toEqual([
      '2026-01-01T06:00:00.000Z',
      '2026-01-02T06:00:00.000Z',
      '2026-01-02T18:30:00.000Z',
      '2026-01-03T06:00:00.000Z',
    ]);
    const twice = { [annotations.schedules]: '{"cron":["0 6 * * *","0 6,7 * * *"],"timeZone":"Etc/UTC"}' };
    expect(after('2026-01-01T00:00:00Z', spec(twice))).toEqual([
      '2026-01-01T06:00:00.000Z',
      '2026-01-01T07:00:00.000Z',
      '2026-01-02T06:00:00.000Z',
    ]);
  });

  it('is what the CronJob says where nothing else is said, or nobody can read it', () => {
    for (const schedules of ['{}', 'often', '{"cron":"often"}'])
      expect(after('2026-01-01T00:00:00Z', spec({ [annotations.schedules]: schedules }), 2)).toEqual([
        '2026-01-01T06:00:00.000Z',
        '2026-01-01T06:30:00.000Z',
      ]);
    expect(after('2026-01-01T00:00:00Z', spec({}, { timeZone: 'Mars' }))).toEqual([]);
    expect(timetableOf(spec({}, { schedule: NEVER })).expressions).toEqual([]);
  });

  it('keeps to intervals below a minute, to the dates and to the pause', () => {
    const notes = {
      [annotations.every]: '20',
      [annotations.between]: '{"from":"2025-01-01T00:00:00Z","to":"2026-01-01T12:00:40Z"}',
      [annotations.pausedUntil]: '2026-01-01T12:00:00Z',
    };
    expect(after('2026-01-01T00:00:00Z', spec(notes), 9)).toEqual([
      '2026-01-01T12:00:00.000Z',
      '2026-01-01T12:00:20.000Z',
    ]);
  });

  it('counts @every from when it fired last, on both sides of it', () => {
    const delay = timetableOf(spec({}, { schedule: '@every 90m' }));
    const since = Date.parse('2026-01-01T12:00:00Z');
    const times = [...timesAfter(delay, Date.parse('2026-01-01T09:10:00Z'), since).take(3)];
    expect(times.map((time) => new Date(time).toISOString().slice(11, 16))).toEqual(['10:30', '12:00', '13:30']);
  });

  it('is told as people wrote it', () => {
    expect(timetableText(timetableOf(spec(several)))).toBe('0 6 * * *, 30 18 * * fri');
    expect(timetableText(timetableOf(spec({ [annotations.every]: '20' })))).toBe('every 20s');
    expect(timetableText(timetableOf(spec()))).toBe('0,30 6,18 * * *');
  });

  it.each([
    ['2026-01-02T06:00:00Z', true],
    ['2026-01-02T18:30:00Z', true],
    ['2026-01-02T06:30:00Z', false],
    ['2026-01-03T18:30:00Z', false],
  ])('of %s: %s', (time, fires) =>
    expect(firesAt({ cron: ['0 6 * * *', '30 18 * * fri'], timeZone: 'Etc/UTC' }, Date.parse(time))).toBe(fires),
  );
});
