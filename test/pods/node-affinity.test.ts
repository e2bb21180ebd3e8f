import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canMatch, conjoinTerms } from '../../lib/pods/node-affinity.ts';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: string[];
}
interface Term {
  readonly matchExpressions?: Requirement[];
}

const keys = ['a', 'b'];
const values = ['1', '2', '3'];
/** All labels that a node may have, as far as the terms can tell. */
const nodes = [undefined, ...values].flatMap((a) => [undefined, ...values].map((b) => ({ a, b })));

/** labels.Requirement.Matches of apimachinery. */
function matches({ matchExpressions = [] }: Term, node: Readonly<Record<string, string | undefined>>): boolean {
  return (
    matchExpressions.length > 0 &&
    matchExpressions.every(({ key, operator, values: wanted = [] }) => {
      const value = node[key];
      if (operator === 'In') return value !== undefined && wanted.includes(value);
      if (operator === 'NotIn') return value === undefined || !wanted.includes(value);
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return (
        value !== undefined &&
        (operator === 'Gt' ? Number(value) > Number(wanted[0]) : Number(value) < Number(wanted[0]))
      );
    })
  );
}

const some = (terms: readonly Term[], node: Readonly<Record<string, string | undefined>>) =>
  terms.some((term) => matches(term, node));
const requirement: fc.Arbitrary<Requirement> = fc.constantFrom(...keys).chain((key) =>
  fc.oneof(
    fc.record({
      key: fc.constant(key),
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.subarray(values, { minLength: 1 }),
    }),
    fc.record({ key: fc.constant(key), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    fc.record({
      key: fc.constant(key),
      operator: fc.constantFrom('Gt', 'Lt'),
      values: fc.constantFrom(...values).map((value) => [value]),
    }),
  ),
);
const term: fc.Arbitrary<Term> = fc.record({ matchExpressions: fc.array(requirement, { maxLength: 3 }) });
const terms = fc.array(term, { minLength: 1, maxLength: 3 });

describe('conjoined node affinity', () => {
  it('matches the nodes that both sides match, and no other', () => {
    fc.assert(
      fc.property(terms, terms, (a, b) => {
        const both = conjoinTerms(a, b);
        for (const node of nodes) expect(some(both, node)).toBe(some(a, node) && some(b, node));
      }),
      { numRuns: 1000 },
    );
  });

  it('changes nothing when it is conjoined again', () => {
    fc.assert(
      fc.property(terms, terms, (a, b) => {
        const once = conjoinTerms(a, b);
        expect(conjoinTerms(once, b)).toEqual(once);
      }),
    );
  });

  it('says that a term can match when some node does', () => {
    fc.assert(
      fc.property(term, (one) => {
        if (nodes.some((node) => matches(one, node))) expect(canMatch(one)).toBe(true);
      }),
    );
  });

  it.each([
    [
      [
        { key: 'a', operator: 'In', values: ['1'] },
        { key: 'a', operator: 'In', values: ['2'] },
      ],
      {},
    ],
    [
      [
        { key: 'a', operator: 'In', values: ['1'] },
        { key: 'a', operator: 'NotIn', values: ['1'] },
      ],
      {},
    ],
    [
      [
        { key: 'a', operator: 'Exists' },
        { key: 'a', operator: 'DoesNotExist' },
      ],
      {},
    ],
    [
      [
        { key: 'a', operator: 'Gt', values: ['3'] },
        { key: 'a', operator: 'Lt', values: ['4'] },
      ],
      {},
    ],
    [[{ key: 'a', operator: 'In', values: ['1', '2'] }], { a: '3' }],
    [[{ key: 'a', operator: 'DoesNotExist' }], { a: '3' }],
  ])('knows that %j with the labels %j matches no node', (matchExpressions, nodeSelector) => {
    expect(canMatch({ matchExpressions }, nodeSelector as Record<string, string>)).toBe(false);
  });
});
