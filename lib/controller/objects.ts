import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import type { PodTemplate } from '../pods/template.ts';

/** The objects the controller reads, with the fields it reads. Anybody may have written them, so nothing is taken for granted. */

/** A condition of a Pod or Job. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastProbeTime?: string;
}

/** How a container ended. */
export interface TerminatedState {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string | null;
  readonly finishedAt?: string | null;
}

/** What the kubelet says of a container. */
export interface ContainerStatus {
  readonly name: string;
  /** Whether it passes its readiness probe, or has none and runs. */
  readonly ready?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string | null };
    readonly terminated?: TerminatedState;
  };
}

/** A pod of a step. */
export interface Pod extends KubeObject {
  spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
  };
  status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** `status` of a Job. */
export interface JobStatus {
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly active?: number;
  readonly ready?: number;
  readonly terminating?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  /** Of an Indexed Job, as `1,3-5`. */
  readonly completedIndexes?: string;
  readonly failedIndexes?: string;
  readonly conditions?: readonly Condition[];
}

/** A run's Job, or the Job of a step. */
export interface Job extends KubeObject {
  spec?: {
    readonly managedBy?: string;
    readonly suspend?: boolean;
    readonly parallelism?: number;
    readonly completions?: number;
    readonly activeDeadlineSeconds?: number;
  };
  status?: JobStatus;
}

/** A ConfigMap that holds a graph or a record. */
export interface ConfigMap extends KubeObject {
  data?: Readonly<Record<string, string>>;
  binaryData?: Readonly<Record<string, string>>;
}

/** A PodTemplate that holds a step's merged template. */
export interface PodTemplateObject extends KubeObject {
  template?: PodTemplate;
}

/** Whether a condition of this type holds. */
export function hasCondition(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** Whether a Job is finished: such a run is never touched again. */
export function isFinished(job: Job): boolean {
  return hasCondition(job.status?.conditions, 'Complete') || hasCondition(job.status?.conditions, 'Failed');
}

/** Whether there is something to be done about a run: it has not ended and is not being deleted. */
export function isOpen(job: Job): boolean {
  return !isFinished(job) && job.metadata.deletionTimestamp === undefined;
}

/** Whether an object belongs to another, as owner reference or controller. */
export function isOwnedBy({ metadata }: { readonly metadata: ObjectMeta }, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

/** Text of at most `max` characters, its end cut off visibly. */
export function shorten(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
