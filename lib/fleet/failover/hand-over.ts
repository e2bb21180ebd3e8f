import { annotations } from '../../graph/labels.ts';
import { takenOverNote } from '../../graph/taken-over.ts';
import type { KubeClient } from '../../kube/client.ts';
import { cronJobs } from '../../kube/resources.ts';
import type { Move } from './failover-moves.ts';
import type { FailoverRecord, PlanObject } from './failover-record.ts';
import { HAND_MANAGER } from '../apply/field-managers.ts';

/** A plan's CronJob on a cluster that can be reached. */
export interface Side {
  readonly client: KubeClient;
  readonly object: PlanObject;
}

export interface HandOverOptions {
  /** The time, in milliseconds since the epoch. */
  readonly now: number;
  /** Let the servers check everything and write nothing. @default false */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Suspends a plan at home, then activates it on the backup, and notes on both that it was done. Doing it twice is doing it once. */
export async function failOver(
  move: Move,
  home: Side | undefined,
  backup: Side,
  record: FailoverRecord,
  options: HandOverOptions,
): Promise<void> {
  const before = home && move.home === 'suspend' ? await write(home, true, record, options) : home?.object;
  await takeOver(backup, before, record, options);
}

/** Suspends a plan on the backup, then activates it at home if a failover suspended it there, and takes the notes off. */
export async function failBack(
  move: Move,
  home: Side,
  backup: Side | undefined,
  options: HandOverOptions,
): Promise<void> {
  const before = backup && (await write(backup, true, undefined, options));
  if (move.home === 'activate') await takeOver(home, before, undefined, options);
  else await write(home, undefined, undefined, options);
}

/**
 * Activates a plan where the other left off. A CronJob that is no longer suspended makes up at once for the last time it missed,
 * and one that was suspended for long always missed one: without this the last run of the other cluster would be run again.
 * (pkg/controller/cronjob/utils.go: mostRecentScheduleTime) Kubernetes forgets that time as soon as it makes the next run, and our own
 * controller makes up for more than the last one: so it is on the plan, too.
 */
async function takeOver(
  side: Side,
  before: PlanObject | undefined,
  record: FailoverRecord | undefined,
  options: HandOverOptions,
): Promise<void> {
  const { client, object } = side;
  const now = new Date(options.now).toISOString().replace(/\.\d+Z$/, 'Z');
  const seen =
    before === undefined ? now : (before.status?.lastScheduleTime ?? before.metadata.creationTimestamp ?? now);
  const own = object.status?.lastScheduleTime;
  const last = own !== undefined && Date.parse(own) > Date.parse(seen) ? own : seen;
  if (object.spec.suspend === true && last !== own)
    await client.patch(
      cronJobs,
      object.metadata.name,
      { status: { lastScheduleTime: last } },
      { ...patchOf(side, options), subresource: 'status' },
    );
  await write(side, false, record, options, { [annotations.takenOver]: takenOverNote(object, last) });
}

function write(
  side: Side,
  suspend: boolean | undefined,
  record: FailoverRecord | undefined,
  options: HandOverOptions,
  more: Readonly<Record<string, string>> = {},
): Promise<PlanObject> {
  const note = record === undefined ? null : JSON.stringify(record);
  const patch = {
    metadata: { annotations: { [annotations.failover]: note, ...more } },
    ...(suspend !== undefined && { spec: { suspend } }),
  };
  return side.client.patch<PlanObject>(cronJobs, side.object.metadata.name, patch, patchOf(side, options));
}

function patchOf({ object }: Side, { dryRun, signal }: HandOverOptions) {
  return {
    type: 'merge',
    namespace: object.metadata.namespace,
    repeatable: true,
    // As `suspend` does it: the next apply must not undo it.
    fieldManager: HAND_MANAGER,
    ...(dryRun !== undefined && { dryRun }),
    ...(signal && { signal }),
  } as const;
}
