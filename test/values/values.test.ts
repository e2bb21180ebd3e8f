import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, timeZoneProblem } from '../../lib/values/cron.ts';
import { contentHash, unitHash } from '../../lib/values/hash.ts';
import { canonicalJson } from '../../lib/values/json.ts';
import { dnsLabelProblem, labelValueProblem, qualifiedNameProblem } from '../../lib/values/names.ts';
import { formatProblem, InvalidError, suggest } from '../../lib/values/problems.ts';

describe('hashes and canonical JSON', () => {
  const shuffled = fc.dictionary(fc.string(), fc.jsonValue()).chain((object) => {
    const entries = Object.entries(object);
    return fc
      .shuffledSubarray(entries, { minLength: entries.length })
      .map((order) => [object, Object.fromEntries(order)] as const);
  });

  it('do not depend on the order of keys', () => {
    fc.assert(
      fc.property(shuffled, ([a, b]) => {
        expect(canonicalJson(a)).toBe(canonicalJson(b));
        expect(contentHash(a)).toBe(contentHash(b));
      }),
    );
  });

  it('canonical JSON reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('fit into names and the unit interval', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(contentHash(text)).toMatch(/^[0-9a-v]{10}$/);
        expect(unitHash(text)).toBeGreaterThanOrEqual(0);
        expect(unitHash(text)).toBeLessThan(1);
      }),
    );
  });
});

describe('cron expressions by the rules of Kubernetes', () => {
  it.each([
    '* * * * *',
    '0 */6 * * *',
    '0-30/5 1,2 ? jan-MAR sun',
    '5/15 0 1 12 6',
    '@daily',
    '@every 1h30m',
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
    ['1,,2 * * * *', '"" is not 0 to 59 in the minute "1,,2"'],
    ['@reboot', 'is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every <duration>'],
    ['CRON_TZ=UTC * * * * *', 'must not name a time zone; set timeZone'],
  ])('refuses %j', (expression, problem) => expect(cronProblem(expression)).toBe(problem));

  it.each([
    ['Europe/Berlin', undefined],
    ['UTC', undefined],
    ['Mars/Olympus', 'is not in the IANA database of time zones'],
    ['Local', 'must be a name from the IANA database, such as Europe/Berlin'],
    ['+02:00', 'must be a name from the IANA database, not an offset'],
  ])('reads the time zone %j', (zone, problem) => expect(timeZoneProblem(zone)).toBe(problem));
});

describe('names', () => {
  it.each([
    ['etl', true],
    ['a-1', true],
    ['-a', false],
    ['A', false],
    ['a.b', false],
    ['', false],
    ['x'.repeat(64), false],
  ])('%j is a DNS label: %s', (name, fits) => expect(dnsLabelProblem(name) === undefined).toBe(fits));

  it.each([
    ['', true],
    ['A_b.c-1', true],
    ['a b', false],
    ['-', false],
    ['x'.repeat(64), false],
  ])('%j is a label value: %s', (value, fits) => expect(labelValueProblem(value) === undefined).toBe(fits));

  it.each([
    ['team', true],
    ['acme.example/team', true],
    ['a/b/c', false],
    ['/team', false],
    ['acme.example/', false],
    ['Acme/x', false],
  ])('%j is a label key: %s', (key, fits) => expect(qualifiedNameProblem(key) === undefined).toBe(fits));
});

describe('problems', () => {
  it('are listed in the error, each with path, message and fix', () => {
    const problems = [
      { path: 'a.b', message: 'is wrong', fix: 'mend it' },
      { path: '', message: 'is empty' },
    ];
    expect(new InvalidError('Input', problems).message).toBe('Input:\n  a.b: is wrong; mend it\n  is empty');
    expect(formatProblem(problems[0]!)).toBe('a.b: is wrong; mend it');
  });

  it.each([
    ['stie', ['site', 'day'], 'did you mean "site"?'],
    ['Site', ['site'], 'did you mean "site"?'],
    ['zzz', ['site', 'day'], 'known are site, day'],
    ['zzz', [], undefined],
  ])('suggest for %j of %j: %s', (written, candidates, suggestion) =>
    expect(suggest(written, candidates)).toBe(suggestion),
  );
});
