import { CONTENT_CACHE, annotations, labels, MANAGED_BY } from '../graph/labels.ts';
import { decodeResult, encodeResult, expiryOf, type KeptResult } from '../engine/kept-result.ts';
import { isNotFound } from '../kube/errors.ts';
import { configMaps } from '../kube/resources.ts';
import type { ConfigMap } from './objects.ts';
import type { WorkerContext } from './worker-context.ts';

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
  readonly #context: WorkerContext;
  readonly #namespace: string;
  readonly #signal: AbortSignal;

  constructor(context: WorkerContext, namespace: string, signal: AbortSignal) {
    this.#context = context;
    this.#namespace = namespace;
    this.#signal = signal;
  }

  /** Rejects only when the signal is aborted. */
  async find(key: string): Promise<KeptResult | undefined> {
    const { client, log } = this.#context;
    const signal = this.#patience();
    try {
      const found = await client.get<ConfigMap>(configMaps, nameOf(key), { namespace: this.#namespace, signal });
      return decodeResult(found.data?.[RESULT]);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!isNotFound(error)) log.warn('A kept result could not be looked up', { error });
      return undefined;
    }
  }

  async keep({ key, result, task, ttlSeconds }: Keeping): Promise<void> {
    const { client, log } = this.#context;
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: nameOf(key),
        namespace: this.#namespace,
        labels: { [labels.managedBy]: MANAGED_BY, [labels.content]: CONTENT_CACHE, [labels.task]: task },
        annotations: { [annotations.expires]: new Date(expiryOf(result, ttlSeconds)).toISOString() },
      },
      data: { [RESULT]: encodeResult(result) },
    };
    try {
      // Creates it or takes its place, in one request that may be repeated.
      await client.patch(configMaps, nameOf(key), object, {
        namespace: this.#namespace,
        type: 'apply',
        force: true,
        signal: this.#patience(),
      });
    } catch (error) {
      if (!this.#signal.aborted) log.warn('A result could not be kept', { error });
    }
  }

  #patience(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(PATIENCE_MS)]);
  }
}

const RESULT = 'result';
const nameOf = (key: string) => `cache-${key}`;
