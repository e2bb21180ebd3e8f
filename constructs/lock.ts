import type { LockScope, LockSource } from '../lib/graph/locks.ts';
import type { Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import { references, toSource } from './sources.ts';

declare const scopeType: unique symbol;

/** What the key of a lock is made of: text, numbers and the like, as they are written or known once the workflow runs. */
export type LockKey<Scope> = LockKeyPart<Scope> | readonly LockKeyPart<Scope>[];
type LockKeyPart<Scope> = string | number | boolean | Reference<string | number | boolean | undefined, Scope>;

export interface LockOptions {
  /** Among which steps it counts: those of one run, of all runs of the namespace, or of all runs that the controller looks after. @default 'namespace' */
  readonly scope?: LockScope;
}

/** Something that only so many steps may have at once, for `lock`. Made by {@link mutex} and {@link semaphore}. */
export class Lock<Scope = unknown> {
  declare readonly [scopeType]?: () => Scope;
  readonly #key: LockKey<Scope>;
  readonly #limit: number;
  readonly #scope: LockScope;

  /** @internal */
  constructor(key: LockKey<Scope>, limit: number, scope: LockScope = 'namespace') {
    this.#key = key;
    this.#limit = limit;
    this.#scope = scope;
  }

  /** @internal Every value that the key is made of and that is not known yet. */
  get references(): readonly AnyReference[] {
    return [...references(this.#key)];
  }

  /** @internal The same with other values in place of references. */
  fill(value: (reference: AnyReference) => unknown): Lock {
    const fill = (part: LockKeyPart<Scope>) => (part instanceof Reference ? value(part as AnyReference) : part);
    const isList = (key: LockKey<Scope>): key is readonly LockKeyPart<Scope>[] => Array.isArray(key);
    const key = isList(this.#key) ? this.#key.map(fill) : fill(this.#key);
    return new Lock(key as LockKey<unknown>, this.#limit, this.#scope);
  }

  /** @internal As the graph carries it. */
  toGraph(owner: object): LockSource {
    return { key: toSource(this.#key ?? null, owner), limit: this.#limit, scope: this.#scope };
  }
}

/**
 * A lock that one step at a time has. The key says what is locked; parts of a list are separated by slashes.
 *
 * @example
 * step('migrate', migrate).lock(mutex('db'));
 * step('load', load, { site: inputs.site }).lock(mutex(['site', inputs.site]));
 */
export function mutex<Scope = never>(key: LockKey<Scope>, { scope }: LockOptions = {}): Lock<Scope> {
  return new Lock(key, 1, scope);
}

/**
 * A lock that `limit` steps at a time have. Where uses of one key name different limits, none of them is exceeded for whom
 * it holds: a mutex and a semaphore of the same key are never had together.
 *
 * @example
 * step('train', train).lock(semaphore('gpu-licences', 4));
 * const requests = semaphore('requests', 2, { scope: 'run' }); // two of the steps of each run that lock it
 */
export function semaphore<Scope = never>(key: LockKey<Scope>, limit: number, { scope }: LockOptions = {}): Lock<Scope> {
  return new Lock(key, limit, scope);
}

/** @internal Why locks do not work where nobody sequences steps. */
export function lockedAloneProblem(locks: readonly unknown[]): readonly Problem[] {
  if (locks.length === 0) return [];
  const message = 'has locks, which only a controller can keep';
  return [{ path: 'task', message, fix: 'make it a step of a workflow, or leave the locks to the steps' }];
}
