/**
 * Kubernetes' amounts: `500m` of a CPU, `8Gi` of memory, `1e3`. (apimachinery/pkg/api/resource/quantity.go)
 */

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)$/;

/** An amount in billionths, the finest that Kubernetes keeps; a finer one is rounded away from zero. Nothing for what is no quantity. */
export function parseQuantity(text: string | number): bigint | undefined {
  const [, sign, number, suffix = ''] = QUANTITY.exec(String(text)) ?? [];
  if (number === undefined) return undefined;
  const [whole = '', fraction = ''] = number.split('.');
  const power = BINARY.indexOf(suffix);
  const exponent = power >= 0 ? 0 : (DECIMAL[suffix] ?? Number(suffix.slice(1)));
  if (Math.abs(exponent) > 300) return undefined;
  const digits = BigInt(whole + fraction) * (power >= 0 ? 1024n ** BigInt(power + 1) : 1n);
  const shift = exponent + 9 - fraction.length;
  const amount = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
  return sign === '-' ? -amount : amount;
}

/** Why `text` is no quantity, or nothing. */
export function quantityProblem(text: string | number): string | undefined {
  return parseQuantity(text) === undefined ? 'is no quantity, such as 500m, 2, 1.5Gi or 1e3' : undefined;
}

/** What was most likely meant by a unit that there is not, such as `8GB`. */
export function nearQuantity(text: string | number): string | undefined {
  const [, number, unit = ''] = /^\s*(\d+\.?\d*)\s*([A-Za-z]+)\s*$/.exec(String(text)) ?? [];
  const stem = unit.replace(/b$/i, '').toLowerCase();
  const meant = ['m', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti'].find((suffix) => suffix.toLowerCase() === stem);
  return number === undefined || meant === undefined ? undefined : `did you mean "${number}${meant}"?`;
}

/** Less than 0 when `a` is the smaller amount, more when it is the larger, 0 when they are one amount, such as `1` and `1000m`. */
export function compareQuantities(a: string | number, b: string | number): number | undefined {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  if (left === undefined || right === undefined) return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
