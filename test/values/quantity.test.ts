import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareQuantities, parseQuantity, quantityProblem } from '../../lib/values/quantity.ts';

const G = 1_000_000_000n;

describe('quantities', () => {
  // From apimachinery/pkg/api/resource/quantity_test.go: TestQuantityParse and TestQuantityParseZero.
  it.each<[string, bigint]>([
    ['0', 0n],
    ['0Ki', 0n],
    ['1', G],
    ['+1', G],
    ['-1', -G],
    ['1.', G],
    ['.5', G / 2n],
    ['00012', 12n * G],
    ['1n', 1n],
    ['1u', 1000n],
    ['100m', G / 10n],
    ['1k', 1000n * G],
    ['1.5M', 1_500_000n * G],
    ['1E', 10n ** 18n * G],
    ['1e3', 1000n * G],
    ['1E3', 1000n * G],
    ['1e-3', G / 1000n],
    ['1E+6', 10n ** 6n * G],
    ['12Ki', 12n * 1024n * G],
    ['1.5Gi', 1536n * 1024n ** 2n * G],
    ['.5i'.replace('i', 'Mi'), 512n * 1024n * G],
    ['1Ei', 1024n ** 6n * G],
    ['0.1n', 1n],
    ['-0.1n', -1n],
  ])('%s is read as Kubernetes reads it', (text, billionths) => {
    expect(parseQuantity(text)).toBe(billionths);
    expect(quantityProblem(text)).toBeUndefined();
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1.1.1',
    '8gb',
    '8GB',
    '1K',
    '1ki',
    '1KI',
    '1Mib',
    '1i',
    '1e',
    '1e3.5',
    '1ee3',
    '+-1',
    '1,5',
    'a',
    '.',
    '-',
  ])('%j is none', (text) => expect(quantityProblem(text)).toMatch('is no quantity'));

  it('are compared by amount, whatever they are written as', () => {
    expect(compareQuantities('1', '1000m')).toBe(0);
    expect(compareQuantities('1Gi', '1G')).toBe(1);
    expect(compareQuantities('999Mi', '1Gi')).toBe(-1);
    expect(compareQuantities(2, '1500m')).toBe(1);
    expect(compareQuantities('x', '1')).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(compareQuantities(`${a}m`, `${b}m`)).toBe(Math.sign(a - b));
      }),
    );
  });
});
