import { cancelModes, type CancelMode } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { cancelRun } from '../runs/cancel-run.ts';
import { WorkflowsError } from '../runs/errors.ts';
import { findRun } from '../runs/find.ts';
import { followRun } from '../runs/follow-run.ts';
import type { RunJob } from '../runs/run-objects.ts';
import { readRunState } from '../runs/run-state.ts';
import { isOver } from '../runs/run-summary.ts';
import type { JsonObject } from '../values/json.ts';
import { InvalidError, show, suggest, type Problem } from '../values/problems.ts';
import { Feed } from './feed.ts';
import { runInfo, type RunInfo } from './run-info.ts';
import { translate, translated } from './translate.ts';

/** What every call that may take long takes. */
export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason. What was begun on the cluster goes on. */
  readonly signal?: AbortSignal;
}

/** The longest that a timer of Node waits. (nodejs.org/api/globals.html: AbortSignal.timeout) */
const MAX_WAIT_MS = 2 ** 32 - 1;

/** How to wait for the end of a run. */
export interface WaitOptions extends CallOptions {
  /** In milliseconds. @default no limit */
  readonly timeoutMs?: number;
}

/** A run, whose outputs are of the type `O`. */
export class Run<O extends object = JsonObject> {
  readonly name: string;
  readonly namespace: string;
  readonly #client: KubeClient;

  /** @internal */
  constructor(client: KubeClient, name: string, namespace: string) {
    this.#client = client;
    this.name = name;
    this.namespace = namespace;
  }

  /** How it stands. @throws WorkflowsError when there is no such run */
  get(options: CallOptions = {}): Promise<RunInfo<O>> {
    return translated(async () => {
      const state = await readRunState(this.#client, await this.#job(options), options.signal);
      return runInfo<O>(state);
    });
  }

  /**
   * Waits until it is over; a watch tells it. The result is its outputs, which a run of a single task has none of.
   *
   * @throws WorkflowsError when it does not succeed (`Failed`, with a problem for each step that failed), is deleted, or does not end in time
   */
  wait({ signal, timeoutMs }: WaitOptions = {}): Promise<O> {
    return translated(async () => {
      if (timeoutMs !== undefined && !(timeoutMs >= 0 && timeoutMs <= MAX_WAIT_MS))
        throw new InvalidError('Cannot wait', [
          { path: 'timeoutMs', message: `must be 0 to ${MAX_WAIT_MS} milliseconds, not ${show(timeoutMs)}` },
        ]);
      const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
      const signals = [signal, limit].filter((each) => each !== undefined);
      const until = signals.length === 0 ? new AbortController().signal : AbortSignal.any(signals);
      try {
        const state = await followRun(this.#client, await this.#job({ signal: until }), { signal: until });
        return outputsOf(runInfo<O>(state));
      } catch (error) {
        if (limit === undefined || error !== limit.reason) throw error;
        throw new WorkflowsError('Timeout', `The run ${this.name} has not ended within ${timeoutMs} ms, and goes on`, {
          cause: error,
        });
      }
    });
  }

  /** Its outputs. @throws WorkflowsError when it has not succeeded */
  outputs(options: CallOptions = {}): Promise<O> {
    return translated(async () => outputsOf(await this.get(options)));
  }

  /**
   * How it stands, at first and whenever that changes, until it is over.
   *
   * @throws WorkflowsError when it is deleted
   */
  async *watch({ signal }: CallOptions = {}): AsyncGenerator<RunInfo<O>, void, undefined> {
    const stop = new AbortController();
    const until = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const feed = new Feed<RunInfo<O>>();
    const follow = async () => {
      const last = await followRun(this.#client, await this.#job({ signal: until }), {
        signal: until,
        onChange: (state) => feed.put(runInfo<O>(state)),
      });
      feed.put(runInfo<O>(last));
    };
    follow().then(
      () => feed.end(),
      (error: unknown) => feed.fail(translate(error)),
    );
    try {
      yield* feed;
    } finally {
      stop.abort();
    }
  }

  /**
   * Asks for its end, and does not wait for it. `Now` stops what runs; `RunFinally` too, and runs the steps that run finally; `Drain` lets
   * running steps end. To ask twice is to ask once.
   *
   * @throws WorkflowsError when it is over already
   */
  cancel(mode: CancelMode = 'Now', options: CallOptions = {}): Promise<void> {
    return translated(async () => {
      if (!cancelModes.includes(mode))
        throw new InvalidError(`Cannot cancel ${this.name}`, [
          { path: 'mode', message: `is ${show(mode)}`, fix: suggest(mode, cancelModes) },
        ]);
      await cancelRun(this.#client, await this.#job(options), mode, options.signal);
    });
  }

  #job({ signal }: CallOptions): Promise<RunJob> {
    return findRun(this.#client, this.name, { namespace: this.namespace, signal });
  }
}

/** A run that a launch gives. */
export class LaunchedRun<O extends object = JsonObject> extends Run<O> {
  /** Whether this launch started it; another one with the same idempotency key may have done so before. */
  readonly created: boolean;

  /** @internal */
  constructor(client: KubeClient, { metadata }: RunJob, created: boolean) {
    super(client, metadata.name, metadata.namespace!);
    this.created = created;
  }
}

function outputsOf<O extends object>(run: RunInfo<O>): O {
  if (run.phase === 'Succeeded') return run.outputs ?? ({} as O);
  if (!isOver(run.phase))
    throw new WorkflowsError('Conflict', `The run ${run.name} is not over (${run.phase}): it has no outputs yet`);
  const why = run.message ?? run.reason;
  const message = `The run ${run.name} ${run.phase.toLowerCase()}${why === undefined ? '' : `: ${why}`}`;
  const failed = run.steps.filter(({ phase }) => phase === 'Failed');
  const problems = failed.map((step): Problem => ({ path: `step ${step.name}`, message: step.message ?? step.reason }));
  throw new WorkflowsError('Failed', message, problems.length > 0 ? { problems } : {});
}
