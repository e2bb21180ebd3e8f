import { isJsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import { taskSteps, type Graph } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { isNumber, isOneOf, isSource } from './shapes.ts';

/** Among which steps a lock counts: those of one run, of all runs of a namespace, or of all runs that the controller looks after. */
export const lockScopes = ['run', 'namespace', 'controller'] as const;
export type LockScope = (typeof lockScopes)[number];

/** A lock that a step has while it runs, together with at most so many others. One of limit 1 is a mutex. */
export interface LockSource {
  /** Text, a number or a boolean, or a list of these. */
  readonly key: ValueSource;
  readonly limit: number;
  readonly scope: LockScope;
}

export function isLocks(value: unknown): boolean {
  const isLock = (lock: unknown) =>
    isJsonObject(lock) && isSource(lock.key) && isNumber(lock.limit) && isOneOf(...lockScopes)(lock.scope);
  return Array.isArray(value) && value.every(isLock);
}

/** What the keys of a step's locks are made of, each with its place in the step. */
export function* lockSources(locks: readonly LockSource[] = []): Generator<readonly [string, ValueSource]> {
  for (const [index, { key }] of locks.entries()) yield [`locks[${index}].key`, key];
}

/** What is wrong with the locks of a step. */
export function* lockProblems(locks: readonly LockSource[] = [], at: string): Generator<Problem> {
  for (const [index, { key, limit }] of locks.entries()) {
    const path = `${at}.locks[${index}]`;
    if (!Number.isSafeInteger(limit) || limit < 1)
      yield { path: `${path}.limit`, message: `must be a whole number from 1, not ${show(limit)}` };
    const known = 'value' in key ? lockKey(key.value) : undefined;
    if (known !== undefined && 'problem' in known) yield { path: `${path}.key`, message: known.problem };
  }
}

/** The longest key, in characters. It stands in records and messages. */
const MAX_KEY = 256;

/** The text of a key, of which the parts of a list are separated by slashes; or what is wrong with it. */
export function lockKey(value: unknown): { readonly key: string } | { readonly problem: string } {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (value === undefined || parts.length === 0) return { problem: 'has no value' };
  const odd = parts.filter((part) => !['string', 'number', 'boolean'].includes(typeof part));
  if (odd.length > 0)
    return { problem: `must be text, a number or a boolean, or a list of these, not ${show(odd[0])}` };
  const key = parts.map(String).join('/');
  if (key === '') return { problem: 'is empty' };
  if (key.length > MAX_KEY) return { problem: `has ${key.length} characters; it may have ${MAX_KEY}` };
  return { key };
}

/** The steps with locks that count beyond their own run. */
export function sharedLocks(graph: Pick<Graph, 'steps'>): string[] {
  const shared = taskSteps(graph).filter(
    (step) => step.kind !== 'indexedMap' && step.locks?.some(({ scope }) => scope !== 'run'),
  );
  return shared.map(({ name }) => name);
}
