import { describe, expect, it } from 'vitest';
import { matchesLabels, selectorProblems, selectorText, type LabelSelector } from '../../lib/values/label-selector.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const labels = { tier: 'prod', region: 'eu', empty: '' };

describe('a label selector', () => {
  it.each<[LabelSelector, string, boolean]>([
    [{}, '', true],
    [{ matchLabels: { tier: 'prod', region: 'eu' } }, 'tier=prod,region=eu', true],
    [{ matchLabels: { tier: 'prod', region: 'us' } }, 'tier=prod,region=us', false],
    [{ matchLabels: { empty: '' } }, 'empty=', true],
    [{ matchLabels: { constructor: '' } }, 'constructor=', false],
    [{ matchExpressions: [{ key: 'region', operator: 'In', values: ['us', 'eu'] }] }, 'region in (us,eu)', true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, 'zone=a', false],
    [{ matchExpressions: [{ key: 'region', operator: 'NotIn', values: ['eu'] }] }, 'region notin (eu)', false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['eu'] }] }, 'zone notin (eu)', true],
    [{ matchExpressions: [{ key: 'empty', operator: 'Exists' }] }, 'empty', true],
    [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, 'zone', false],
    [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, '!zone', true],
    [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, '!tier', false],
    [
      { matchLabels: { tier: 'prod' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] },
      'tier=prod,zone',
      false,
    ],
  ])('%j is "%s" for kubectl and matches: %s, %s', (selector, text, matches) => {
    expect(selectorText(selector)).toBe(text);
    expect(matchesLabels(selector, labels)).toBe(matches);
  });

  it('matches what has no labels when it asks for none', () => {
    expect(matchesLabels({}, undefined)).toBe(true);
    expect(matchesLabels({ matchLabels: { a: 'b' } }, undefined)).toBe(false);
  });

  it('is refused with all that the API server would refuse', () => {
    const selector = {
      matchLabels: { 'a/b/c': 'x' },
      matchExpressions: [
        { key: 'a', operator: 'in', values: ['x'] },
        { key: 'a', operator: 'NotIn' },
        { key: 'a', operator: 'Exists', values: ['x'] },
      ],
    } as unknown as LabelSelector;
    expect([...selectorProblems(selector, 'cluster')].map(formatProblem)).toEqual([
      'cluster.matchLabels.a/b/c: the key "a/b/c" has more than one "/"',
      'cluster.matchExpressions[0].operator: "in" is no operator; did you mean "In"?',
      'cluster.matchExpressions[1].values: is empty, and NotIn needs one at least',
      'cluster.matchExpressions[2].values: must be left out: Exists asks for no value',
    ]);
  });
});
