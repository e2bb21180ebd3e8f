import type { Job, Pod } from './objects.ts';
import type { ManagedFields } from './schedules/missed-times.ts';
import type { PlanObject } from './schedules/planned-run.ts';

/** What a watch keeps of objects: nothing that nobody reads, since there may be very many pods. */

/** A pod without all that a stop, an end or a message cannot be read from. */
export function slimPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels, ownerReferences, deletionTimestamp } = metadata;
  const named = (containers: readonly { readonly name: string; readonly restartPolicy?: string }[] | undefined) =>
    containers?.map(({ name: container, restartPolicy }) => ({
      name: container,
      ...(restartPolicy && { restartPolicy }),
    }));
  const { phase, reason, message, podIP, conditions, containerStatuses, initContainerStatuses } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, labels, ownerReferences, deletionTimestamp },
    spec: {
      nodeName: spec?.nodeName,
      containers: named(spec?.containers),
      initContainers: named(spec?.initContainers),
    },
    status: { phase, reason, message, podIP, conditions, containerStatuses, initContainerStatuses },
  };
}

/** A Job without its template. */
export function slimJob(job: Job): Job {
  const { managedFields: _, ...metadata } = job.metadata;
  const { managedBy, suspend, parallelism, completions, activeDeadlineSeconds } = job.spec ?? {};
  return {
    apiVersion: job.apiVersion,
    kind: job.kind,
    metadata,
    spec: { managedBy, suspend, parallelism, completions, activeDeadlineSeconds },
    status: job.status,
  };
}

/** A plan's CronJob without the template of its runs, but for what that says of them; of its managed fields when they were changed. */
export function slimPlan({ apiVersion, kind, metadata, spec, status }: PlanObject): PlanObject {
  const managedFields = ((metadata.managedFields ?? []) as ManagedFields[]).map(({ time, subresource }) => ({
    time,
    subresource,
  }));
  const jobTemplate = { metadata: spec.jobTemplate.metadata ?? {}, spec: {} };
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, managedFields },
    spec: { ...spec, jobTemplate },
    ...(status && { status }),
  };
}
