import type { AttemptState, IndexedItems } from '../engine/advance.ts';
import { endOfItems, type ItemEnd } from '../engine/item-ends.ts';
import { progressText } from '../engine/item-texts.ts';
import type { Instant } from '../engine/record.ts';
import type { IndexedMapStep } from '../graph/graph.ts';
import { finalExitCodes } from '../graph/indexed-map-rules.ts';

/** A try of an item that goes on. */
export interface ItemProcess {
  stop(): void;
  kill(): void;
}

/** Why no item can be started here. */
export type NoItem = AttemptState & { readonly kind: 'failed' };

/** What an attempt at an indexed map needs. */
export interface ItemsAttemptProps {
  readonly step: IndexedMapStep;
  readonly items: IndexedItems;
  readonly now: () => Instant;
  /** Starts a try of an item, counted from 1; `onEnd` is called once with how it ended, later or at once. */
  readonly startItem: (item: number, tried: number, onEnd: (state: ItemState) => void) => ItemProcess | NoItem;
  /** Called with `running`, and once with how it ended. */
  readonly onState: (state: AttemptState) => void;
}

/** How a try of an item ended. */
export type ItemState = AttemptState & { readonly kind: 'succeeded' | 'failed' };

/** The items of a map as an Indexed Job would run them: so many at once, each again as often as it may be, until too many have failed. */
export class ItemsAttempt {
  readonly #props: ItemsAttemptProps;
  readonly #ends = new Map<number, ItemEnd>();
  readonly #running = new Map<number, ItemProcess>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #tries = new Map<number, number>();
  readonly #again: number[] = [];
  #next = 0;
  #failed = 0;
  #startedAt: Instant = 0;
  /** Set when no more items are to start: why, if they ran to no end. */
  #over: NoItem | undefined;
  #ended = false;

  constructor(props: ItemsAttemptProps) {
    this.#props = props;
  }

  start(): void {
    this.#startedAt = this.#props.now();
    this.#tell();
    this.#go();
  }

  /** Asks those that run to end. */
  stop(): void {
    this.#finish(this.#failure('it was stopped'));
    for (const process of this.#running.values()) process.stop();
  }

  kill(): void {
    this.#finish(this.#failure('it was killed'));
    for (const process of this.#running.values()) process.kill();
  }

  #go(): void {
    const { count, concurrency } = this.#props.items;
    while (this.#over === undefined && this.#running.size < concurrency) {
      const item = this.#again.shift() ?? (this.#next < count ? this.#next++ : undefined);
      if (item === undefined) break;
      this.#start(item);
    }
    if (this.#running.size === 0 && !this.#ended) this.#end();
  }

  #start(item: number): void {
    const { step, startItem } = this.#props;
    const tried = (this.#tries.get(item) ?? 0) + 1;
    this.#tries.set(item, tried);
    let timedOut = false;
    const process = startItem(item, tried, (state) => {
      clearTimeout(this.#timers.get(item));
      this.#running.delete(item);
      this.#itemEnded(item, tried, timedOut ? tooSlow(step, state) : state);
    });
    if ('kind' in process) return this.#finish(process);
    // It may have come to nothing at once.
    if (this.#tries.get(item) !== tried || this.#ends.has(item) || this.#again.includes(item)) return;
    this.#running.set(item, process);
    if (step.itemTimeoutSeconds === undefined) return;
    const end = (): void => {
      timedOut = true;
      process.stop();
    };
    this.#timers.set(item, setTimeout(end, step.itemTimeoutSeconds * 1000));
  }

  #itemEnded(item: number, tried: number, state: ItemState): void {
    const { step, items } = this.#props;
    if (state.kind === 'succeeded')
      this.#ends.set(item, { kind: 'succeeded', ...(state.outputs && { outputs: state.outputs }) });
    else if (this.#over === undefined && tried <= (step.itemRetries?.limit ?? 0) && mayBeTriedAgain(step, state))
      this.#again.push(item);
    else if (this.#over === undefined) {
      this.#ends.set(item, { kind: 'failed', message: state.message ?? state.reason });
      this.#failed += 1;
    }
    if (this.#over === undefined && this.#failed > items.count - items.required) {
      this.#finish(this.#failure('too many items failed'));
      for (const process of this.#running.values()) process.stop();
    }
    if (this.#over === undefined) this.#tell();
    // Not at once: an item that cannot be started would otherwise start the next one from within itself.
    queueMicrotask(() => this.#go());
  }

  #tell(): void {
    const { items, onState } = this.#props;
    const message = progressText(this.#ends.size, items.count, this.#failed);
    onState({ kind: 'running', startedAt: this.#startedAt, message });
  }

  #finish(why: NoItem): void {
    this.#over ??= why;
  }

  #failure(message: string): NoItem {
    return { kind: 'failed', failure: 'user', reason: 'ItemsFailed', message, finishedAt: this.#props.now() };
  }

  #end(): void {
    this.#ended = true;
    const { step, items, now, onState } = this.#props;
    const otherwise = this.#over ?? this.#failure('some of its items did not run');
    const { count } = items;
    const finishedAt = now();
    if (otherwise.failure === 'permanent') return onState({ ...otherwise, finishedAt });
    onState(endOfItems(step, { count, ends: this.#ends, startedAt: this.#startedAt, finishedAt, otherwise }));
  }
}

function tooSlow({ itemTimeoutSeconds }: IndexedMapStep, state: ItemState): ItemState {
  if (state.kind === 'succeeded') return state;
  return { ...state, message: `no end in ${itemTimeoutSeconds} s (attempt timeout)` };
}

function mayBeTriedAgain(step: IndexedMapStep, { exitCode, failure }: NoItem): boolean {
  if (failure === 'permanent') return false;
  const { in: last, notIn: again } = finalExitCodes(step);
  if (exitCode === undefined) return true;
  return last?.includes(exitCode) !== true && again?.includes(exitCode) !== false;
}
