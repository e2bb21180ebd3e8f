import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { cronJobs } from '../../kube/resources.ts';
import type { JsonObject } from '../../values/json.ts';
import { HAND_MANAGER } from '../apply/field-managers.ts';
import { endOfPause, pausedUntil } from '../plan-pause.ts';

/** A plan's CronJob. */
type Switched = KubeObject & { readonly spec: { readonly suspend?: boolean } };

/** What is changed of a plan so that it starts runs by its schedule, or none; nothing when that is so. One that is paused is not active. */
export function activationPatch(plan: Switched, active: boolean, now: number): JsonObject | undefined {
  const switches = (plan.spec.suspend ?? false) === active;
  const goesOn = active && pausedUntil(plan, now) !== undefined;
  if (!switches && !goesOn) return undefined;
  return { spec: { ...(switches && { suspend: !active }), ...(goesOn && endOfPause(plan, now)) } };
}

/** Lets a plan start runs by its schedule, or none, so that the next apply leaves it so. Says whether that was not so before. */
export async function switchPlan(
  client: KubeClient,
  plan: Switched,
  active: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const patch = activationPatch(plan, active, Date.now());
  if (patch !== undefined) await patchByHand(client, plan, patch, signal);
  return patch !== undefined;
}

/** Changes a plan so that the next apply leaves the change. */
export async function patchByHand(
  client: KubeClient,
  { metadata: { name, namespace } }: KubeObject,
  patch: JsonObject,
  signal?: AbortSignal,
): Promise<void> {
  const options = { type: 'merge', namespace, repeatable: true, fieldManager: HAND_MANAGER, signal } as const;
  await client.patch(cronJobs, name, patch, options);
}
