import { CONTENT_CACHE, annotations, labels, MANAGED_BY } from '../graph/labels.ts';
import { decodeResult, encodeResult, expiryOf, type KeptResult } from '../engine/kept-result.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { eachObject } from '../kube/pages.ts';
import { configMaps } from '../kube/resources.ts';
import type { Logger } from './log.ts';
import type { ConfigMap } from './objects.ts';
import type { RunClient } from './worker-context.ts';

/** For how long a step, or the end of a run, waits for an API server that does not answer. */
const PATIENCE_MS = 20_000;

/** A result that is to be kept. */
export interface Keeping {
  readonly key: string;
  readonly result: KeptResult;
  readonly task: string;
  readonly ttlSeconds?: number;
}

/**
 * Results of steps, a ConfigMap each, in the namespace of their runs. Anybody may delete or edit them, and nothing here fails:
 * what cannot be read is not there, what cannot be written is not kept.
 */
export class ResultCache {
  readonly #client: RunClient;
  readonly #log: Logger;
  /** What is being kept, by namespace and key. */
  readonly #keeping = new Map<string, Promise<void>>();

  constructor(client: RunClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /** Of a result that is being kept, waits until it is. Rejects only when the signal is aborted. */
  async find(namespace: string, key: string, signal: AbortSignal): Promise<KeptResult | undefined> {
    await this.#keeping.get(`${namespace}/${key}`);
    try {
      const found = await this.#client.get<ConfigMap>(configMaps, nameOf(key), { namespace, signal: patience(signal) });
      return decodeResult(found.data?.[RESULT]);
    } catch (error) {
      signal.throwIfAborted();
      if (!isNotFound(error)) this.#log.warn('A kept result could not be looked up', { error });
      return undefined;
    }
  }

  /** Resolves when it is kept, or will not be. */
  async keep(namespace: string, keeping: Keeping, signal: AbortSignal): Promise<void> {
    const id = `${namespace}/${keeping.key}`;
    const kept = this.#write(namespace, keeping, signal);
    this.#keeping.set(id, kept);
    await kept;
    if (this.#keeping.get(id) === kept) this.#keeping.delete(id);
  }

  async #write(namespace: string, { key, result, task, ttlSeconds }: Keeping, signal: AbortSignal): Promise<void> {
    const name = nameOf(key);
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace,
        labels: { [labels.managedBy]: MANAGED_BY, [labels.content]: CONTENT_CACHE, [labels.task]: task },
        annotations: { [annotations.expires]: new Date(expiryOf(result, ttlSeconds)).toISOString() },
      },
      data: { [RESULT]: encodeResult(result) },
    };
    try {
      // Creates it or takes its place, in one request that may be repeated.
      const options = { namespace, type: 'apply', force: true, signal: patience(signal) } as const;
      await this.#client.patch(configMaps, name, object, options);
    } catch (error) {
      if (!signal.aborted) this.#log.warn('A result could not be kept', { error });
    }
  }

  /**
   * Deletes results that are too old for anybody, at most `most`. Returns how many.
   *
   * @param namespace null means all
   */
  async sweep(namespace: string | null, now: number, signal: AbortSignal, most = MOST_SWEPT): Promise<number> {
    let swept = 0;
    const labelSelector = `${labels.managedBy}=${MANAGED_BY},${labels.content}=${CONTENT_CACHE}`;
    const results = eachObject<ConfigMap>(this.#client, configMaps, { namespace, labelSelector, limit: PAGE, signal });
    for await (const result of results) {
      if (swept === most) break;
      if (!isExpired(result, now)) continue;
      await this.#delete(result.metadata, signal);
      swept += 1;
    }
    return swept;
  }

  // One that was kept anew in the meantime stays.
  async #delete({ name, namespace, resourceVersion }: ConfigMap['metadata'], signal: AbortSignal): Promise<void> {
    try {
      await this.#client.delete(configMaps, name, { namespace, resourceVersion, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Objects on a page: results may be large. */
const PAGE = 50;
const MOST_SWEPT = 1000;

function isExpired({ metadata }: ConfigMap, now: number): boolean {
  const at = Date.parse(metadata.annotations?.[annotations.expires] ?? '');
  return !Number.isNaN(at) && at <= now;
}

function patience(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
}

const RESULT = 'result';
const nameOf = (key: string) => `cache-${key}`;
