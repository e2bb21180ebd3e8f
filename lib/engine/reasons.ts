import { taskFailureReasons } from '../graph/retries.ts';

/** Why a step is in its phase: a closed list, for programs. The message beside it is for people. */
export const stepReasons = {
  Pending: ['WaitingForUpstreams'],
  Waiting: [
    'Backoff',
    'CheckingCache',
    'ParallelismLimit',
    'NamespaceLimit',
    'ControllerLimit',
    'WaitingForLock',
    'WaitingForResult',
    'Suspended',
    'WaitingForApproval',
    'WaitingForInput',
    'Sleeping',
    'WaitingForTime',
    'ServiceNotReady',
  ],
  Running: [
    'CheckingCache',
    'ItemsRunning',
    'Created',
    'PodPending',
    'ContainerRunning',
    'RunPending',
    'RunRunning',
    'ServiceReady',
    'Stopping',
  ],
  Succeeded: ['Completed', 'DefaultTaken', 'Recovered', 'Cached', 'ServiceStopped'],
  Failed: [
    'ItemsFailed',
    'ItemsInvalid',
    'StepsFailed',
    ...taskFailureReasons,
    'StepTimeout',
    'PendingTimeout',
    'ConditionError',
    'Rejected',
    'InvalidImage',
    'Evicted',
    'NodeLost',
    'Preempted',
    'PodDeleted',
    'RunDeleted',
    'RecursionLimit',
    'NoClusterAccess',
    'ApprovalDenied',
    'GateTimeout',
    'GateError',
    'LockError',
    'ServiceFailed',
  ],
  Skipped: [
    'WhenFalse',
    'SkippedByHand',
    'AfterFalse',
    'InputUnavailable',
    'UpstreamFailed',
    'UpstreamSkipped',
    'RunFailing',
    'NoFailure',
    'ServiceNotNeeded',
  ],
  Cancelled: ['MapStopped', 'CancelRequested', 'RunTimeout', 'FailurePolicy', 'UpstreamCancelled', 'Superseded'],
} as const;

export type StepReason = (typeof stepReasons)[keyof typeof stepReasons][number];

/** Why a run is in its phase. */
export const runReasons = [
  'Started',
  'Suspended',
  'Completed',
  'StepFailed',
  'RunTimeout',
  'CancelRequested',
  'InvalidRun',
] as const;

export type RunReason = (typeof runReasons)[number];
