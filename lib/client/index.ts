/** Launch plans and runs of a cluster, for programs. Loads neither cdk8s nor constructs. */

export { WorkflowsClient } from './workflows-client.ts';
export { kickoffTime } from '../plans/kickoff-time.ts';
export { WorkflowsError } from '../runs/errors.ts';

export type { WorkflowsClientOptions } from './workflows-client.ts';
export type { LaunchOptions, Plan } from './plan.ts';
export type { PlanRegistration, PlannedInputsOf, RegisteredPlan } from './plan-registration.ts';
export type { PlanInfo } from './plan-info.ts';
export type { Plans, PlanSelection } from './plans.ts';
export type { CallOptions, LaunchedRun, Run, WaitOptions } from './run.ts';
export type { RunInfo, StepInfo } from './run-info.ts';
export type { RunChange, Runs, RunSelection } from './runs.ts';
export type { AnyWorkflowType, InputsOf, OutputsOf, WorkflowType } from './types.ts';
export type { RunSummary } from '../runs/run-summary.ts';
export type { LaunchName, LaunchSettings } from '../runs/launch-settings.ts';
export type { WorkflowsErrorReason } from '../runs/errors.ts';
export type { KickoffTime } from '../plans/kickoff-time.ts';
export type { CacheMode, CancelMode } from '../graph/labels.ts';
export type { Problem } from '../values/problems.ts';
