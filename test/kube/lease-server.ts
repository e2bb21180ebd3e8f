import { KubeError } from '../../lib/kube/errors.ts';
import type { Clock } from '../../lib/kube/clock.ts';
import { orAbort } from '../../lib/kube/clock.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { Lease } from '../../lib/kube/lease-claim.ts';

type LeaseClient = Pick<KubeClient, 'get' | 'create' | 'replace' | 'namespace'>;

/** Keeps one lease, and answers late or not at all, as a test says. */
export class LeaseServer {
  lease: Lease | undefined;
  readonly #clock: Clock;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A client whose network a test can spoil. */
  client(network: { latencyMs: number; down: boolean } = { latencyMs: 0, down: false }): LeaseClient {
    const exchange = async <T>(signal: AbortSignal | undefined, answer: () => T): Promise<T> => {
      if (network.down) return orAbort(new Promise<T>(() => undefined), signal);
      // The server acts at once; what is slow is the way back.
      const answered = attempt(answer);
      if (network.latencyMs > 0) await this.#clock.sleep(network.latencyMs, signal);
      signal?.throwIfAborted();
      return answered();
    };
    return {
      namespace: 'default',
      get: (_, __, options) => exchange(options?.signal, () => this.#get() as never),
      create: (_, lease, options) => exchange(options?.signal, () => this.#create(lease as Lease) as never),
      replace: (_, lease, options) =>
        exchange(options?.signal, () => this.#replace(lease as unknown as Lease) as never),
    };
  }

  #get(): Lease {
    if (!this.lease) throw refusal(404, 'NotFound');
    return structuredClone(this.lease);
  }

  #create(lease: Lease): Lease {
    if (this.lease) throw refusal(409, 'AlreadyExists');
    return this.#store(lease);
  }

  #replace(lease: Lease): Lease {
    if (this.lease?.metadata.resourceVersion !== lease.metadata.resourceVersion) throw refusal(409, 'Conflict');
    return this.#store(lease);
  }

  #store(lease: Lease): Lease {
    this.lease = structuredClone({ ...lease, metadata: { ...lease.metadata, resourceVersion: `${++this.#version}` } });
    return structuredClone(this.lease);
  }
}

function attempt<T>(answer: () => T): () => T {
  try {
    const value = answer();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function refusal(code: number, reason: string): KubeError {
  return new KubeError({ kind: 'Status', code, reason }, { verb: 'write', object: 'Lease' });
}
