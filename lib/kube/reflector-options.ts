import type { KubeObject } from './objects.ts';
import type { RetryEnvironment } from './retry.ts';

/** What a reflector tells. All are called synchronously, in the order in which things happened. */
export interface ReflectorHandlers<T extends KubeObject> {
  /** An object is new, or differs from `previous`. */
  onChange?(object: T, previous?: T): void;
  /** An object is gone; this is its last known state. */
  onDelete?(object: T): void;
  /** Everything that existed at the start has been told. Called once. */
  onSynced?(): void;
  /** A watch has begun: from here on changes are heard as they come, until {@link onError} says otherwise. */
  onWatching?(): void;
  /** Something failed and is tried again: a request, or one of the handlers above. */
  onError?(error: unknown): void;
}

/** What a reflector follows, and how. */
export interface ReflectorOptions<T extends KubeObject> extends ReflectorHandlers<T> {
  /** null means all namespaces. @default the client's */
  readonly namespace?: string | null;
  /** For example `app=web,tier!=test`. */
  readonly labelSelector?: string;
  /** For example `metadata.name=web`. */
  readonly fieldSelector?: string;
  /** Drops what nobody reads, to save memory; it may change its argument. @default drop `metadata.managedFields` */
  readonly transform?: (object: T) => T;
  /** Objects on a page of the first list. @default 500 */
  readonly pageSize?: number;
  /**
   * A watch that is silent for so long, in milliseconds, is given up and resumed: bookmarks come about once a minute, and
   * a connection that died without a word shows no other sign. @default 90000
   */
  readonly idleMs?: number;
  /** @default the machine's clock and randomness */
  readonly environment?: RetryEnvironment;
}
