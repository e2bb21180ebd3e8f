import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PLAN_NAME, planNameOf, safeKey } from '../../lib/values/key-names.ts';
import { dnsLabelProblem } from '../../lib/values/names.ts';

describe('the name of the plan of a key', () => {
  it.each([
    ['site-a', 'etl-site-a'],
    ['Site_A', 'etl-site-a'],
    ['Zürich', 'etl-zurich'],
    ['eu/fra 1', 'etl-eu-fra-1'],
    ['--a--', 'etl-a'],
    ['7', 'etl-7'],
    ['x'.repeat(60), `etl-${'x'.repeat(37)}-6ci0gsouki`],
    ['東京', undefined],
    ['', undefined],
  ])('%s is %s', (key, name) => {
    expect(planNameOf('etl', key)).toBe(name);
  });

  it.each([
    ['customer-order-enrichment-nightly-reconciliation', 'site-a', 'customer-order-enrichment-nightly-site-a-'],
    ['customer-order-enrichment', 'a-site-with-a-very-long-name', 'customer-order-enric-a-site-with-a-very-l-'],
    ['customer-order', 'a-site-with-a-very-long-name-of-its-own', 'customer-order-a-site-with-a-very-long-na-'],
  ])('shows the key also where %s is long', (prefix, key, begin) => {
    expect(planNameOf(prefix, key)!.slice(0, -10)).toBe(begin);
  });

  it('tells prefixes apart that differ only in what is cut off', () => {
    const prefix = 'customer-order-enrichment-nightly-reconciliation';
    expect(planNameOf(`${prefix}-a`, 'site')).not.toBe(planNameOf(`${prefix}-b`, 'site'));
  });

  it('is a DNS label that fits, whatever the key', () => {
    const prefixes = fc.stringMatching(/^[a-z]([a-z0-9-]{0,60}[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), prefixes, (key, prefix) => {
        const name = planNameOf(prefix, key);
        fc.pre(name !== undefined);
        expect(dnsLabelProblem(name, MAX_PLAN_NAME)).toBeUndefined();
      }),
    );
  });

  it('tells keys apart that differ in letters or digits, also where they are cut off', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abz09-'), minLength: 30, maxLength: 70 });
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        fc.pre(safeKey(a) !== safeKey(b) && safeKey(a) !== undefined && safeKey(b) !== undefined);
        expect(planNameOf('etl', a)).not.toBe(planNameOf('etl', b));
      }),
    );
  });
});
