import { describe, expect, it } from 'vitest';
import { cronProblem, neverComes, parseCron, type CronSchedule } from '../../lib/values/cron.ts';
import { nextTime, nextTimes } from '../../lib/values/cron-times.ts';
import { TimeZone, timeZoneProblem } from '../../lib/values/time-zone.ts';

function parsed(expression: string): CronSchedule {
  const schedule = parseCron(expression);
  if ('problem' in schedule) throw new Error(schedule.problem);
  return schedule;
}

function next(expression: string, zone: string, after: string, count: number): readonly string[] {
  const clocks = new TimeZone(zone);
  return [...nextTimes(parsed(expression), Date.parse(after), clocks).take(count)].map((time) => clocks.format(time));
}

// test/checks/schedules puts many more to the parser of Kubernetes itself.
describe('cron expressions by the rules of Kubernetes', () => {
  it.each([
    '* * * * *',
    '0 */6 * * *',
    '0-30/5 1,2 ? jan-MAR sun',
    '5/15 0 1 12 6',
    '1,,2 * * * *',
    '*-5 * * * *',
    '+5 007 * * *',
    '@daily',
    '@every 1h30m',
    '@every -5m',
    '@every .5h',
    ' 0 0 * * * ',
  ])('takes %j', (expression) => expect(cronProblem(expression)).toBeUndefined());

  it.each([
    ['', 'has 0 fields, not the five of minute, hour, day of month, month and day of week'],
    ['0 0 * *', 'has 4 fields, not the five of minute, hour, day of month, month and day of week'],
    ['60 * * * *', '"60" is not 0 to 59 in the minute "60"'],
    ['* * 0 * *', '"0" is not 1 to 31 in the day of month "0"'],
    ['* * * 13 *', '"13" is not jan to dec or 1 to 12 in the month "13"'],
    ['* * * * 7', '"7" is not sun to sat or 0 to 6 in the day of week "7"'],
    ['* * L * *', '"L" is not 1 to 31 in the day of month "L"'],
    ['* * * * 1#2', '"1#2" is not sun to sat or 0 to 6 in the day of week "1#2"'],
    ['30-10 * * * *', 'the range "30-10" ends before it begins in the minute "30-10"'],
    ['*/0 * * * *', 'the step "0" is no positive number in the minute "*/0"'],
    ['1/2/3 * * * *', '"1/2/3" has two steps in the minute "1/2/3"'],
    ['1-2-3 * * * *', '"1-2-3" is no range in the minute "1-2-3"'],
    ['@reboot', 'is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every <duration>'],
    ['@every 5', 'is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every <duration>'],
    ['CRON_TZ=UTC * * * * *', 'must not name a time zone; set timeZone'],
  ])('refuses %j', (expression, problem) => expect(cronProblem(expression)).toBe(problem));

  it.each([
    ['0 0 31 2 *', true],
    ['0 0 30 2,feb ?', true],
    ['0 0 31 4,6,9,11 *', true],
    ['0 0 29 2 *', false],
    ['0 0 31 2 mon', false],
    ['0 0 31 2 */2', false],
    [', 0 * * *', true],
    ['@every 1h', false],
  ])('%j names no day that there is: %s', (expression, never) => {
    expect(neverComes(parsed(expression))).toBe(never);
    expect(nextTime(parsed(expression), Date.UTC(2026, 0, 1), new TimeZone('UTC')) === undefined).toBe(never);
  });

  it.each([
    ['Europe/Berlin', undefined],
    ['UTC', undefined],
    ['US/Pacific', undefined],
    ['Etc/GMT+5', undefined],
    ['EST5EDT', undefined],
    ['CET', undefined],
    ['Mars/Olympus', 'is not in the IANA database of time zones'],
    ['europe/berlin', 'is not in the IANA database of time zones; did you mean "Europe/Berlin"?'],
    ['PST', 'is not in the IANA database of time zones'],
    ['', 'is not in the IANA database of time zones'],
    ['Local', 'must be a name from the IANA database, such as Europe/Berlin'],
    ['+02:00', 'must be a name from the IANA database, not an offset'],
  ])('reads the time zone %j', (zone, problem) => expect(timeZoneProblem(zone)).toBe(problem));
});

describe('the next times of a schedule', () => {
  it('leaves out a time that the clocks pass over in spring', () =>
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00Z', 3)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-30T02:30:00+02:00',
      '2026-03-31T02:30:00+02:00',
    ]));

  it('gives a time twice that the clocks show twice in autumn', () =>
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 3)).toEqual([
      '2026-10-25T02:30:00+02:00',
      '2026-10-25T02:30:00+01:00',
      '2026-10-26T02:30:00+01:00',
    ]));

  it.each([
    ['a day that begins at one', 'America/Sao_Paulo', '2018-11-03T12:00Z', ['2018-11-05T00:00:00-02:00']],
    [
      'midnight, which Havana shows twice',
      'America/Havana',
      '2026-10-31T12:00Z',
      ['2026-11-01T00:00:00-04:00', '2026-11-01T00:00:00-05:00'],
    ],
  ])('knows of %s', (_, zone, after, times) => expect(next('0 0 * * *', zone, after, times.length)).toEqual(times));

  it('takes a day of the month or of the week when both are said, and both when one is a star', () => {
    expect(next('0 0 13 * fri', 'UTC', '2026-11-01T00:00Z', 3).map((time) => time.slice(0, 10))).toEqual([
      '2026-11-06',
      '2026-11-13',
      '2026-11-20',
    ]);
    expect(next('0 0 */2 * fri', 'UTC', '2026-11-01T00:00Z', 3).map((time) => time.slice(0, 10))).toEqual([
      '2026-11-03',
      '2026-11-05',
      '2026-11-06',
    ]);
    expect(next('0 0 * * fri', 'UTC', '2026-11-01T00:00Z', 2).map((time) => time.slice(0, 10))).toEqual([
      '2026-11-06',
      '2026-11-13',
    ]);
  });

  it('counts @every from the time it is given', () =>
    expect(next('@every 90m', 'UTC', '2026-01-01T00:10:00.7Z', 2)).toEqual([
      '2026-01-01T01:40:00+00:00',
      '2026-01-01T03:10:00+00:00',
    ]));

  it('looks no further than five years', () => {
    expect(next('0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', 1)).toEqual([]);
    expect(next('0 0 29 2 *', 'UTC', '2099-03-01T00:00Z', 1)).toEqual(['2104-02-29T00:00:00+00:00']);
  });

  it('goes on after a day that a zone left out', () =>
    expect(next('0 0 31 12 *', 'Pacific/Apia', '2011-12-30T00:00Z', 1)).toHaveLength(1));
});
