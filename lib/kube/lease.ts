import type { KubeClient } from './client.ts';
import { LinkedAbort } from './clock.ts';
import type { ElectionCallbacks, ElectionOptions } from './election-options.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { claimed, isFree, observe, released, type Lease, type LeaseSpec, type Observation } from './lease-claim.ts';
import { apiVersionOf, leases } from './resources.ts';
import { systemEnvironment } from './retry.ts';

/** Candidates do not try all in the same instant: client-go's JitterFactor. */
const jitter = 1.2;

/**
 * Elects one leader among replicas by a Lease, as client-go does (tools/leaderelection/leaderelection.go), so that both
 * kinds can compete. At most one leads as long as clocks run at the same speed; they need not agree on the time.
 *
 * @example
 * const election = new LeaderElection(client, { name: 'controller', identity: process.env.POD_NAME });
 * await election.run({ onStarted: (signal) => controller.run(signal) }, signal);
 */
export class LeaderElection {
  readonly #client: Pick<KubeClient, 'get' | 'create' | 'replace' | 'namespace'>;
  readonly #options: Required<Omit<ElectionOptions, 'labels' | 'annotations'>> &
    Pick<ElectionOptions, 'labels' | 'annotations'>;
  #lease: Lease | undefined;
  #observed: Observation | undefined;
  #reported: string | undefined;
  #callbacks: ElectionCallbacks | undefined;

  /** @throws RangeError unless `leaseDurationMs > renewDeadlineMs > 1.2 * retryPeriodMs > 0` */
  constructor(client: Pick<KubeClient, 'get' | 'create' | 'replace' | 'namespace'>, options: ElectionOptions) {
    const full = {
      namespace: client.namespace,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
      releaseOnCancel: true,
      environment: systemEnvironment,
      ...options,
    };
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = full;
    if (!(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > jitter * retryPeriodMs && retryPeriodMs > 0)) {
      throw new RangeError('An election needs leaseDurationMs > renewDeadlineMs > 1.2 * retryPeriodMs > 0');
    }
    this.#client = client;
    this.#options = full;
  }

  /** Who leads, as far as is known; empty when nobody does. */
  get leader(): string {
    return this.#observed?.spec.holderIdentity ?? '';
  }

  /** Whether this candidate holds the lease, and it has not run out. */
  get isLeader(): boolean {
    const { identity, leaseDurationMs, environment } = this.#options;
    const { seenAt = -Infinity } = this.#observed ?? {};
    return this.leader === identity && seenAt + leaseDurationMs > environment.clock.monotonic();
  }

