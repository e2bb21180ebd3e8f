import type { AttemptState } from '../../engine/advance.ts';
import type { StepReason } from '../../engine/reasons.ts';
import type { Instant } from '../../engine/record.ts';
import type { AttemptedStep } from '../../graph/items.ts';
import { labels } from '../../graph/labels.ts';
import { jobs, pods, type Resource } from '../../kube/resources.ts';
import type { SeenItems } from './indexed-job-state.ts';
import { isOwnedBy, type Job, type Pod } from '../objects.ts';
import { lostAt } from './pod-status.ts';
import type { Place } from './place.ts';
import type { Mode } from '../run-job.ts';

/** An attempt that is to be, or is, an object on the cluster, from the first request to its end. */
export interface AttemptEntry {
  readonly step: AttemptedStep;
  /** The step of the graph that it belongs to: the step itself, or the map step that it is an item of. */
  readonly graphStep: string;
  readonly attempt: number;
  /** Of its Pod or Job. */
  readonly name: string;
  /** Where that is, or is to be; nothing when it would be on a cluster to which there is no access. */
  readonly place: Place | undefined;
  /** Whether somebody works on creating it. */
  begun: boolean;
  /** Whether it is known to exist. */
  created: boolean;
  /** When its creation was last confirmed; what is not heard of for long afterwards is looked up. */
  heardAt: Instant;
  /** The pod that runs it, with `runAs: 'Job'` the pod of its Job. */
  pod?: Pod;
  job?: Job;
  /** Of an indexed map: what was seen of its pods that have ended. */
  seen?: SeenItems;
  /** Whether somebody finds out how its finished Job ended. */
  asked?: boolean;
  /** Set when its end was asked for. */
  stopping?: StepReason;
  /** Ends a wait between two tries to create it. */
  readonly wake: AbortController;
}

/** The kind of object an attempt is. */
export function resourceOf(step: AttemptedStep): Resource {
  return isJob(step) ? jobs : pods;
}

/** Whether an attempt is a Job: around its pod, or as a run of its own. */
export function isJob(step: AttemptedStep): boolean {
  return step.kind === 'run' || step.runAs === 'Job';
}

/** What people call an attempt. */
export function nounOf(step: AttemptedStep): string {
  return step.kind === 'run' ? 'run' : isJob(step) ? 'Job' : 'pod';
}

/** The object of an attempt as last seen. */
export function objectOf(entry: AttemptEntry): Pod | Job | undefined {
  return isJob(entry.step) ? entry.job : entry.pod;
}

/** Whether the object of an attempt belongs to a run, by the uid of the run's Job. */
export function isOfRun({ place }: AttemptEntry, object: Pod | Job, uid: string): boolean {
  return place?.elsewhere === undefined ? isOwnedBy(object, uid) : object.metadata.labels?.[labels.parentUid] === uid;
}

/** Where an attempt is, before what is said of it; nothing on the cluster of its run. */
export function placeName({ place }: AttemptEntry): string {
  return place?.elsewhere === undefined ? '' : `on cluster ${place.elsewhere.cluster}: `;
}

/** The end of an attempt that never came to be an object, or is none any more. */
export function neverEnded({ kind }: Pick<AttemptEntry['step'], 'kind'>, now: Instant, message: string): AttemptState {
  const reason = kind === 'run' ? 'RunDeleted' : 'PodDeleted';
  return { kind: 'failed', failure: 'system', reason, message, finishedAt: now };
}

/** Why an attempt has no place, and what to do. */
export function noAccess({ step }: AttemptEntry, mode: Mode): string {
  const cluster = 'cluster' in step ? step.cluster : undefined;
  if (mode === 'driver')
    return `it runs on cluster ${cluster}, to which a driver has no access: let a controller sequence the run`;
  return `the controller has no access to cluster ${cluster}: give it to WorkflowController with remoteClusters, or to the command with --remote-cluster`;
}

/** The step and the attempt that an object says that it is of. */
export function keyOfObject({ metadata }: Pod | Job): [step: string, attempt: number] | undefined {
  const { [labels.step]: step, [labels.attempt]: attempt = '' } = metadata.labels ?? {};
  return step !== undefined && /^[1-9]\d{0,8}$/.test(attempt) ? [step, Number(attempt)] : undefined;
}

/** Tells the attempts of a run apart. */
export const keyOf = (entry: AttemptEntry) => `${entry.step.name}/${entry.attempt}`;

/** When a pod that does not go away must be looked at again. That of a Job is the Job's business. */
export function lostTime({ step, pod }: AttemptEntry): number {
  return isJob(step) || !pod ? Infinity : (lostAt(pod) ?? Infinity);
}

/** Whether `a` is an older state of the object than `b`. Versions of one resource can be compared by size. (KEP-5504) */
export function isOlder(a: Pod | Job, b: Pod | Job): boolean {
  const [left, right] = [a.metadata.resourceVersion ?? '', b.metadata.resourceVersion ?? ''];
  return left.length === right.length ? left < right : left.length < right.length;
}
