import type { KubeObject } from '../kube/objects.ts';

/** What the commands read of the objects that a run consists of. */

/** A condition in the status of a Job. */
export interface JobCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface JobSpec {
  readonly managedBy?: string;
  readonly completions?: number;
  readonly parallelism?: number;
  readonly suspend?: boolean;
  readonly activeDeadlineSeconds?: number;
  readonly template?: PodTemplateObject;
  readonly [field: string]: unknown;
}

/** The Job of a run. */
export interface RunJob extends KubeObject {
  spec: JobSpec;
  status?: {
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly conditions?: readonly JobCondition[];
  };
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

export interface Container {
  readonly name: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly [field: string]: unknown;
}

export interface PodTemplateObject {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly Container[]; readonly [field: string]: unknown };
}

/** The CronJob of a launch plan. */
export interface PlanCronJob extends KubeObject {
  spec: {
    readonly schedule: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly jobTemplate: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: JobSpec;
    };
    readonly [field: string]: unknown;
  };
  status?: { readonly lastScheduleTime?: string };
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: { readonly exitCode?: number; readonly reason?: string };
  };
}

/** A pod of an attempt. */
export interface RunPod extends KubeObject {
  spec: { readonly nodeName?: string; readonly containers: readonly Container[] };
  status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ConfigMapObject extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** An Event about one of these objects. */
export interface EventObject extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
  readonly source?: { readonly component?: string };
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}
