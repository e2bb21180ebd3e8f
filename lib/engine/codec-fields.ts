import { cancelModes } from '../graph/labels.ts';
import { lockScopes } from '../graph/locks.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import type { Lock } from './record.ts';
import { runReasons, stepReasons } from './reasons.ts';

/** How a field is read: what it becomes, and what it must be, in words, when it does not fit. */
interface Field {
  readonly required?: boolean;
  readonly expected: string;
  /** Nothing when the value does not fit. */
  read(value: Json): unknown;
}

type Fields = Readonly<Record<string, Field>>;

const text: Field = { expected: 'a string', read: (value) => (typeof value === 'string' ? value : undefined) };
const count: Field = {
  expected: 'a whole number from 1',
  read: (value) => (isWhole(value) && value >= 1 ? value : undefined),
};
const whole: Field = { expected: 'a whole number', read: (value) => (isWhole(value) ? value : undefined) };
const object: Field = { expected: 'a JSON object', read: (value) => (isJsonObject(value) ? value : undefined) };
const time: Field = { expected: 'a time such as 2025-01-01T00:00:00.000Z', read: readTime };
const oneOf = (known: readonly string[]): Field => ({
  expected: `one of ${known.join(', ')}`,
  read: (value) => (typeof value === 'string' && known.includes(value) ? value : undefined),
});
const locks: Field = { expected: 'a list of locks, each with key, limit and scope', read: readLocks };
const required = (field: Field): Field => ({ ...field, required: true });

const phases = Object.keys(stepReasons);
const reason = oneOf(Object.values(stepReasons).flat());

/** The fields of a run's state. */
export const runFields: Fields = {
  phase: required(oneOf(['Running', 'Succeeded', 'Failed', 'Cancelled'])),
  reason: required(oneOf(runReasons)),
  message: text,
  startedAt: required(time),
  finishedAt: time,
  cancel: oneOf(cancelModes),
  outputs: object,
};

/** The fields of a step's record, but for its attempts. */
export const stepFields: Fields = {
  phase: required(oneOf(phases)),
  reason: required(reason),
  message: text,
  outputs: object,
  indexes: whole,
  items: whole,
  readyAt: time,
  retryAt: time,
  until: time,
  locks,
  finishedAt: time,
};

/** The fields of an attempt. */
export const attemptFields: Fields = {
  number: required(count),
  phase: required(oneOf(['Running', 'Succeeded', 'Failed', 'Cancelled'])),
  reason: required(reason),
  message: text,
  exitCode: whole,
  failure: oneOf(['user', 'system', 'permanent']),
  createdAt: required(time),
  startedAt: time,
  finishedAt: time,
  stopping: reason,
};

/** The fields of an object that are known; what does not fit becomes a problem, and then the result is not to be used. */
export function readFields<T>(json: JsonObject, fields: Fields, path: string, problems: Problem[]): T {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    if (value === undefined) {
      if (field.required)
        problems.push({ path: `${path}.${name}`, message: `is missing; it must be ${field.expected}` });
      continue;
    }
    const read = field.read(value);
    if (read === undefined)
      problems.push({ path: `${path}.${name}`, message: `must be ${field.expected}, not ${show(value)}` });
    else result[name] = read;
  }
  return result as T;
}

function isWhole(value: Json): value is number {
  return Number.isSafeInteger(value);
}

function readLocks(value: Json): readonly Lock[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const locks = (value as readonly Json[]).flatMap((lock) => {
    const { key = null, limit = null, scope } = isJsonObject(lock) ? lock : {};
    const fits = typeof key === 'string' && isWhole(limit) && limit >= 1;
    const known = [...lockScopes, 'result' as const].find((one) => one === scope);
    return fits && known !== undefined ? [{ key, limit, scope: known }] : [];
  });
  return locks.length === value.length ? locks : undefined;
}

function readTime(value: Json): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : at;
}
