import type { CancelMode } from '../graph/labels.ts';
import type { JsonObject } from '../values/json.ts';
import type { LockScope } from '../graph/locks.ts';
import type { RunReason, StepReason } from './reasons.ts';

/** Milliseconds since 1970. The engine has no clock of its own; every time comes in. */
export type Instant = number;

/**
 * `Waiting` holds for a step whose upstreams are done but that may not start yet (a gate, backoff, a limit, a suspended run).
 * The last four are final: a step that reached one never leaves it.
 */
export type StepPhase = 'Pending' | 'Waiting' | 'Running' | 'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled';
export type RunPhase = 'Running' | 'Succeeded' | 'Failed' | 'Cancelled';

/** One try at a step. Every attempt is kept. */
export interface AttemptRecord {
  /** Counts from 1, over all kinds of failure; part of the pod's name. */
  readonly number: number;
  readonly phase: 'Running' | 'Succeeded' | 'Failed' | 'Cancelled';
  readonly reason: StepReason;
  readonly message?: string;
  readonly exitCode?: number;
  /** Whose budget a failure was charged to. */
  readonly failure?: FailureKind;
  /** When the engine asked for it. */
  readonly createdAt: Instant;
  /** When its container started. */
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  /** Set when the engine asked for its end; the attempt stays `Running` until that end was observed. */
  readonly stopping?: StepReason;
}

/** `user`: the task's own doing. `system`: the platform's. `permanent`: no other attempt could do better. */
export type FailureKind = 'user' | 'system' | 'permanent';

/** What is known of a step. Steps without one are `Pending`. */
export interface StepRecord {
  readonly phase: StepPhase;
  readonly reason: StepReason;
  /** The reason in a sentence, with names and values. */
  readonly message?: string;
  readonly attempts: readonly AttemptRecord[];
  readonly outputs?: JsonObject;
  /** Of a map step: how many items it has, known once it runs. */
  readonly items?: number;
  /** Of a map that is one Indexed Job: how many items it has, known once it is ready. */
  readonly indexes?: number;
  /** When its upstreams were done. */
  readonly readyAt?: Instant;
  /** When the next attempt may start. */
  readonly retryAt?: Instant;
  /** Of a gate: when it opens or times out, whichever is first. */
  readonly until?: Instant;
  /** What it has while it runs, and must have to run; gone when it has ended. */
  readonly locks?: readonly Lock[];
  readonly finishedAt?: Instant;
}

/** A lock whose key is known. */
export interface Lock {
  readonly key: string;
  /** How many may have it at once, by the least that one of them says. */
  readonly limit: number;
  /** `result`: among the steps of the namespace that would give one result. */
  readonly scope: LockScope | 'result';
}

/** All that is kept of a run. With the graph it is enough to go on after a crash. */
export interface RunRecord {
  readonly run: RunState;
  /** By step name; steps that nothing happened to yet are left out. */
  readonly steps: ReadonlyMap<string, StepRecord>;
  /** By map step: its items in order; nothing where nothing happened to one yet. */
  readonly items?: ReadonlyMap<string, readonly (StepRecord | undefined)[]>;
}

export interface RunState {
  readonly phase: RunPhase;
  /** `StepFailed`, `RunTimeout` and `CancelRequested` stand here from the moment the run begins to end for that reason. */
  readonly reason: RunReason;
  readonly message?: string;
  readonly startedAt: Instant;
  readonly finishedAt?: Instant;
  /** The cancellation that was acted on. It stays when the request is taken back, and only grows: `Drain` may become `Now`. */
  readonly cancel?: CancelMode;
  /** Filled when the run has succeeded. */
  readonly outputs?: JsonObject;
}
