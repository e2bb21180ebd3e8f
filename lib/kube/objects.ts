/**
 * Kubernetes objects as they cross the wire. Only what this package reads is named;
 * every other field is kept as it came, so an object can be written back without loss.
 */

/** A reference from an object to the object that owns it; the garbage collector follows it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** True on the one owner that manages the object. */
  readonly controller?: boolean;
  /** True keeps a foreground deletion of the owner waiting for this object. */
  readonly blockOwnerDeletion?: boolean;
}

/** `metadata` of an object. Times are RFC 3339 strings. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  /** Opaque version, to be sent back as a precondition; never compare it by size. */
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  generateName?: string;
  finalizers?: string[];
  managedFields?: unknown[];
  generation?: number;
}

/** Any Kubernetes object. Extend it to name the fields you read. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** An object that has yet to be created: the API server completes a `generateName`, and reviews have no name at all. */
export interface NewObject {
  apiVersion: string;
  kind: string;
  metadata?: Omit<ObjectMeta, 'name'> & { name?: string };
  [field: string]: unknown;
}

/** One page of a list. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: {
    /** The version of the whole collection: a watch that starts here misses nothing. */
    resourceVersion: string;
    /** Token of the next page; absent or empty on the last. */
    continue?: string;
    remainingItemCount?: number;
  };
  items: T[];
}

/** One reason among several for a refused request, usually one per wrong field. */
export interface StatusCause {
  reason?: string;
  message?: string;
  /** Path of the field, for example `spec.template.spec.containers[0].image`. */
  field?: string;
}

/** What the API server answers instead of an object, above all to a request that failed. */
export interface Status {
  apiVersion?: string;
  kind: 'Status';
  status?: 'Success' | 'Failure';
  message?: string;
  /** A word such as `NotFound`, `AlreadyExists`, `Conflict`, `Expired`. */
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
}

/** One line of a watch. A `BOOKMARK` carries nothing but a new `metadata.resourceVersion`. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: Status };

/** The key of an object in a store: `namespace/name`, or `name` alone for what has no namespace. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
