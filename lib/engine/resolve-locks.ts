import type { TaskStep } from '../graph/graph.ts';
import { lockKey } from '../graph/locks.ts';
import type { Lock, StepRecord } from './record.ts';
import { resolve, type Scope } from './resolve.ts';

/** The locks of a step that may run now, as its record has them; or why it never gets them. */
export function resolveLocks(
  { locks = [] }: Pick<TaskStep, 'locks'>,
  scope: Scope,
): Pick<StepRecord, 'locks'> | { readonly problem: string } {
  const found = new Map<string, Lock>();
  for (const [index, lock] of locks.entries()) {
    // A part without a value must not make the key of another lock.
    const { key } = lock;
    const read = lockKey('list' in key ? key.list.map((part) => resolve(part, scope)) : resolve(key, scope));
    if ('problem' in read) return { problem: `the key of locks[${index}] ${read.problem}` };
    // A step that names a lock twice does not wait for itself.
    const id = `${lock.scope} ${read.key}`;
    const limit = Math.min(lock.limit, found.get(id)?.limit ?? Infinity);
    found.set(id, { key: read.key, limit, scope: lock.scope });
  }
  return found.size === 0 ? {} : { locks: [...found.values()] };
}
