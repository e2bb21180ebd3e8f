import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { cronJobs } from '../kube/resources.ts';
import { HAND_MANAGER } from './field-managers.ts';

/** Lets a plan start runs by its schedule, or none, so that the next apply leaves it so. Says whether that was not so before. */
export async function switchPlan(
  client: KubeClient,
  { metadata, spec }: KubeObject & { readonly spec: { readonly suspend?: boolean } },
  active: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  if ((spec.suspend ?? false) !== active) return false;
  const { name, namespace } = metadata;
  const patch = { spec: { suspend: !active } };
  await client.patch(cronJobs, name, patch, {
    type: 'merge',
    namespace,
    repeatable: true,
    fieldManager: HAND_MANAGER,
    signal,
  });
  return true;
}
