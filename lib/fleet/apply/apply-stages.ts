import type { ApplyPlan, PlannedObject } from './apply-plan.ts';
import { inApplyOrder } from './apply-order.ts';
import { isSameScope, type Scope } from './applyset.ts';

/** One write of an apply. */
export type Write =
  | { readonly kind: 'record'; readonly scope: Scope }
  | { readonly kind: 'apply' | 'delete'; readonly planned: PlannedObject };

/**
 * The writes of a plan in stages: those of one stage in any order, and a stage when the one before it is done. The inventory lists
 * what was and what will be before the first object is written, and shrinks after the last was deleted. So whoever looks at
 * any moment in between finds through it all that is there.
 */
export function stagesOf({ objects, inventory, failure }: ApplyPlan): readonly (readonly Write[])[] {
  if (failure !== undefined) return [];
  const written = objects.filter(({ action }) => action === 'create' || action === 'change' || action === 'refuse');
  const deleted = objects.filter(({ action }) => action === 'delete');
  const apply = (planned: PlannedObject): Write => ({ kind: 'apply', planned });
  if (inventory === undefined) return inApplyOrder(written).map((group) => group.map(apply));
  const { ref, before, during, after } = inventory;
  // The inventory cannot be before the namespace that it is in.
  const home = written.filter(({ object }) => isNamespace(object, ref.namespace));
  const others = written.filter((planned) => !home.includes(planned));
  const empty = after.groupKinds.size === 0 && before === undefined;
  return [
    home.map(apply),
    ...(empty || (before && isSameScope(before, during)) ? [] : [[{ kind: 'record', scope: during } as const]]),
    ...inApplyOrder(others).map((group) => group.map(apply)),
    ...inApplyOrder(deleted)
      .toReversed()
      .map((group) => group.map((planned): Write => ({ kind: 'delete', planned }))),
    ...(isSameScope(during, after) ? [] : [[{ kind: 'record', scope: after } as const]]),
  ].filter((stage) => stage.length > 0);
}

/** Whether a plan writes nothing. */
export function isDone(plan: ApplyPlan): boolean {
  return stagesOf(plan).length === 0;
}

function isNamespace({ kind, metadata }: PlannedObject['object'], name: string): boolean {
  return kind === 'Namespace' && metadata.name === name;
}
