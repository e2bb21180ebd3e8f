import type { KubeClient } from './client.ts';
import { isNotFound } from './errors.ts';
import type { KubeObject, NewObject } from './objects.ts';
import { events } from './resources.ts';
import { systemEnvironment, type RetryEnvironment } from './retry.ts';

/** What happened to an object. */
export interface EventNote {
  /** One word in CamelCase that programs can match, such as `StepFailed`. */
  readonly reason: string;
  /** A sentence for people; more than 1024 bytes are cut off, as the API server takes no more. */
  readonly message: string;
  /** @default 'Normal' */
  readonly type?: 'Normal' | 'Warning';
}

/** Who writes events, and how many. */
export interface EventRecorderOptions {
  /** The program's name, shown by `kubectl describe` in the column From. */
  readonly component: string;
  /** Which replica of it: the pod's name. @default the component */
  readonly instance?: string;
  /** Events that may wait; more are dropped. @default 1000 */
  readonly queueLimit?: number;
  /** Writes a second, on average. @default 10 */
  readonly rate?: number;
  /** Writes that may come at once. @default 50 */
  readonly burst?: number;
  /** Repeats within so many milliseconds count up the event they repeat. @default 600000 */
  readonly repeatWindowMs?: number;
  /** An event could not be written and is dropped. */
  readonly onError?: (error: unknown) => void;
  /** @default the machine's clock and randomness */
  readonly environment?: RetryEnvironment;
}

interface Pending {
  readonly object: KubeObject;
  readonly note: Required<EventNote>;
  /** How often it happened since it was written last. */
  count: number;
  readonly firstMs: number;
  lastMs: number;
}

interface Written {
  readonly name: string;
  readonly count: number;
  readonly lastMs: number;
}

/** How many written events are remembered, to count up their repeats. */
const memory = 4096;

/**
 * Writes Events about objects, for `kubectl describe` and `kubectl events`. Nothing waits for it and nothing fails by
 * it: an event that cannot be written is dropped.
 *
 * They are core/v1 Events with `count` and `lastTimestamp`, which is what kubectl, dashboards and exporters read;
 * those of events.k8s.io/v1 are the same objects with fewer readers.
 */
export class EventRecorder {
  readonly #client: Pick<KubeClient, 'create' | 'patch' | 'namespace'>;
  readonly #options: Required<Omit<EventRecorderOptions, 'onError'>> & Pick<EventRecorderOptions, 'onError'>;
  readonly #queue = new Map<string, Pending>();
  readonly #written = new Map<string, Written>();
  #tokens: number;
  #tokensAt: number;
  #writer: Promise<void> | undefined;
  #dropped = 0;
  #serial = 0;

