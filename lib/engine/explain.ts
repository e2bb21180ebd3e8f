import { conditionText } from '../graph/end-condition.ts';
import type { Role, TaskStep } from '../graph/graph.ts';
import type { AttemptedStep } from '../graph/items.ts';
import { upstreamsOf } from '../graph/topology.ts';
import type { RunSpec } from './advance.ts';
import { kindOf } from './kinds.ts';
import { isTooLate } from './run-state.ts';
import type { Ledger } from './ledger.ts';
import { nextAttempt } from './retries.ts';
import { isFinal, isHeldUp, liveAttempt } from './phases.ts';
import { isUp } from './services.ts';
import { spanText } from './span.ts';
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
  if (record.reason === 'CheckingCache') return 'asking for a kept result of an equal step';
  if (record.phase === 'Pending') return explainPending(sight, index);
  if (record.phase === 'Waiting') return explainWaiting(sight, index, record);
  const attempt = liveAttempt(record);
  if (isUp(record)) return explainService(sight.ledger, index, record);
  if (attempt !== undefined) return explainLive(sight.ledger.step(index).node as AttemptedStep, attempt, sight.now);
  if (record.phase === 'Running' && record.message !== undefined) return record.message;
  return record.message === undefined ? record.reason : `${record.reason}: ${record.message}`;
}

const NAMED = 3;

function explainService(ledger: Ledger, index: number, { outputs }: StepRecord): string {
  const open = ledger.step(index).users.filter((user) => !isFinal(ledger.of(user).phase));
  const names = open.slice(0, NAMED).map((user) => ledger.step(user).node.name);
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  return `ready at ${String(outputs?.host)}; needed by ${names.join(', ')}${more}`;
}

function explainPending({ ledger, state }: Sight, index: number): string {
  const step = ledger.step(index);
  const { depends, role } = step.node;
  if (role !== undefined) return explainRole(ledger, role);
  if (ledger.items.owner(index) !== undefined) return 'waiting for other items to end';
  const upstreams = [...upstreamsOf(step)];
  const open = upstreams.filter((upstream) => {
    const record = ledger.of(upstream);
    return !isFinal(record.phase) && !(isUp(record) && step.services.includes(upstream));
  });
  if (open.length === 0) return 'ready to start';
  const names = open.slice(0, NAMED).map((upstream) => {
    const { name } = ledger.step(upstream).node;
    return step.services.includes(upstream) ? `service ${name} to be ready` : name;
  });
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  const until = depends === undefined ? '' : `, until ${conditionText(depends)}`;
  const waits = `${upstreams.length - open.length} of ${upstreams.length} upstreams done; waiting for ${names.join(', ')}${more}${until}`;
  return isTooLate(state, step.node) ? `${waits}; it will not start since the run is ending (${state.reason})` : waits;
}

function explainRole(ledger: Ledger, role: Role): string {
  const open = ledger.open('main') + (role === 'finally' ? ledger.open('onFailure') : 0);
  const when = role === 'finally' ? 'whatever becomes of them' : 'if the run fails';
  return `waiting for the ${open} other steps to end; it runs then, ${when}`;
}

function explainWaiting({ ledger, spec, now }: Sight, index: number, record: StepRecord): string {
  const { node } = ledger.step(index);
  const known = kindOf(node).explain?.(node, record, now);
  if (known !== undefined) return known;
  if (record.reason === 'Suspended') return 'run is suspended';
  if (isHeldUp(record) || record.reason === 'ServiceNotReady') return record.message ?? record.reason;
  if (record.reason === 'ParallelismLimit' && ledger.running < spec.parallelism)
    return 'waiting for its turn behind other steps of the run';
  if (record.reason === 'ParallelismLimit') return `limit of ${spec.parallelism} running steps reached`;
  const { retry } = nextAttempt(spec.name, node as TaskStep, record.attempts);
  const which = retry === undefined ? 'retry' : `retry ${retry.number} of ${retry.limit}`;
  const last = record.attempts.at(-1);
  return `${which} in ${spanText(now, record.retryAt ?? now)}, after: ${last?.message ?? last?.reason}`;
}

function explainLive(
  node: AttemptedStep,
  { number, reason, message, startedAt, stopping, createdAt }: AttemptRecord,
  now: Instant,
): string {
  // Why it cannot be created for now or, of a run on another cluster, not be looked at.
  const unseen = (node.kind === 'run' || reason === 'Created') && message !== undefined ? `; ${message}` : '';
  if (stopping !== undefined) return `attempt ${number} is being stopped (${stopping})${unseen}`;
  if (reason === 'Created' && message !== undefined && node.kind !== 'run')
    return `attempt ${number} cannot be created, for ${spanText(createdAt, now)} now: ${message}`;
  if (reason === 'Created')
    return `attempt ${number} was asked for ${spanText(createdAt, now)} ago and not seen yet${unseen}`;
  if (startedAt !== undefined && node.kind === 'indexedMap' && message !== undefined) return message;
  if (startedAt !== undefined && node.kind !== 'service')
    return `attempt ${number} runs for ${spanText(startedAt, now)}${unseen}`;
  if (node.kind === 'run') return `attempt ${number} waits: ${message ?? 'its run has not begun'}`;
  const { pendingTimeoutSeconds } = node;
  const limit = pendingTimeoutSeconds && createdAt + pendingTimeoutSeconds * 1000;
  const until = node.kind === 'service' ? 'is not ready' : 'does not start';
  const left = limit === undefined ? '' : `; it is stopped in ${spanText(now, limit)} if it ${until}`;
  if (startedAt !== undefined) return `attempt ${number} runs for ${spanText(startedAt, now)}, and is not ready${left}`;
  return `attempt ${number} waits for its container: ${message ?? 'its pod is pending'}${left}`;
}
