import { kickoffInputs } from '../graph/kickoff.ts';
import { annotations, CONTROLLER_NAME, labels } from '../graph/labels.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import type { RunJob } from './run-objects.ts';

/** How a run stands, in the words of the command line. */
export const runPhases = ['Pending', 'Running', 'Suspended', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type RunPhaseName = (typeof runPhases)[number];

/** What a run's Job alone tells of it. */
export interface RunSummary {
  /** The cluster of the fleet, when several are looked at. */
  readonly cluster?: string;
  readonly name: string;
  readonly namespace: string;
  readonly plan?: string;
  readonly workflow?: string;
  /** The run that it is a step of, and the step. */
  readonly within?: {
    readonly run: string;
    readonly step: string;
    /** When that run is on another cluster: the uid of the namespace `kube-system` there. */
    readonly parentCluster?: string;
  };
  readonly phase: RunPhaseName;
  /** One word, such as `StepFailed`; of finished runs. */
  readonly reason?: string;
  readonly message?: string;
  /** Left out when a driver runs it: its Job counts the driver's pod and not the steps. */
  readonly progress?: {
    readonly active: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly total: number;
  };
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** Reads a run's Job. */
export function summaryOf(job: RunJob): RunSummary {
  const { metadata, spec, status } = job;
  const end = endOf(job);
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    plan: metadata.labels?.[labels.plan],
    workflow: metadata.labels?.[labels.workflow],
    within: withinOf(metadata),
    phase: phaseOf(job),
    reason: end?.reason,
    message: end?.message ?? openMessage(job),
    progress: isDriven(job)
      ? undefined
      : {
          active: status?.active ?? 0,
          succeeded: status?.succeeded ?? 0,
          failed: status?.failed ?? 0,
          total: spec.completions ?? 1,
        },
    createdAt: metadata.creationTimestamp,
    startedAt: status?.startTime,
    finishedAt: end === undefined ? undefined : (status?.completionTime ?? end.lastTransitionTime),
  };
}

/** Whether it goes on. */
export function isOver(phase: RunPhaseName): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';
}

/** Whether the run is a workflow, and not a single task as a plain Job. */
export function hasGraph({ metadata }: RunJob): boolean {
  return metadata.annotations?.[annotations.graph] !== undefined;
}

/** Whether a driver in the run's own pod sequences it. */
export function isDriven(job: RunJob): boolean {
  return hasGraph(job) && job.spec.managedBy === undefined;
}

/** Milliseconds from the start to the end or to now; nothing before the start. */
export function durationOf(
  { startedAt, finishedAt }: Pick<RunSummary, 'startedAt' | 'finishedAt'>,
  now: number,
): number | undefined {
  if (startedAt === undefined) return undefined;
  return Math.max(0, (finishedAt === undefined ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
}

/** The inputs that a run was given; nothing when anybody broke the annotation. */
export function inputsOf(metadata: Annotated | undefined): JsonObject {
  return { ...kickoffInputs(metadata), ...objectIn(metadata, annotations.inputs) };
}

/** What a launch changed of the run's pods, by step; nothing when it changed nothing. */
export function runOverrideOf(metadata: Annotated | undefined): JsonObject | undefined {
  return objectIn(metadata, annotations.runOverride);
}

/** What has annotations. */
interface Annotated {
  readonly creationTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function withinOf({ labels: given }: RunJob['metadata']): RunSummary['within'] {
  const { [labels.run]: run, [labels.step]: step, [labels.parentCluster]: parentCluster } = given ?? {};
  return run === undefined || step === undefined ? undefined : { run, step, ...(parentCluster && { parentCluster }) };
}

/** A JSON object in an annotation; nothing when there is none, or anybody broke it. */
export function objectIn(metadata: Annotated | undefined, annotation: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(metadata?.annotations?.[annotation] ?? 'null');
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function endOf({ status }: RunJob) {
  return status?.conditions?.find(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
}

function phaseOf(job: RunJob): RunPhaseName {
  const end = endOf(job);
  if (end?.type === 'Complete') return 'Succeeded';
  if (end !== undefined) return wasCancelled(job, end.reason) ? 'Cancelled' : 'Failed';
  if (job.spec.suspend === true) return 'Suspended';
  return job.status?.startTime === undefined ? 'Pending' : 'Running';
}

/** A plain Job is cancelled by a deadline that has passed, see `cancel`. */
function wasCancelled({ metadata }: RunJob, reason: string | undefined): boolean {
  if (reason === 'CancelRequested') return true;
  return reason === 'DeadlineExceeded' && metadata.annotations?.[annotations.cancel] !== undefined;
}

function openMessage(job: RunJob): string | undefined {
  const { metadata, spec, status } = job;
  const cancel = metadata.annotations?.[annotations.cancel];
  if (cancel !== undefined) return `is being cancelled (${cancel})`;
  const ending = status?.conditions?.find(({ type, status: is }) => type === 'FailureTarget' && is === 'True');
  if (ending !== undefined) return ending.message ?? ending.reason;
  if (spec.suspend === true) return 'suspended: starts nothing new until it is resumed';
  if (status?.startTime !== undefined || spec.managedBy !== CONTROLLER_NAME) return undefined;
  if (metadata.labels?.[labels.backfill] !== undefined) return 'waits for its turn among the runs of its backfill';
  if (metadata.annotations?.[annotations.concurrency] !== undefined)
    return 'waits for its turn among the runs of its plan';
  return 'no controller has taken it yet';
}