  constructor(client: Pick<KubeClient, 'create' | 'patch' | 'namespace'>, options: EventRecorderOptions) {
    this.#client = client;
    this.#options = {
      instance: options.component,
      queueLimit: 1000,
      rate: 10,
      burst: 50,
      repeatWindowMs: 600_000,
      environment: systemEnvironment,
      ...options,
    };
    this.#tokens = this.#options.burst;
    this.#tokensAt = this.#options.environment.clock.monotonic();
  }

  /** How many events were dropped: the queue was full, or the server refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Notes an event. Returns at once, and never throws. */
  record(object: KubeObject, { reason, message, type = 'Normal' }: EventNote): void {
    const note = { reason, message: shortened(message), type };
    const { metadata } = object;
    const key = JSON.stringify([
      object.kind,
      metadata.namespace,
      metadata.name,
      metadata.uid,
      type,
      reason,
      note.message,
    ]);
    const now = this.#options.environment.clock.now();
    const waiting = this.#queue.get(key);
    if (waiting) {
      waiting.count++;
      waiting.lastMs = now;
    } else if (this.#queue.size >= this.#options.queueLimit) {
      this.#dropped++;
    } else {
      this.#queue.set(key, { object, note, count: 1, firstMs: now, lastMs: now });
      this.#writer ??= this.#writeAll().finally(() => (this.#writer = undefined));
    }
  }

  /** Resolves when all events noted so far are written or dropped, or the signal is aborted; never rejects. */
  async flush(signal?: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    if (signal?.aborted) return;
    signal?.addEventListener('abort', onAbort, { once: true });
    while (this.#writer && !signal?.aborted) await Promise.race([this.#writer, aborted.promise]);
    signal?.removeEventListener('abort', onAbort);
  }

  async #writeAll(): Promise<void> {
    // Let the caller note what else happened in this turn.
    await Promise.resolve();
    for (let next = first(this.#queue); next; next = first(this.#queue)) {
      await this.#token();
      const [key, pending] = next;
      this.#queue.delete(key);
      try {
        await this.#write(key, pending);
      } catch (error) {
        this.#dropped += pending.count;
        this.#options.onError?.(error);
      }
    }
  }

  async #write(key: string, pending: Pending): Promise<void> {
    const { lastMs } = pending;
    const known = this.#written.get(key);
    this.#written.delete(key);
    if (known && lastMs - known.lastMs < this.#options.repeatWindowMs) {
      const count = known.count + pending.count;
      if (await this.#countUp(known.name, count, pending))
        return this.#remember(key, { name: known.name, count, lastMs });
    }
    const event = this.#eventOf(pending);
    await this.#client.create(events, event);
    this.#remember(key, { name: event.metadata.name, count: pending.count, lastMs });
  }

  /** False when the event is no more: the API server keeps events for an hour. */
  async #countUp(name: string, count: number, { object, lastMs }: Pending): Promise<boolean> {
    try {
      const patch = { count, lastTimestamp: timeOf(lastMs) };
      await this.#client.patch(events, name, patch, {
        type: 'merge',
        repeatable: true,
        namespace: namespaceOf(object),
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #eventOf({ object, note, count, firstMs, lastMs }: Pending): NewObject & { metadata: { name: string } } {
    const { component, instance, environment } = this.#options;
    const { name, uid, resourceVersion } = object.metadata;
    const namespace = namespaceOf(object);
    const suffix = `${firstMs.toString(16)}${Math.floor(environment.random() * 2 ** 32).toString(16)}${this.#serial++}`;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 200)}.${suffix}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        namespace: object.metadata.namespace,
        uid,
        resourceVersion,
      },
      ...note,
      count,
      firstTimestamp: timeOf(firstMs),
      lastTimestamp: timeOf(lastMs),
      source: { component },
      reportingComponent: component,
      reportingInstance: instance.slice(0, 128),
    };
  }

  #remember(key: string, written: Written): void {
    this.#written.set(key, written);
    const oldest = first(this.#written);
    if (this.#written.size > memory && oldest) this.#written.delete(oldest[0]);
  }

  /** A token bucket. */
  async #token(): Promise<void> {
    const { rate, burst, environment } = this.#options;
    const { clock } = environment;
    for (;;) {
      const now = clock.monotonic();
      this.#tokens = Math.min(burst, this.#tokens + ((now - this.#tokensAt) / 1000) * rate);
      this.#tokensAt = now;
      if (this.#tokens >= 1) break;
      await clock.sleep(((1 - this.#tokens) / rate) * 1000 + 1);
    }
    this.#tokens--;
  }
}

/** Events about objects without a namespace are in `default` (client-go, tools/record/event.go). */
function namespaceOf({ metadata }: KubeObject): string {
  return metadata.namespace ?? 'default';
}

function first<K, V>(map: ReadonlyMap<K, V>): [K, V] | undefined {
  return map.entries().next().value;
}

/** `metav1.Time`, in whole seconds. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The API server limits a message to 1024 bytes (pkg/apis/core/validation/events.go). */
function shortened(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= 1024) return message;
  // A character that was cut in two becomes a replacement mark, which is left out.
  return `${bytes
    .subarray(0, 1020)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}
