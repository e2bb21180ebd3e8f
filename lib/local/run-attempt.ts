import type { AttemptState } from '../engine/advance.ts';
import type { Instant, RunState } from '../engine/record.ts';
import type { CancelMode } from '../graph/labels.ts';

/** What runs a workflow to its end. */
export interface Runner {
  execute(): Promise<RunState>;
  cancel(mode: CancelMode): void;
  kill(): void;
}

/** What an attempt that is a run tells. */
export interface RunAttemptProps {
  /** Name of the run. */
  readonly name: string;
  readonly runner: Runner;
  readonly now: () => Instant;
  /** Called with `running`, and once with how it ended. */
  readonly onState: (state: AttemptState) => void;
}

/** An attempt at a step that is a run of its own, in this process. */
export class RunAttempt {
  readonly #props: RunAttemptProps;
  #stopping = false;

  constructor(props: RunAttemptProps) {
    this.#props = props;
  }

  start(): void {
    const { name, runner, now, onState } = this.#props;
    const startedAt = now();
    onState({ kind: 'running', startedAt });
    runner.execute().then(
      (state) => onState(endOf(name, state, startedAt, now())),
      // Such as a full disk: what the run around it would fail of as well.
      (error: unknown) =>
        onState({
          kind: 'failed',
          failure: 'system',
          reason: 'RunDeleted',
          message: `run ${name} broke off: ${(error as Error).message}`,
          startedAt,
          finishedAt: now(),
        }),
    );
  }

  /** Ends the run in good order. */
  stop(mode: CancelMode): void {
    this.#stopping = true;
    this.#props.runner.cancel(mode);
  }

  /** Ends it at once, if it is being ended. */
  hasten(): void {
    if (this.#stopping) this.#props.runner.cancel('Now');
  }

  kill(): void {
    this.#props.runner.kill();
  }
}

function endOf(
  name: string,
  { phase, message, reason, outputs }: RunState,
  startedAt: Instant,
  now: Instant,
): AttemptState {
  if (phase === 'Succeeded')
    return { kind: 'succeeded', startedAt, finishedAt: now, outputs: { text: JSON.stringify(outputs ?? {}) } };
  const cancelled = phase === 'Cancelled';
  return {
    kind: 'failed',
    failure: cancelled ? 'permanent' : 'user',
    reason: 'RunFailed',
    message: `run ${name} ${cancelled ? 'was cancelled' : 'failed'}: ${message ?? reason}`,
    startedAt,
    finishedAt: now,
  };
}
