import type { AttemptState } from '../engine/advance.ts';
import type { StepReason } from '../engine/reasons.ts';
import type { Instant } from '../engine/record.ts';
import type { AttemptedStep } from '../graph/items.ts';
import { jobs, pods, type Resource } from '../kube/resources.ts';
import type { SeenItems } from './indexed-job-state.ts';
import type { Job, Pod } from './objects.ts';

/** An attempt that is to be, or is, an object on the cluster, from the first request to its end. */
export interface AttemptEntry {
  readonly step: AttemptedStep;
  /** The step of the graph that it belongs to: the step itself, or the map step that it is an item of. */
  readonly graphStep: string;
  readonly attempt: number;
  /** Of its Pod or Job. */
  readonly name: string;
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

/** The end of an attempt that never came to be an object, or is none any more. */
export function neverEnded({ kind }: Pick<AttemptEntry['step'], 'kind'>, now: Instant, message: string): AttemptState {
  const reason = kind === 'run' ? 'RunDeleted' : 'PodDeleted';
  return { kind: 'failed', failure: 'system', reason, message, finishedAt: now };
}
