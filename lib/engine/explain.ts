import type { RunSpec } from './advance.ts';
import { isEnding } from './ending.ts';
import type { Ledger } from './ledger.ts';
import { nextRetry } from './retries.ts';
import { isFinal, liveAttempt } from './phases.ts';
import type { AttemptRecord, Instant, RunState, StepRecord } from './record.ts';

/** What an explanation is made from. */
export interface Sight {
  readonly ledger: Ledger;
  readonly spec: RunSpec;
  readonly state: RunState;
  readonly now: Instant;
}

/** In a sentence, why a step is where it is. */
export function explainStep(sight: Sight, index: number): string {
  const record = sight.ledger.of(index);
  if (record.phase === 'Pending') return explainPending(sight, index);
  if (record.phase === 'Waiting') return explainWaiting(sight, index, record);
  const attempt = liveAttempt(record);
  if (attempt !== undefined) return explainLive(attempt, sight.now);
  return record.message === undefined ? record.reason : `${record.reason}: ${record.message}`;
}

const NAMED = 3;

function explainPending({ ledger, state }: Sight, index: number): string {
  const { upstreams } = ledger.step(index);
  const open = ledger.openUpstreams(index);
  if (open === 0) return 'ready to start';
  const names = upstreams
    .filter((upstream) => !isFinal(ledger.of(upstream).phase))
    .map((upstream) => ledger.step(upstream).node.name);
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  const waits = `${upstreams.length - open} of ${upstreams.length} upstreams done; waiting for ${names.slice(0, NAMED).join(', ')}${more}`;
  return isEnding(state) ? `${waits}; it will not start since the run is ending (${state.reason})` : waits;
}

function explainWaiting({ ledger, spec, now }: Sight, index: number, record: StepRecord): string {
  if (record.reason === 'Suspended') return 'run is suspended';
  if (record.reason === 'ParallelismLimit') return `limit of ${spec.parallelism} running steps reached`;
  const { name, retries } = ledger.step(index).node;
  const retry = nextRetry(spec.name, name, retries, record.attempts);
  const which = retry === undefined ? 'retry' : `retry ${retry.number} of ${retry.limit}`;
  const last = record.attempts.at(-1);
  return `${which} in ${seconds(now, record.retryAt ?? now)}, after: ${last?.message ?? last?.reason}`;
}

function explainLive({ number, reason, message, startedAt, stopping, createdAt }: AttemptRecord, now: Instant): string {
  if (stopping !== undefined) return `attempt ${number} is being stopped (${stopping})`;
  if (reason === 'Created') return `attempt ${number} was asked for ${seconds(createdAt, now)} ago and not seen yet`;
  if (startedAt !== undefined) return `attempt ${number} runs for ${seconds(startedAt, now)}`;
  return `attempt ${number} waits for its container: ${message ?? 'its pod is pending'}`;
}

const seconds = (from: Instant, to: Instant) => `${Math.max(0, Math.ceil((to - from) / 1000))} s`;
