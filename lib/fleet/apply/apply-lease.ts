import type { KubeClient } from '../../kube/client.ts';
import { LinkedAbort, systemClock, type Clock } from '../../kube/clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.ts';
import { claimed, isFree, observe, type Lease, type Observation } from '../../kube/lease-claim.ts';
import { apiVersionOf, leases } from '../../kube/resources.ts';
import { annotations, MANAGED_BY, MANAGED_BY_LABEL } from '../../graph/labels.ts';
import type { ApplyFailure } from './apply-result.ts';

/** Who applies. */
export interface ApplyHolder {
  /** Unlike that of anybody else, and telling to people: `alice@laptop-4711-x7f2`. */
  readonly identity: string;
  /** The process, so that others on the same machine can see whether it still lives. @default not known */
  readonly process?: string;
  /** Whether the process of another holder has certainly ended. @default nobody knows */
  readonly hasEnded?: (process: string) => boolean;
}

/** Thrown when somebody else applies the same inventory at this moment. */
export class ApplyLockedError extends Error {
  override readonly name = 'ApplyLockedError';
  readonly failure: ApplyFailure;

  constructor(lease: Lease) {
    const { namespace, name } = lease.metadata;
    const failure = {
      message: `${lease.spec?.holderIdentity ?? ''} is applying at this moment (Lease ${namespace}/${name})`,
      fix: 'wait until that has ended, then apply again',
    };
    super(failure.message);
    this.failure = failure;
  }
}

/** Which lease, and for how long. */
export interface ApplyLeaseOptions {
  readonly name: string;
  readonly namespace: string;
  readonly holder: ApplyHolder;
  readonly signal?: AbortSignal;
  /** Called when a lease that nobody renews is waited for, with who had it. */
  readonly onWaiting?: (holder: string) => void;
  /** Others wait so long after the last sign of life, in milliseconds. @default 15000 */
  readonly durationMs?: number;
  /** Between two renewals, and between two looks at that of another, in milliseconds. @default 2000 */
  readonly periodMs?: number;
  /** @default the machine's */
  readonly clock?: Clock;
}

/**
 * Runs work while nobody else does under the same lease. A lease that another one renews is refused; one that is not renewed is taken when
 * its time is over, or at once when its process on this machine has ended. The signal that the work gets is aborted when the lease is
 * lost, as after the machine slept.
 *
 * @throws ApplyLockedError when somebody else holds the lease
 */
export async function withApplyLease<T>(
  client: KubeClient,
  options: ApplyLeaseOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lease = new ApplyLease(client, options);
  await lease.acquire();
  using term = new LinkedAbort(options.signal);
  const renewing = lease.keep(term);
  try {
    return await work(term.signal);
  } finally {
    term.abort(new Error('The work is done'));
    await renewing;
    await lease.release();
  }
}

class ApplyLease {
  readonly #client: KubeClient;
  readonly #options: Required<Pick<ApplyLeaseOptions, 'durationMs' | 'periodMs' | 'clock'>> & ApplyLeaseOptions;
  #lease: Lease | undefined;

  constructor(client: KubeClient, options: ApplyLeaseOptions) {
    this.#client = client;
    this.#options = { durationMs: 15_000, periodMs: 2_000, clock: systemClock, ...options };
  }

  /** Waits until the lease is ours, unless another one renews it. */
  async acquire(): Promise<void> {
    const { clock, periodMs, signal, onWaiting } = this.#options;
    let seen: Observation | undefined;
    for (;;) {
      const found = await this.#createOrRead();
      if (found === undefined) continue;
      const before = seen;
      seen = observe(seen, found.spec ?? {}, clock.monotonic());
      if (this.#isOurs(found)) {
        this.#lease = found;
        return;
      }
      if (this.#mayTake(found, seen)) {
        if (await this.#write(found)) return;
        continue;
      }
      if (before !== undefined && before !== seen) throw new ApplyLockedError(found);
      onWaiting?.(found.spec?.holderIdentity ?? '');
      await clock.sleep(periodMs, signal);
    }
  }

  /** Renews until the term ends, and ends it when the lease is lost. */
  async keep(term: AbortController): Promise<void> {
    const { clock, periodMs, durationMs } = this.#options;
    let renewedAt = clock.monotonic();
    for (;;) {
      await clock.sleep(periodMs, term.signal).catch(() => undefined);
      if (term.signal.aborted) return;
      const triedAt = clock.monotonic();
      if (triedAt - renewedAt >= durationMs) return term.abort(lost());
      const renewed = await this.#renew().catch(() => undefined);
      if (renewed === true) renewedAt = triedAt;
      else if (renewed === false) return term.abort(lost());
    }
  }

  /** Gives the lease back. It runs out by itself if that cannot be done. */
  async release(): Promise<void> {
    if (this.#lease === undefined) return;
    const { uid, resourceVersion, name, namespace } = this.#lease.metadata;
    await this.#client.delete(leases, name, { namespace, uid, resourceVersion }).catch(() => undefined);
  }

  /** The lease as it is; one that we created is ours already. */
  async #createOrRead(): Promise<Lease | undefined> {
    const { signal } = this.#options;
    try {
      return await this.#client.create<Lease>(leases, this.#fresh(), { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    return this.#read();
  }

  async #read(): Promise<Lease | undefined> {
    const { name, namespace, signal } = this.#options;
    try {
      return await this.#client.get<Lease>(leases, name, { namespace, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** False when somebody else has it. A conflict may also mean that our own write was heard twice. */
  async #renew(): Promise<boolean> {
    if (await this.#write(this.#lease!)) return true;
    const found = await this.#read();
    if (found === undefined || !this.#isOurs(found)) return false;
    this.#lease = found;
    return true;
  }

  #fresh(): Lease {
    const { name, namespace, holder, durationMs, clock } = this.#options;
    return {
      apiVersion: apiVersionOf(leases),
      kind: leases.kind,
      metadata: {
        name,
        namespace,
        labels: { [MANAGED_BY_LABEL]: MANAGED_BY },
        ...(holder.process !== undefined && { annotations: { [annotations.process]: holder.process } }),
      },
      spec: claimed(undefined, holder.identity, durationMs, clock.now()),
    };
  }

  #isOurs({ spec }: Lease): boolean {
    return spec?.holderIdentity === this.#options.holder.identity;
  }

  #mayTake({ metadata }: Lease, seen: Observation): boolean {
    const { holder, clock } = this.#options;
    const process = metadata.annotations?.[annotations.process];
    const hasEnded = process !== undefined && holder.hasEnded?.(process) === true;
    return hasEnded || isFree(seen, holder.identity, clock.monotonic());
  }

  /** Writes the lease as ours; false when somebody else was faster. */
  async #write(found: Lease): Promise<boolean> {
    const { holder, durationMs, clock } = this.#options;
    const { [annotations.process]: _, ...notes } = found.metadata.annotations ?? {};
    const marked = { ...notes, ...(holder.process !== undefined && { [annotations.process]: holder.process }) };
    const mine: Lease = {
      ...found,
      metadata: { ...found.metadata, annotations: marked },
      spec: claimed(found.spec, holder.identity, durationMs, clock.now()),
    };
    try {
      this.#lease = await this.#client.replace<Lease>(leases, mine, { signal: this.#options.signal });
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }
}

function lost(): Error {
  return new Error('The lease was lost: somebody else may apply');
}
