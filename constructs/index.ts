/**
 * cdk8s-workflows: typed workflows, tasks and launch plans for Kubernetes, as cdk8s constructs.
 *
 * @packageDocumentation
 */

// What to do
export { ContainerTask } from './container-task.ts';
export { Task } from './task.ts';
export { Gate } from './gate.ts';
export { InlinedWorkflow } from './inlined-workflow.ts';
export { StepBase } from './step-base.ts';
export { MapStep } from './map-step.ts';
export { planNamed, PlanReference } from './plan-reference.ts';
export { RunStep } from './run-step.ts';
export { ServiceStep } from './service-step.ts';
export { Step } from './step.ts';
export { Workflow } from './workflow.ts';

// Values and conditions
export { z } from 'zod';
export { Reference } from '../lib/values/reference.ts';
export { and, cel, Condition, eq, ge, gt, isTrue, le, lt, ne, or } from '../lib/values/condition.ts';
export {
  all,
  allDone,
  allSucceeded,
  any,
  cancelled,
  EndCondition,
  failed,
  finished,
  noneFailed,
  not,
  oneFailed,
  oneSucceeded,
  skipped,
  succeeded,
} from './end-condition.ts';

// What steps share
export { Lock, mutex, semaphore } from './lock.ts';

// When and where to do it
export { LaunchPlan } from './launch-plan.ts';
export { LaunchPlanGroup } from './launch-plan-group.ts';
export { PlanNamespace } from './plan-namespace.ts';
export { inputsFromFile, keysFromFile } from './key-files.ts';
export { Run } from './run.ts';
export { notice } from './launch-target.ts';
export { NotificationTarget } from './notification-target.ts';
export { kickoffTime } from '../lib/plans/kickoff-time.ts';
export { Schedule } from '../lib/plans/schedule.ts';
export { Fleet } from './fleet.ts';
export { clusterOf } from './cluster.ts';
export { clustersFromClusterProfiles, clustersFromKubeconfig } from './clusters-from.ts';
export { ArgoApplicationSet } from './argo-application-set.ts';
export { FluxKustomizations } from './flux-kustomizations.ts';

// One task, without a controller
export { TaskJob } from './task-job.ts';
export { TaskPod } from './task-pod.ts';

// What runs it
export { WorkflowController, WorkflowDriverAccount } from './workflow-controller.ts';
export { RemoteRunsAccount } from './remote-runs-account.ts';

// What manifests must keep to
export { validateManifests } from './validate-manifests.ts';
export { rule } from '../lib/manifests/rule.ts';
export { podSecurity } from '../lib/manifests/pod-security.ts';
export { noLatest, pinnedImages } from '../lib/manifests/image-rules.ts';
export { resourcesSet } from '../lib/manifests/resources-set.ts';

// Errors
export { InvalidError } from '../lib/values/problems.ts';

