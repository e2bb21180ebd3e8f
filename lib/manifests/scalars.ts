import { nearQuantity } from '../values/quantity.ts';
import type { Scalar } from './type-expression.ts';

/** Why a value does not fit: what it must be, and what to do if that is plain. */
export interface Misfit {
  readonly must: string;
  readonly fix?: string | undefined;
}

/** What is wrong with a value of a scalar type, or nothing. */
export function scalarMisfit(scalar: Scalar, value: unknown): Misfit | undefined {
  return checks[scalar](value);
}

type Check = (value: unknown) => Misfit | undefined;

const string = (value: unknown): Misfit | undefined =>
  typeof value === 'string'
    ? undefined
    : { must: 'be a string', fix: typeof value === 'number' || typeof value === 'boolean' ? 'quote it' : undefined };

const bool = (value: unknown): Misfit | undefined =>
  typeof value === 'boolean' ? undefined : { must: 'be true or false', fix: unquote(value, /^(true|false)$/) };

function integer(least: number, most: number): Check {
  return (value) => {
    if (typeof value !== 'number') return { must: 'be a whole number', fix: unquote(value, /^-?\d+$/) };
    if (!Number.isInteger(value)) return { must: 'be a whole number' };
    return value < least || value > most ? { must: `be from ${least} to ${most}` } : undefined;
  };
}

function double(value: unknown): Misfit | undefined {
  return typeof value === 'number' ? undefined : { must: 'be a number', fix: unquote(value, /^-?\d+(\.\d+)?$/) };
}

// The grammar of apimachinery/pkg/api/resource/quantity.go; JSON may write it as a number too, or with spaces around.
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

function quantity(value: unknown): Misfit | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return undefined;
  return typeof value === 'string' && QUANTITY.test(value.trim())
    ? undefined
    : {
        must: 'be a quantity such as "500m", "2" or "8Gi"',
        fix: typeof value === 'string' ? nearQuantity(value) : undefined,
      };
}

function intOrString(value: unknown): Misfit | undefined {
  return typeof value === 'string' || int32(value) === undefined
    ? undefined
    : { must: 'be a whole number or a string' };
}

// encoding/json: standard base64 with padding; line breaks are passed over. By hand, since a regular expression
// that repeats a group runs out of stack on a graph of a megabyte.
function bytes(value: unknown): Misfit | undefined {
  const misfit = { must: 'be base64', fix: 'encode it; a Secret takes plain text in stringData' };
  if (typeof value !== 'string') return misfit;
  const text = value.replaceAll(/[\r\n]/g, '');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const plain = text.slice(0, text.length - padding);
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(plain) ? undefined : misfit;
}

// metav1.Time is RFC 3339; metav1.MicroTime wants exactly six digits after the point (meta/v1/micro_time.go).
function time(pattern: RegExp, example: string): Check {
  return (value) =>
    typeof value === 'string' && pattern.test(value) && isReal(value.slice(0, 19))
      ? undefined
      : { must: `be a time such as "${example}"` };
}

// `Date` takes 30 February for 2 March, and 24:00 for the next day.
function isReal(dateTime: string): boolean {
  const parsed = new Date(`${dateTime}Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(dateTime);
}

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);

const checks: Readonly<Record<Scalar, Check>> = {
  any: () => undefined,
  string,
  bool,
  int32,
  int64: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  double,
  bytes,
  quantity,
  intOrString,
  time: time(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/, '2026-01-31T06:00:00Z'),
  microTime: time(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/, '2026-01-31T06:00:00.000000Z'),
};

function unquote(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? 'remove the quotes' : undefined;
}
