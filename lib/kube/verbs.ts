import type { Query } from './path.ts';

/** What every call takes. */
export interface CallOptions {
  /** @default the object's own, else the client's */
  readonly namespace?: string;
  /** `status`, `scale`, ... @default the object itself */
  readonly subresource?: string;
  /** Ends the call at once, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Limit of each try, in milliseconds; 0 for none. @default the client's */
  readonly timeoutMs?: number;
}

/** What selects the objects of a collection. */
export interface SelectOptions extends Omit<CallOptions, 'namespace' | 'subresource'> {
  /** null means all namespaces. @default the client's */
  readonly namespace?: string | null;
  /** For example `app=web,tier!=test`. */
  readonly labelSelector?: string;
  /** For example `metadata.name=web`. */
  readonly fieldSelector?: string;
}

/** Options of a list. */
export interface ListOptions extends SelectOptions {
  /** Objects on a page. @default all */
  readonly limit?: number;
  /** Token of the page before, from its `metadata.continue`. */
  readonly continue?: string;
  /** '0' allows an old answer from the server's cache. @default the newest */
  readonly resourceVersion?: string;
}

/** Options of a watch. */
export interface WatchOptions extends SelectOptions {
  /** Begin after this version. @default begin with what exists, as ADDED */
  readonly resourceVersion?: string;
  /** The server ends the watch after this. @default its choice, 30 to 60 minutes */
  readonly timeoutSeconds?: number;
  /** Whether to send bookmarks, about once a minute. @default true */
  readonly bookmarks?: boolean;
}

/** What every write takes. */
export interface WriteOptions extends CallOptions {
  /** Check everything, admission included, and write nothing. @default false */
  readonly dryRun?: boolean;
  /** Who owns the fields written. @default the user agent's name */
  readonly fieldManager?: string;
  /** What to do about unknown and duplicate fields. @default the server's: 'Warn' */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

/** Options of a create. */
export type CreateOptions = WriteOptions;

/** Options of a replace. */
export type ReplaceOptions = WriteOptions;

/** Options of a patch. */
export interface PatchOptions extends WriteOptions {
  /** `strategic` knows list keys but only built-in kinds; `apply` is server-side apply. */
  readonly type: 'merge' | 'strategic' | 'json' | 'apply';
  /** With `apply`: take fields from their other owners. @default false */
  readonly force?: boolean;
  /**
   * Whether the patch may be sent twice if the first answer was lost.
   * @default true for `apply` and for a patch that names a `metadata.resourceVersion`
   */
  readonly repeatable?: boolean;
}

/** Options of a delete. */
export interface DeleteOptions extends Omit<CallOptions, 'subresource'> {
  /** Delete only this very object; otherwise the answer is Conflict. */
  readonly uid?: string;
  /** Delete only in this version; otherwise the answer is Conflict. */
  readonly resourceVersion?: string;
  /** What becomes of the objects it owns. @default the kind's, mostly 'Background' */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  /** @default the object's, for pods 30 */
  readonly gracePeriodSeconds?: number;
  /** Check, and delete nothing. @default false */
  readonly dryRun?: boolean;
}

/** Options of a log. */
export interface LogOptions extends Omit<CallOptions, 'namespace' | 'subresource'> {
  /** @default the only container */
  readonly container?: string;
  /** Go on until the container ends. @default false */
  readonly follow?: boolean;
  /** The log of the container before its last restart. @default false */
  readonly previous?: boolean;
  /** Only this many lines at the end. @default all */
  readonly tailLines?: number;
  /** Only this many bytes at the start. @default all */
  readonly limitBytes?: number;
  /** Only what is younger, in seconds. @default all */
  readonly sinceSeconds?: number;
  /** Only what is younger than this RFC 3339 time. @default all */
  readonly sinceTime?: string;
  /** Begin each line with its RFC 3339 time. @default false */
  readonly timestamps?: boolean;
}

/** The part of the options that is about the call and not about the object. */
export function callOf({ signal, timeoutMs }: Pick<CallOptions, 'signal' | 'timeoutMs'>): CallOptions {
  return { signal, timeoutMs };
}

/** The query of a write. */
export function writeQueryOf({ dryRun, fieldManager, fieldValidation }: WriteOptions): Query {
  return { dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation };
}

/** Whether a patch only applies to one version of the object. */
export function namesVersion(patch: unknown): boolean {
  if (Array.isArray(patch)) {
    return patch.some(({ op, path }) => op === 'test' && path === '/metadata/resourceVersion');
  }
  const metadata = (patch as { metadata?: { resourceVersion?: unknown } } | null)?.metadata;
  return typeof metadata?.resourceVersion === 'string';
}
