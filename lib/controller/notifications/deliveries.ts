import type { Clock } from '../../kube/clock.ts';
import type { EventNote } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { backoffDelay } from '../../kube/retry.ts';
import { kickoffText } from '../../graph/kickoff.ts';
import type { NotificationTo } from '../../graph/notifications.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { shorten } from '../objects.ts';
import { DeliveryError, type Outcome } from './delivery.ts';
import type { Deliverer } from './deliverer.ts';
import { Lanes } from './lanes.ts';
import type { Due } from './notification-rules.ts';
import type { Notice } from './notice.ts';

/** What {@link Deliveries} act through. */
export interface DeliveriesOptions {
  readonly deliverer: Pick<Deliverer, 'deliver'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** The wait after the first failure, which doubles from then on, and the longest one, in milliseconds. */
  readonly backoff: { readonly baseDelayMs: number; readonly maxDelayMs: number };
}

/** Something that is to be told. */
export interface Delivery {
  /** What it is about: a run's Job, or a plan's CronJob. */
  readonly about: KubeObject;
  readonly due: Due;
  readonly to: NotificationTo;
  readonly notice: Notice;
  /** Notes that it was delivered, and when, or why it was given up. */
  readonly note: (text: string) => Promise<void>;
}

/** Deliveries that go to one target at a time. */
const AT_ONCE = 8;

/** Delivers what is told, until it is delivered or given up. That is noted afterwards: a controller that dies in between delivers once more, with the same id. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #signal: AbortSignal;
  readonly #lanes = new Lanes(AT_ONCE);
  readonly #tries = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: DeliveriesOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Begins no other try, and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#tries);
  }

  /** Ends when it is delivered or given up. */
  async deliver(delivery: Delivery): Promise<void> {
    const { clock, log } = this.#options;
    try {
      for (let tries = 1; ; tries++) {
        const wait = await this.track(() => this.#try(delivery, tries));
        if (wait === undefined) return;
        await clock.sleep(wait, this.#signal);
      }
    } catch (error) {
      if (!this.#signal.aborted) log.error('A notification cannot be worked on', { error });
    }
  }

  /** Work that {@link close} waits for. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    const done = work();
    this.#tries.add(done);
    try {
      return await done;
    } finally {
      this.#tries.delete(done);
    }
  }

  /** Tries once, and writes down what came of it. How long to wait before the next try; nothing when there is none. */
  async #try({ about, due, to, notice, note }: Delivery, tries: number): Promise<number | undefined> {
    const { clock, random, backoff, metrics, deliverer } = this.#options;
    const { namespace = '' } = about.metadata;
    const send = async (): Promise<Outcome | undefined> => {
      if (this.#closed) return undefined;
      return deliverer.deliver(to, notice, namespace, this.#signal).catch(failureOf);
    };
    const outcome = await this.#lanes.run(JSON.stringify([namespace, to]), send);
    this.#signal.throwIfAborted();
    if (outcome === undefined) return undefined;
    if (outcome.kind === 'delivered') {
      metrics.notification('delivered');
      await note(kickoffText(clock.now()));
      return undefined;
    }
    const wait = Math.max(backoffDelay(backoff, tries, random()), (outcome.kind === 'failed' && outcome.afterMs) || 0);
    if (outcome.kind === 'refused' || clock.now() + wait >= due.until) {
      metrics.notification('given up');
      this.#warn(about, 'NotificationGivenUp', `${nameOf(due)} could not be delivered and is given up`, outcome.why);
      await note(`given up: ${shorten(outcome.why, 200)}`);
      return undefined;
    }
    metrics.notification('failed');
    this.#warn(about, 'NotificationFailed', `${nameOf(due)} could not be delivered and is tried again`, outcome.why);
    return wait;
  }

  #warn(about: KubeObject, reason: string, what: string, why: string): void {
    const { kind, metadata } = about;
    const { name, namespace } = metadata;
    this.#options.log.warn(what, { namespace, [kind === 'CronJob' ? 'plan' : 'run']: name, why });
    this.#options.tell(about, { type: 'Warning', reason, message: `${what}: ${why}` });
  }
}

function nameOf({ notification, event }: Due): string {
  return `Notification ${notification} (${event})`;
}

function failureOf(error: unknown): Outcome {
  if (error instanceof DeliveryError) return { kind: 'failed', why: error.message };
  return { kind: 'failed', why: shorten((error as Error).message, 200) };
}