export type { Arguments, ContainerTaskProps } from './container-task.ts';
export type { ExecutionSettings, TaskProps } from './task.ts';
export type { DelayList, GrowingDelay, Retries, RetryBudget, RunRetries } from './retries.ts';
export type { AnyStep, Given, StepIn, StepOutputs } from './step-base.ts';
export type { MapInputs, MapOptions, MapOutputs, MapStepProps } from './map-step.ts';
export type { InlinedWorkflowProps, OutputShape } from './inlined-workflow.ts';
export type { Cache } from './cache.ts';
export type { PlanReferenceProps } from './plan-reference.ts';
export type { AnyPlan, LaunchOptions, PlanInputs, RunStepOptions, RunStepProps } from './run-step.ts';
export type { ServiceOptions, ServiceStepProps } from './service-step.ts';
export type { StepProps } from './step.ts';
export type { AnyTaskStep, GivenInputs, StepOverride } from './task-use.ts';
export type { AnswerProps, ApprovalOutputs, GateBuilder, GateProps } from './gate.ts';
export type { LockKey, LockOptions } from './lock.ts';
export type { StepStatus } from './step-status.ts';
export type { ArmValues, BranchArms, BranchStart, BranchValues } from './branch.ts';
export type { AnyWorkflow, WorkflowProps } from './workflow.ts';
export type { AddStep, InputReferences, WorkflowBuilder, WorkflowOutputs } from './workflow-builder.ts';
export type { KickoffTime, PlannedValues } from '../lib/plans/kickoff-time.ts';
export type {
  LaunchPlanProps,
  LaunchPlanSettings,
  LaunchPlanTimingSettings,
  Launched,
  RunDefaults,
} from './launch-plan-settings.ts';
export type { LimitRangeItem, PlanNamespaceProps, ResourceAmounts } from './plan-namespace.ts';
export type { NotificationProps, Notifications, NotificationTrigger } from './notification.ts';
export type { EmailOptions } from './email-target.ts';
export type { NoticeInputs, NoticeValue, NoticeValues } from './launch-target.ts';
export type { CloudEventsOptions, SecretOrText } from './notification-target.ts';
export type { NoticeField, NotificationEvent, RunFailureReason } from '../lib/graph/notifications.ts';
export type { KeyedPlan, LaunchPlanGroupProps, LaunchPlanGroupSettings, PlanOverride } from './launch-plan-group.ts';
export type { GroupKeys, Over } from './group-keys.ts';
export type { KeyFileOptions } from './key-files.ts';
export type { RunProps } from './run.ts';
export type { RunSettings } from './run-job.ts';
export type { DriverProps } from './driver.ts';
export type { ServiceAccountLike } from './settings.ts';
export type { TaskJobProps } from './task-job.ts';
export type { TaskPodProps } from './task-pod.ts';
export type { SingleTaskProps } from './single-task.ts';
export type { Cluster } from './cluster.ts';
export type { FleetProps } from './fleet.ts';
export type { GitOpsProps } from './gitops.ts';
export type { ArgoApplicationSetProps } from './argo-application-set.ts';
export type { FluxKubeConfig, FluxKustomizationsProps, FluxSource } from './flux-kustomizations.ts';
export type { ValidationProps } from './validate-manifests.ts';
export type { Rule, RuleContext, Violation } from '../lib/manifests/rule.ts';
export type { PodSecurityLevel } from '../lib/manifests/pod-security.ts';
export type { ImagePin } from '../lib/manifests/image-rules.ts';
export type { ResourcesSetOptions } from '../lib/manifests/resources-set.ts';
export type { ClusterChoice, ClusterSelector } from '../lib/graph/place-plan.ts';
export type { PlacementProps } from './plan-place.ts';
export type { Amount, ClusterCapabilities, NodeKind, NodeTaint } from '../lib/graph/capabilities.ts';
export type { LabelExpression, LabelSelector } from '../lib/values/label-selector.ts';
export type { WorkflowControllerProps } from './workflow-controller.ts';
export type { WorkflowTrigger } from './workflow-trigger.ts';
export type { ControllerFailover } from './controller-failover.ts';
export type { RemoteClusterAccess } from './remote-clusters.ts';
export type { RemoteRunsAccountProps } from './remote-runs-account.ts';
export type { LockScope } from '../lib/graph/locks.ts';
export type { FailurePolicy } from '../lib/graph/graph.ts';
export type { FailureRule, TaskFailureReason } from '../lib/graph/retries.ts';
export type { PodSettings } from '../lib/pods/settings/pod-settings.ts';
export type { Companion, Mount } from '../lib/pods/settings/companions.ts';
export type { ConfigMapKey, EnvironmentSource, EnvironmentValue, SecretKey } from '../lib/pods/settings/environment.ts';
export type { Gpu } from '../lib/pods/settings/gpu.ts';
export type { Amounts, Resources } from '../lib/pods/settings/resources.ts';
export type { Spot } from '../lib/pods/settings/spot.ts';
export type { Volume, VolumeSource } from '../lib/pods/settings/volumes.ts';
export type { JobOverride } from '../lib/pods/job-template.ts';
export type { PodTemplate, PodTemplateOverride } from '../lib/pods/template.ts';
export type { Problem } from '../lib/values/problems.ts';
export type { NoValues, Shape, ValuesIn, ValuesOut } from '../lib/values/shape.ts';
