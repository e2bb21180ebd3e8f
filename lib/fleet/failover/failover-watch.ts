import { annotations } from '../../graph/labels.ts';
import { systemClock, type Clock } from '../../kube/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ConnectionError, isForbidden, isNotFound, KubeError } from '../../kube/errors.ts';
import { cronJobs } from '../../kube/resources.ts';
import { failoverMove } from './failover-moves.ts';
import { failoverOf, isActive, PLANS, staysSuspended, type PlanObject } from './failover-record.ts';
import { failOver, type Side } from './hand-over.ts';
import { inParallel } from '../in-parallel.ts';

/** What a watch tells, each with a constant message and what it is about. */
export interface FailoverLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Whose plans are taken over, by whom and when. */
export interface FailoverWatchOptions {
  /** The cluster that plans belong on. */
  readonly home: {
    /** As the fleet names it. */
    readonly name: string;
    readonly client: KubeClient;
    /** Where plans are there that are here in the client's own namespace. @default in a namespace of the same name */
    readonly namespace?: string;
  };
  /** The cluster that is their first backup. */
  readonly backup: {
    readonly name: string;
    readonly client: KubeClient;
    /** null means all. */
    readonly namespaces: readonly string[] | null;
  };
  /** How long the cluster must have been lost, in milliseconds. */
  readonly afterMs: number;
  /** Between two looks, in milliseconds. @default a third of that time, from 1000 to 10000 */
  readonly everyMs?: number;
  readonly log: FailoverLog;
  /** @default the machine's */
  readonly clock?: Clock;
}

/** A look that takes longer has failed. */
const LOOK_MS = 5_000;
const AT_ONCE = 8;

/**
 * Looks at a cluster from its backup. When it was not ready for a stated time, in every single look, the plans that have this one as
 * their first backup are activated here; as soon as it is back they are suspended there. Going back is for people (`failback`).
 *
 * It sees the other cluster only from here: one that is cut off, and lives, goes on to start its plans.
 */
export class FailoverWatch {
  readonly #options: FailoverWatchOptions;
  readonly #clock: Clock;
  #seen: 'ready' | 'lost' | 'unknown' | undefined;
  /** By the monotonic clock, in milliseconds. */
  #lostSince: number | undefined;
  /** Nothing is left to do in the state that the cluster is in. */
  #settled = false;

  constructor(options: FailoverWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { afterMs, log, home } = this.#options;
    const { everyMs = Math.min(10_000, Math.max(1_000, afterMs / 3)) } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#look(signal);
      } catch (error) {
        if (!signal.aborted)
          log.warn('Plans could not be switched, which is tried again', { cluster: home.name, error });
      }
      await this.#clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { home, afterMs, log } = this.#options;
    const state = await this.#state(signal);
    if (state !== this.#seen) this.#settled = false;
    if (state === 'lost' && this.#lostSince === undefined) {
      this.#lostSince = this.#clock.monotonic();
      log.warn('A cluster is lost', { cluster: home.name, failoverAfterSeconds: afterMs / 1000 });
    } else if (state !== 'lost') {
      if (this.#lostSince !== undefined && state === 'ready') log.info('A cluster is back', { cluster: home.name });
      this.#lostSince = undefined;
    }
    this.#seen = state;
    if (this.#settled || state === 'unknown') return;
    if (state === 'ready') await this.#suspendAtHome(signal);
    else if (this.#clock.monotonic() - this.#lostSince! < afterMs) return;
    else await this.#takeOver(signal);
    this.#settled = true;
  }

  /** `unknown`: it is this side that failed, of which nothing follows for the other. */
  async #state(signal: AbortSignal): Promise<'ready' | 'lost' | 'unknown'> {
    const { home, log } = this.#options;
    try {
      await home.client.ready({ signal, timeoutMs: LOOK_MS });
      return 'ready';
    } catch (error) {
      signal.throwIfAborted();
      // Not everybody may read /readyz; what answers so is there.
      if (isForbidden(error)) return 'ready';
      if (error instanceof KubeError && error.code >= 500) return 'lost';
      if (error instanceof ConnectionError && !['untrusted', 'unknown-host'].includes(error.problem)) return 'lost';
      if (this.#seen !== 'unknown') log.warn('A cluster cannot be watched', { cluster: home.name, error });
      return 'unknown';
    }
  }

  /** Activates here the plans whose first backup this is. */
  async #takeOver(signal: AbortSignal): Promise<void> {
    const { home } = this.#options;
    const mine = (await this.#plans(signal)).filter(
      (plan) =>
        plan.metadata.annotations?.[annotations.backupOf] === home.name &&
        plan.metadata.annotations[annotations.backupRank] === '1' &&
        !isActive(plan) &&
        !staysSuspended(plan),
    );
    await this.#switch(mine, () => Promise.resolve('unreachable'), signal);
  }

  /** Suspends there the plans that were switched to this cluster. */
  async #suspendAtHome(signal: AbortSignal): Promise<void> {
    const { home, backup } = this.#options;
    const mine = (await this.#plans(signal)).filter((plan) => {
      const record = failoverOf(plan);
      return record?.from === home.name && record.to === backup.name && isActive(plan);
    });
    await this.#switch(mine, (plan) => this.#atHome(plan, signal), signal);
  }

  async #switch(
    plans: readonly PlanObject[],
    look: (plan: PlanObject) => Promise<Side | 'absent' | 'unreachable'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { home, backup, log } = this.#options;
    await inParallel(plans, AT_ONCE, async (object) => {
      const { name, namespace } = object.metadata;
      const there = await look(object);
      const side = typeof there === 'object' ? there : undefined;
      const sight = {
        plan: name,
        home: side?.object ?? (there as 'absent' | 'unreachable'),
        backup: object,
        others: {},
      };
      // That a lost cluster may go on is what this is told to take upon itself.
      const move = failoverMove(sight, { home: home.name, backup: backup.name, force: true });
      if (move.verdict !== 'switch') return;
      const now = this.#clock.now();
      const record = failoverOf(object) ?? {
        from: home.name,
        to: backup.name,
        at: new Date(now).toISOString(),
        by: 'the controller',
      };
      await failOver(move, side, { client: backup.client, object }, record, { now, signal });
      log.info('A plan was switched', { plan: name, namespace, from: home.name, to: backup.name, home: move.home });
    });
  }

  async #plans(signal: AbortSignal): Promise<PlanObject[]> {
    const { client, namespaces } = this.#options.backup;
    const lists = await inParallel(namespaces ?? [null], AT_ONCE, (namespace) =>
      client.list<PlanObject>(cronJobs, { namespace, labelSelector: PLANS, signal }),
    );
    return lists.flatMap(({ items }) => items);
  }

  async #atHome({ metadata }: PlanObject, signal: AbortSignal): Promise<Side | 'absent'> {
    const { home, backup } = this.#options;
    const own = metadata.namespace === backup.client.namespace ? home.namespace : undefined;
    try {
      const namespace = own ?? metadata.namespace;
      const object = await home.client.get<PlanObject>(cronJobs, metadata.name, { namespace, signal });
      return { client: home.client, object };
    } catch (error) {
      if (isNotFound(error)) return 'absent';
      throw error;
    }
  }
}
