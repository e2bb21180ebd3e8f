import { kickoffText } from '../graph/kickoff.ts';
import { annotations } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { JsonObject } from '../values/json.ts';
import { pauseOf } from './failover/failover-record.ts';
import { isPauseByHand } from './failover/switched-by-hand.ts';

/** Until when a plan is paused, in milliseconds since the epoch; nothing when it is not. */
export function pausedUntil(plan: KubeObject, now: number): number | undefined {
  const time = Date.parse(pauseOf(plan) ?? '');
  return time > now ? time : undefined;
}

/** What is changed of a plan's spec so that it is paused. */
export function pause(until: number): JsonObject {
  return noted(kickoffText(until));
}

/** What is changed so that its pause is over: it is taken off or, where the plan's author wrote it, ends now. */
export function endOfPause(plan: KubeObject, now: number): JsonObject {
  return noted(isPauseByHand(plan) ? null : kickoffText(now));
}

function noted(value: string | null): JsonObject {
  return { jobTemplate: { metadata: { annotations: { [annotations.pausedUntil]: value } } } };
}
