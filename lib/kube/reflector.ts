import { setImmediate } from 'node:timers/promises';
import type { KubeClient } from './client.ts';
import { LinkedAbort } from './clock.ts';
import { isGone, isVersionTooLarge, KubeError } from './errors.ts';
import { keyOf, type KubeList, type KubeObject, type WatchEvent } from './objects.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import type { Resource } from './resources.ts';
import { backoffDelay, systemEnvironment, type RetryEnvironment } from './retry.ts';

/** client-go has 0.8 s to 30 s (tools/cache/reflector.go); a run whose pods we do not see stands still, hence less. */
const backoff = { baseDelayMs: 200, maxDelayMs: 15_000 };

/** A handler that works through a burst gives way to other work after so many milliseconds. */
const sliceMs = 10;

/**
 * A copy of a collection that follows the server: lists it, watches from there, resumes after every break, and lists again
 * when the server no longer has the versions in between.
 *
 * @example
 * const reflector = new Reflector<Pod>(client, pods, { labelSelector: 'app=web', onChange: (pod) => queue.add(pod) });
 * reflector.start(signal);
 * await reflector.synced();
 */
export class Reflector<T extends KubeObject = KubeObject> {
  readonly #client: Pick<KubeClient, 'list' | 'watch'>;
  readonly #resource: Resource;
  readonly #options: ReflectorOptions<T>;
  readonly #environment: RetryEnvironment;
  readonly #store = new Map<string, T>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  #version: string | undefined;
  #isSynced = false;
  #started = false;
  #heardAt = 0;
  #progress = false;
  #sliceAt = 0;
  #lastSyncAt: number | undefined;

  constructor(client: Pick<KubeClient, 'list' | 'watch'>, resource: Resource, options: ReflectorOptions<T> = {}) {
    this.#client = client;
    this.#resource = resource;
    this.#options = options;
    this.#environment = options.environment ?? systemEnvironment;
    // Whoever does not ask must not die of it.
    this.#synced.promise.catch(() => undefined);
  }

  /** When the copy was last known to be up to date, in milliseconds since the epoch; undefined before the first list. */
  get lastSyncAt(): number | undefined {
    return this.#lastSyncAt;
  }

  /** How many objects there are. */
  get size(): number {
    return this.#store.size;
  }

  /** Begins, and goes on until the signal is aborted. */
  start(signal: AbortSignal): void {
    if (this.#started) throw new Error('The reflector has been started before');
    this.#started = true;
    void this.#run(signal).finally(() => {
      if (!this.#isSynced) this.#synced.reject(signal.reason);
      this.#stopped.resolve();
    });
  }

  /** Resolves when everything that existed at the start is here; rejects with the signal's reason if it never comes to that. */
  synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Resolves when the reflector has ended after its signal was aborted. */
  stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** An object by its key, `namespace/name`. Do not change it. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  /** All objects. Do not change them. */
  values(): IterableIterator<T> {
    return this.#store.values();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#environment;
    let failures = 0;
    while (!signal.aborted) {
      this.#progress = false;
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isGone(error) || isVersionTooLarge(error)) this.#version = undefined;
        this.#report(error);
      }
      failures = this.#progress ? 0 : failures + 1;
      // The first break is mended at once: the server ends watches as a matter of course.
      if (failures > 1) await clock.sleep(backoffDelay(backoff, failures - 1, random()), signal).catch(() => undefined);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { namespace, labelSelector, fieldSelector, pageSize = 500 } = this.#options;
    const select = { namespace, labelSelector, fieldSelector, signal };
    const items: T[] = [];
    let page: KubeList<T> | undefined;
    do {
      try {
        page = await this.#client.list<T>(this.#resource, {
          ...select,
          limit: pageSize,
          continue: page?.metadata.continue,
        });
      } catch (error) {
        if (!isGone(error) || items.length === 0) throw error;
        // The page token became too old under us: take all at once.
        items.length = 0;
        page = await this.#client.list<T>(this.#resource, select);
      }
      items.push(...page.items);
    } while (page.metadata.continue);
    await this.#replaceAll(items, signal);
    this.#upToDate();
    if (!this.#isSynced) {
      this.#isSynced = true;
      this.#call(() => this.#options.onSynced?.());
      this.#synced.resolve();
    }
    return page.metadata.resourceVersion;
  }

  async #replaceAll(items: readonly T[], signal: AbortSignal): Promise<void> {
    const uids = new Map(items.map((item) => [keyOf(item), item.metadata.uid]));
    for (const [key, object] of this.#store) {
      if (!uids.has(key)) this.#delete(key, object);
    }
    for (const item of items) {
      this.#change(item);
      await this.#giveWay(signal);
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { namespace, labelSelector, fieldSelector, idleMs = 90_000 } = this.#options;
    const { random } = this.#environment;
    using attempt = new LinkedAbort(signal);
    this.#guard(attempt, idleMs);
    const batches = await this.#client.watch<T>(this.#resource, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion,
      // Spread, as in client-go, or all watches of a restarted server end together.
      timeoutSeconds: Math.round(300 * (1 + random())),
      signal: attempt.signal,
    });
    this.#call(() => this.#options.onWatching?.());
    for await (const batch of batches) {
      this.#upToDate();
      this.#heardAt = this.#environment.clock.monotonic();
      for (const event of batch) this.#take(event);
      await this.#giveWay(attempt.signal);
    }
  }

  /** Ends a watch that says nothing for too long. */
  #guard(attempt: LinkedAbort, idleMs: number): void {
    const { clock } = this.#environment;
    const since = clock.monotonic();
    const wait = async (): Promise<void> => {
      for (;;) {
        const left = Math.max(since, this.#heardAt) + idleMs - clock.monotonic();
        if (left <= 0)
          return attempt.abort(new Error(`The watch of ${this.#resource.plural} was silent for ${idleMs} ms`));
        await clock.sleep(left, attempt.signal);
      }
    };
    wait().catch(() => undefined);
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') {
      throw new KubeError(event.object, { verb: 'watch', object: this.#resource.plural });
    }
    const { object } = event;
    this.#progress = true;
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#change(object);
    if (event.type === 'DELETED') this.#delete(keyOf(object), object);
    this.#version = object.metadata.resourceVersion ?? this.#version;
  }

  #change(received: T): void {
    const key = keyOf(received);
    let previous = this.#store.get(key);
    if (previous && previous.metadata.uid !== received.metadata.uid) {
      // Deleted and made anew while nobody watched.
      this.#delete(key, previous);
      previous = undefined;
    }
    const version = received.metadata.resourceVersion;
    if (previous && version !== undefined && previous.metadata.resourceVersion === version) return;
    const object = (this.#options.transform ?? withoutManagedFields)(received);
    this.#store.set(key, object);
    this.#call(() => this.#options.onChange?.(object, previous));
  }

  #delete(key: string, last: T): void {
    if (!this.#store.delete(key)) return;
    this.#call(() => this.#options.onDelete?.((this.#options.transform ?? withoutManagedFields)(last)));
  }

  #upToDate(): void {
    this.#lastSyncAt = this.#environment.clock.now();
  }

  /** A handler that throws is a mistake of its own; the copy goes on. */
  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch (mistake) {
      // There is nobody left to tell, but the copy must go on.
      queueMicrotask(() => {
        throw mistake;
      });
    }
  }

  async #giveWay(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#sliceAt >= sliceMs) {
      await setImmediate();
      this.#sliceAt = performance.now();
    }
    signal.throwIfAborted();
  }
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}
