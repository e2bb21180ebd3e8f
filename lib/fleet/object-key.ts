import { keyOf, type KubeObject } from '../kube/objects.ts';
import type { Resource } from '../kube/resources.ts';

/** A kind as ApplySets name it: `CronJob.batch`, or `ConfigMap` in the core group. Versions of one group hold the same objects. */
export type GroupKind = string;

/** The kind of an object. */
export function groupKindOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): GroupKind {
  return apiVersion.includes('/') ? `${kind}.${apiVersion.split('/')[0]}` : kind;
}

/** The kind of the objects of a resource. */
export function groupKindOfResource({ group, kind }: Resource): GroupKind {
  return group === '' ? kind : `${kind}.${group}`;
}

/** The key of an object among objects of all kinds: `CronJob.batch etl/site-a`. */
export function objectKey(object: KubeObject): string {
  return `${groupKindOf(object)} ${keyOf(object)}`;
}
