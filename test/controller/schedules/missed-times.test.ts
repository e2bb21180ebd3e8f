import { describe, expect, it } from 'vitest';
import { lastChanged, missedTimes } from '../../../lib/controller/schedules/missed-times.ts';
import type { Timetable } from '../../../lib/graph/timetable.ts';

const at = (text: string) => Date.parse(`2026-01-01T${text}Z`);
const timetable = (expression: string, more: Partial<Timetable> = {}): Timetable => ({
  expressions: [expression],
  from: -Infinity,
  to: Infinity,
  ...more,
});
const missed = (of: Timetable, since: number, before: number, notBefore?: number) => {
  const { times, ...more } = missedTimes(of, { since, before, notBefore });
  return { times: times.map((time) => new Date(time).toISOString().slice(11, 19)), ...more };
};

describe('times that were missed', () => {
  it('are those after what is dealt with and before the one that is there', () =>
    expect(missed(timetable('*/10 * * * *'), at('00:10:00'), at('00:40:00'))).toEqual({
      times: ['00:20:00', '00:30:00'],
    }));

  it('are none where it goes on without a gap', () =>
    expect(missed(timetable('*/10 * * * *'), at('00:10:00'), at('00:20:00'))).toEqual({ times: [] }));

  it('are not too old, the oldest still being in time', () =>
    expect(missed(timetable('*/10 * * * *'), at('00:00:00'), at('01:00:00'), at('00:40:00')).times).toEqual([
      '00:40:00',
      '00:50:00',
    ]));

  it('are the last hundred, however long it was', () => {
    const { times, leftOut } = missedTimes(timetable('* * * * *'), { since: Date.UTC(1990), before: at('12:00:00') });
    expect([times.length, leftOut, times.at(-1)]).toEqual([100, at('10:19:00'), at('11:59:00')]);
    const yearly = missedTimes(timetable('@yearly'), { since: Date.UTC(2020, 5), before: at('12:00:00') });
    expect([yearly.times.length, yearly.leftOut]).toEqual([6, undefined]);
  });

  it('are whole intervals before the one that is there, with @every', () =>
    expect(missed(timetable('@every 90m'), at('00:10:00'), at('05:00:00')).times).toEqual([
      '00:30:00',
      '02:00:00',
      '03:30:00',
    ]));

  it('lie within a minute, and keep to the dates', () =>
    expect(missed(timetable('* * * * *', { every: 20, to: at('00:01:00') }), at('00:00:20'), at('00:05:00'))).toEqual({
      times: ['00:00:40'],
    }));
});

it('a plan has missed nothing from before it became what it is', () => {
  const metadata = (managedFields: unknown[]) => ({
    name: 'p',
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields,
  });
  expect(lastChanged(metadata([]))).toBe(at('00:00:00'));
  const changed = { manager: 'cdk8s-workflows', time: '2026-01-01T03:00:00Z' };
  const fired = { manager: 'kube-controller-manager', subresource: 'status', time: '2026-01-01T04:00:00Z' };
  expect(lastChanged(metadata([changed, fired]))).toBe(at('03:00:00'));
});
