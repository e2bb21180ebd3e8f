import type { KubeClient } from '../../kube/client.ts';
import { systemClock as clock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import { applyFailure } from './apply-failure.ts';
import type { ApplyPlan, PlannedObject } from './apply-plan.ts';
import type { ApplyFailure } from './apply-result.ts';
import { objectKey } from '../object-key.ts';
import { isRolledOut, readinessOf, type Readiness } from './readiness.ts';

/** Between two looks, in milliseconds. */
const PERIOD_MS = 1000;

/** How to wait. */
export interface ReadyOptions {
  /** In milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with what is waited for, whenever that was looked at. */
  readonly onWaiting?: (names: readonly string[]) => void;
}

/** An object that does not work. */
export interface NotReady {
  readonly object: KubeObject;
  readonly failure: ApplyFailure;
}

/**
 * Waits until all that a plan has is ready, also what was so before. Each look is one list a kind and namespace.
 *
 * @returns what is not ready, and why; empty when all is
 * @throws the signal's reason when it is aborted
 */
export async function waitUntilReady(
  client: KubeClient,
  { objects }: ApplyPlan,
  { timeoutMs, signal, onWaiting }: ReadyOptions,
): Promise<readonly NotReady[]> {
  const failures: NotReady[] = [];
  const end = clock.monotonic() + timeoutMs;
  let waiting = objects.filter(({ action, object }) => action !== 'delete' && action !== 'keep' && isRolledOut(object));
  while (waiting.length > 0) {
    const isLate = clock.monotonic() >= end;
    const seen = await look(client, waiting, signal);
    const open: PlannedObject[] = [];
    for (const planned of waiting) {
      const { object } = planned;
      const is = seen.get(objectKey(object)) ?? gone;
      if (is.state === 'waiting' && !isLate) open.push(planned);
      else if (is.state !== 'ready') failures.push({ object, failure: failureOf(client, object, is, timeoutMs) });
    }
    waiting = open;
    if (waiting.length === 0) break;
    onWaiting?.(waiting.map(({ object }) => `${object.kind} ${object.metadata.name}`));
    await clock.sleep(Math.max(0, Math.min(PERIOD_MS, end - clock.monotonic())), signal);
  }
  return failures;
}

const gone: Readiness = { state: 'failed', reason: 'somebody deleted it' };

/** The objects as they are, by their key; those that cannot be asked about are failed by what stands in the way. */
async function look(
  client: KubeClient,
  waiting: readonly PlannedObject[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Readiness>> {
  const places = Map.groupBy(waiting, ({ resource, object }) => `${resource!.kind} ${object.metadata.namespace}`);
  const seen = new Map<string, Readiness>();
  await Promise.all(
    [...places.values()].map(async (here) => {
      const [{ resource, object }] = here as [PlannedObject];
      const { namespace, name } = object.metadata;
      const select = { namespace, signal, ...(here.length === 1 && { fieldSelector: `metadata.name=${name}` }) };
      try {
        for await (const live of eachObject(client, resource!, select)) seen.set(objectKey(live), readinessOf(live));
      } catch (error) {
        signal?.throwIfAborted();
        const { message } = applyFailure(error);
        for (const planned of here) seen.set(objectKey(planned.object), { state: 'failed', reason: message });
      }
    }),
  );
  return seen;
}

function failureOf(
  { context }: KubeClient,
  { kind, metadata: { name, namespace } }: KubeObject,
  { state, reason }: Exclude<Readiness, { state: 'ready' }>,
  timeoutMs: number,
): ApplyFailure {
  const when = state === 'waiting' ? ` within ${timeoutMs / 1000} s` : '';
  return {
    message: `is not ready${when}: ${reason}`,
    fix: `kubectl --context ${context} -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
  };
}