  /**
   * Competes until the signal is aborted: leads, and after a loss competes again.
   * Rejects only with what `onStarted` throws; the lease is given back before.
   */
  async run(callbacks: ElectionCallbacks, signal: AbortSignal): Promise<void> {
    this.#callbacks = callbacks;
    while (await this.#acquire(signal)) await this.#lead(callbacks, signal);
  }

  /** Waits for the lease. False when aborted. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { retryPeriodMs, environment } = this.#options;
    while (!signal.aborted) {
      if (await this.#try(signal)) {
        if (!signal.aborted) return true;
        await this.#release();
        return false;
      }
      await this.#sleep(retryPeriodMs * (1 + (jitter - 1) * environment.random()), signal);
    }
    return false;
  }

  async #lead(callbacks: ElectionCallbacks, signal: AbortSignal): Promise<void> {
    using term = new LinkedAbort(signal);
    using finished = new LinkedAbort(undefined);
    const work = (async () => callbacks.onStarted(term.signal))();
    const settled = work.then(
      () => signal.aborted,
      (error: unknown) => {
        // What else the leader has begun must end, too.
        term.abort(error);
        return true;
      },
    );
    // Work that returns early has only begun something; leading ends with the signal.
    void settled.then((ended) => {
      if (ended || signal.aborted) finished.abort();
      else signal.addEventListener('abort', () => finished.abort(), { once: true, signal: finished.signal });
    });
    const lost = await this.#renew(finished.signal);
    if (lost) term.abort(new Error(`The lease ${this.#options.name} was lost`));
    try {
      await work;
    } finally {
      if (!lost && this.#options.releaseOnCancel) await this.#release();
      callbacks.onStopped?.();
    }
  }

  /** Keeps the lease until the leader has ended; true when it is lost before. */
  async #renew(finished: AbortSignal): Promise<boolean> {
    const { renewDeadlineMs, retryPeriodMs, identity, environment } = this.#options;
    const { clock } = environment;
    let renewedAt = this.#observed?.seenAt ?? clock.monotonic();
    while (!finished.aborted) {
      const left = renewedAt + renewDeadlineMs - clock.monotonic();
      if (left <= 0) return true;
      await this.#sleep(Math.min(retryPeriodMs, left), finished);
      const triedAt = clock.monotonic();
      if (finished.aborted) return false;
      const remaining = renewedAt + renewDeadlineMs - triedAt;
      if (remaining <= 0) return true;
      // The others count from the moment of the write at the latest, so the leader must count from before it.
      if (await this.#try(finished, remaining)) renewedAt = triedAt;
      else if (this.leader !== identity) return true;
    }
    return false;
  }

  /** One try to get or renew the lease. */
  async #try(signal: AbortSignal, limitMs: number = this.#options.renewDeadlineMs): Promise<boolean> {
    const { clock } = this.#options.environment;
    using limit = new LinkedAbort(signal);
    limit.abortAfter(limitMs, clock, () => new Error(`No answer about the lease within ${limitMs} ms`));
    try {
      return await this.#claim(limit.signal);
    } catch (error) {
      // A conflict means that somebody was faster, or that our own write was heard twice: look again next time.
      this.#lease = undefined;
      if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error)) this.#callbacks?.onError?.(error);
      return false;
    }
  }

  async #claim(signal: AbortSignal): Promise<boolean> {
    const { identity, environment, leaseDurationMs } = this.#options;
    const { clock } = environment;
    const startedAt = clock.monotonic();
    // A leader knows the last version, and spares itself the reading.
    let current = this.isLeader ? this.#lease : undefined;
    if (!current) {
      current = await this.#read(signal);
      if (!current) return this.#note(await this.#create(signal), startedAt);
      this.#note(current, clock.monotonic());
    }
    if (this.#observed && !isFree(this.#observed, identity, clock.monotonic())) return false;
    const mine = claimed(current.spec, identity, leaseDurationMs, clock.now());
    return this.#note(await this.#write(this.#annotated(current), mine, signal), startedAt);
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { name, namespace } = this.#options;
    try {
      return await this.#client.get<Lease>(leases, name, { namespace, signal, timeoutMs: this.#timeoutMs });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #create(signal: AbortSignal): Promise<Lease> {
    const { name, namespace, labels, annotations, identity, leaseDurationMs, environment } = this.#options;
    const lease: Lease = {
      apiVersion: apiVersionOf(leases),
      kind: leases.kind,
      metadata: { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) },
      spec: claimed(undefined, identity, leaseDurationMs, environment.clock.now()),
    };
    return this.#client.create<Lease>(leases, lease, { signal, timeoutMs: this.#timeoutMs });
  }

  /** The lease with what its holder says of itself in place of what another said. */
  #annotated(lease: Lease): Lease {
    const { annotations } = this.#options;
    if (annotations === undefined) return lease;
    return {
      ...lease,
      metadata: { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...annotations } },
    };
  }

  #write(lease: Lease, spec: LeaseSpec, signal?: AbortSignal): Promise<Lease> {
    return this.#client.replace<Lease>(leases, { ...lease, spec }, { signal, timeoutMs: this.#timeoutMs });
  }

  /** Half the deadline, as in client-go: one lost request must not cost the lease. */
  get #timeoutMs(): number {
    return this.#options.renewDeadlineMs / 2;
  }

  /** Takes note of the lease as it is now; true when it is ours. */
  #note(lease: Lease, seenAt: number): boolean {
    this.#lease = lease;
    this.#observed = observe(this.#observed, lease.spec ?? {}, seenAt);
    if (this.leader !== this.#reported) {
      this.#reported = this.leader;
      if (this.leader !== '') this.#callbacks?.onNewLeader?.(this.leader);
    }
    return this.leader === this.#options.identity;
  }

  async #release(): Promise<void> {
    if (!this.isLeader || !this.#lease?.spec) return;
    const { clock } = this.#options.environment;
    using limit = new LinkedAbort(undefined);
    limit.abortAfter(
      this.#options.renewDeadlineMs,
      clock,
      () => new Error('The lease could not be given back in time'),
    );
    try {
      const free = released(this.#lease.spec, clock.now());
      this.#note(await this.#write(this.#lease, free, limit.signal), clock.monotonic());
    } catch (error) {
      // Not fatal: the others wait for the lease to run out.
      this.#callbacks?.onError?.(error);
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.environment.clock.sleep(ms, signal).catch(() => undefined);
  }
}
