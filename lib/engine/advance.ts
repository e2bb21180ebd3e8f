import type { CacheMode, CancelMode } from '../graph/labels.ts';
import type { StepJob } from '../pods/job-template.ts';
import type { JsonObject } from '../values/json.ts';
import type { Answers } from './answers.ts';
import type { ItemBlock } from './item-codec.ts';
import type { Lists } from './item-values.ts';
import type { KeptResult } from './kept-result.ts';
import type { FailureKind, Instant, RunState, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import type { SkipsByHand } from './skips.ts';

/** What was asked of a run. All of it but name and inputs may change while it runs. */
export interface RunSpec {
  readonly name: string;
  /** Checked against the graph's schema, defaults filled in. */
  readonly inputs: JsonObject;
  /** How many steps may run at once, at least 1. */
  readonly parallelism: number;
  /** Start nothing new; what runs goes on. */
  readonly suspended?: boolean;
  /** Counted from {@link RunState.startedAt}. */
  readonly timeoutSeconds?: number;
  /** A whole number: where runs wait for the same, those with a higher one come first. @default 0 */
  readonly priority?: number;
  readonly cancel?: CancelMode;
  /** What was said to gates, by step; checked against the graph. One that comes before its gate waits is kept for it. */
  readonly answers?: Answers;
  /** Steps that are to be skipped if they have not begun. */
  readonly skips?: SkipsByHand;
  /** How the run uses kept results. @default it takes them, and keeps its own */
  readonly cache?: CacheMode;
  /** Steps that run even if an equal one ran before: somebody asked for them by name. @default none */
  readonly rerun?: readonly string[];
}

/** What a shell saw or found. Observations may be late, repeated or out of order. */
export type Observation = AttemptObservation | CacheAnswer;

/** What a shell found for a `lookup`. One that cannot find out says that there is nothing. */
export interface CacheAnswer {
  readonly step: string;
  /** Not checked against anything. */
  readonly found: KeptResult | undefined;
}

/** What a shell saw of an attempt. */
export interface AttemptObservation {
  readonly step: string;
  readonly attempt: number;
  readonly state: AttemptState;
}

export type AttemptState =
  | SeenState
  /** Nothing can be seen of it now, for the reason in `message`: what is known of it holds until it is seen again. */
  | { readonly kind: 'unseen'; readonly message: string };

/** What an attempt is, of which something was seen. */
export type SeenState =
  /** It exists but its container does not run yet; `message` says why, when that is known. */
  | { readonly kind: 'pending'; readonly message?: string }
  /** `message`: how far it has come, where that is known. `host`: its address, of one that is ready to be used. */
  | { readonly kind: 'running'; readonly startedAt: Instant; readonly message?: string; readonly host?: string }
  /** `outputs`: what it wrote, as text, unchecked; left out when it wrote nothing. */
  | {
      readonly kind: 'succeeded';
      readonly startedAt?: Instant;
      readonly finishedAt: Instant;
      readonly outputs?: OutputsText;
      /** In place of the text: outputs that were read and checked, as those of items were one by one. */
      readonly read?: JsonObject;
      /** What there is to say of it although it succeeded. */
      readonly message?: string;
    }
  | {
      readonly kind: 'failed';
      readonly startedAt?: Instant;
      readonly finishedAt: Instant;
      readonly failure: FailureKind;
      readonly reason: StepReason;
      readonly message?: string;
      readonly exitCode?: number;
    };

export interface OutputsText {
  readonly text: string;
  /** Set when the platform cut the text off; the size in bytes that fits. */
  readonly cutAt?: number;
}

/** What a shell does for the engine. Doing one twice must be the same as doing it once. */
export type Command =
  /** Create the attempt. If it exists already and is this run's own, that is as good. */
  | {
      readonly kind: 'start';
      readonly step: string;
      readonly attempt: number;
      readonly inputs: JsonObject;
      /** What values make of the pod, to be merged over the step's template. Left out when it waits for none. */
      readonly pod?: JsonObject;
      /** It is to go to spot nodes, which ones the run says. @default it is not */
      readonly spot?: true;
      /** With `runAs: 'Job'`: part of the Job around the pod. Left out when the step says nothing of it. */
      readonly job?: StepJob;
      /** What an indexed map goes over; those inputs are not among the others. */
      readonly items?: IndexedItems;
    }
  /** End the attempt. Its end is then observed as a failure, whatever the reason observed; also when it never came to exist. */
  | { readonly kind: 'stop'; readonly step: string; readonly attempt: number; readonly reason: StepReason }
  /** Answer with the {@link CacheAnswer} that there is under this key. */
  | { readonly kind: 'lookup'; readonly step: string; readonly key: string }
  /** Keep a result under this key, in place of the one that is there. It may be lost, and forgotten after its time. */
  | {
      readonly kind: 'keep';
      readonly step: string;
      readonly key: string;
      readonly result: KeptResult;
      /** How long somebody may want it. @default not said */
      readonly ttlSeconds?: number;
    };

/** The items of one attempt at an indexed map. */
export interface IndexedItems {
  /** The lists by input; of several the last goes round fastest. */
  readonly lists: Lists;
  readonly count: number;
  /** How many of them may run at once. */
  readonly concurrency: number;
  /** How many of them must succeed. */
  readonly required: number;
}

/** What {@link Run.advance} decided: the record's changes, already applied to the run, and what is to be done. */
export interface Decision {
  /** Steps whose record changed, with the new one. */
  readonly steps: ReadonlyMap<string, StepRecord>;
  /** Items of map steps whose record changed, with the others that are kept together with them, by the key that they are kept under. Left out when there are none. */
  readonly items?: ReadonlyMap<string, ItemBlock>;
  /** Set when the run's own state changed. */
  readonly run?: RunState;
  readonly commands: readonly Command[];
  /**
   * Set when the commands follow from an answer that may not be the same when it is asked for again, or end a service, which would else be
   * taken for a failure: the record must be written before they are carried out, and before all that come later.
   */
  readonly writeFirst?: true;
  /** When to call again even if nothing is observed. */
  readonly wakeAt?: Instant;
}
