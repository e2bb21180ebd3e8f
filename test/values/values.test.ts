import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
