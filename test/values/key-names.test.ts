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

  it('is a DNS label that fits, whatever the key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (key) => {
        const name = planNameOf('a-workflow', key);
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
