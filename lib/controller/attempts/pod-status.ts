import type { AttemptState, OutputsText, SeenState } from '../../engine/advance.ts';
import type { FailureKind, Instant } from '../../engine/record.ts';
import type { StepReason } from '../../engine/reasons.ts';
import { MAIN_CONTAINER, MAX_OUTPUTS_BYTES } from '../../pods/template.ts';
import { shorten, type Condition, type ContainerStatus, type Pod, type TerminatedState } from '../objects.ts';

/** What Kubernetes keeps of the termination messages of one pod, in bytes, shared evenly by its containers. (kubelet: MaxPodTerminationMessageLogLength) */
const POD_MESSAGE_BYTES = 12 * 1024;

/** A pod that is still there so long after its grace period was over runs on a node that no longer answers. */
const LOST_AFTER_MS = 30_000;

/**
 * What a pod says of its attempt. Its main container's end is the attempt's end, also while sidecars still run; unless the
 * platform ended the pod, for then an exit code only tells how the container took the news.
 *
 * @param now only decides whether a pod that does not go away is counted as lost
 */
export function attemptState(pod: Pod, now: Instant): SeenState {
  const { status = {} } = pod;
  const { state: main, ready: isReady = false } =
    status.containerStatuses?.find((container) => container.name === MAIN_CONTAINER) ?? {};
  const startedAt = instant(main?.terminated?.startedAt ?? main?.running?.startedAt);
  const fail = (failure: FailureKind, reason: StepReason, message: string): FailedState => ({
    kind: 'failed',
    failure,
    reason,
    message: shorten(message, 1000),
    finishedAt: instant(main?.terminated?.finishedAt) ?? now,
    ...(startedAt !== undefined && { startedAt }),
    ...(main?.terminated?.exitCode !== undefined && { exitCode: main.terminated.exitCode }),
  });

  if (status.phase === 'Failed') {
    const disrupted = disruption(pod);
    if (disrupted) return fail(disrupted.failure, disrupted.reason, disrupted.message);
  }
  if (main?.terminated) {
    const { terminated } = main;
    if (terminated.exitCode === 0) {
      const outputs = outputsOf(pod, terminated);
      return {
        kind: 'succeeded',
        finishedAt: instant(terminated.finishedAt) ?? now,
        ...(startedAt !== undefined && { startedAt }),
        ...(outputs && { outputs }),
      };
    }
    return fail(...exit(terminated));
  }
  if (status.phase === 'Failed') {
    // A sidecar's exit code says nothing: the kubelet ended it when the init container had failed.
    const broken = status.initContainerStatuses?.find(
      ({ name, state }) => (state?.terminated?.exitCode ?? 0) !== 0 && !isSidecar(pod, name),
    );
    if (broken) {
      const [failure, reason, message] = exit(broken.state!.terminated!);
      return {
        ...fail(failure, reason, `init container "${broken.name}": ${message}`),
        exitCode: broken.state!.terminated!.exitCode,
      };
    }
    // The kubelet refused it (OutOfcpu, NodeAffinity, UnexpectedAdmissionError, ...): no container ever ran.
    return fail('system', 'StartError', sentence(status.reason ?? 'the pod failed', status.message));
  }
  if (status.phase === 'Succeeded') return { kind: 'succeeded', finishedAt: now };
  if (isLost(pod, now))
    return fail('system', 'NodeLost', `the pod was deleted, and node ${pod.spec?.nodeName} does not end it`);
  if (main?.running) {
    const host = isReady ? status.podIP : undefined;
    return { kind: 'running', startedAt: startedAt ?? now, ...(host && { host }) };
  }
  const invalid = allStatuses(pod).find(({ state }) => state?.waiting?.reason === 'InvalidImageName');
  if (invalid) return fail('permanent', 'InvalidImage', waitingFor(invalid));
  const message = pendingMessage(pod);
  return { kind: 'pending', ...(message !== undefined && { message }) };
}

/** What the deletion of a pod says of its attempt: its end if that was seen, else that it ran to no end. */
export function deletedState(pod: Pod, now: Instant): AttemptState {
  const last = attemptState(pod, now);
  if (last.kind === 'succeeded' || last.kind === 'failed') return last;
  const target = disruptionTarget(pod);
  return {
    kind: 'failed',
    failure: 'system',
    reason: target ? disruptionReason(target.reason) : 'PodDeleted',
    message: target ? sentence('the pod was deleted', target.message) : 'the pod was deleted before its end was seen',
    finishedAt: now,
    ...(last.kind === 'running' && { startedAt: last.startedAt }),
  };
}

/** When a pod that is being deleted is to be looked at again, in case nobody says more of it. */
export function lostAt(pod: Pod): Instant | undefined {
  const deleted = instant(pod.metadata.deletionTimestamp);
  return deleted === undefined ? undefined : deleted + LOST_AFTER_MS;
}

/** Whether containers other than the main one still run although it has ended: nothing but a stop ends them. Kubernetes ends native sidecars itself. */
export function hasLeftovers({ status }: Pod): boolean {
  return (
    status?.phase === 'Running' &&
    (status.containerStatuses?.some(({ name, state }) => name !== MAIN_CONTAINER && state?.running !== undefined) ??
      false)
  );
}

function exit(terminated: TerminatedState): [FailureKind, StepReason, string] {
  const { reason, exitCode } = terminated;
  const said = terminated.message?.trim();
  const message = `exit code ${exitCode ?? 'unknown'}${said ? `: ${shorten(said, 300)}` : ''}`;
  if (reason === 'OOMKilled')
    return ['user', 'OOMKilled', `killed for using more memory than its limit${said ? `: ${shorten(said, 300)}` : ''}`];
  // containerd says StartError, the Docker shim says ContainerCannotRun: the command is not there, a mount failed.
  if (reason === 'StartError' || reason === 'ContainerCannotRun')
    return ['user', 'StartError', said ? shorten(said, 500) : message];
  // The kubelet came back and found the container gone. (kubelet: convertStatusToAPIStatus)
  if (reason === 'ContainerStatusUnknown') return ['system', 'NodeLost', sentence('the container was lost', said)];
  return ['user', 'ExitCode', message];
}

type FailedState = Extract<AttemptState, { kind: 'failed' }>;

interface Disruption {
  readonly failure: FailureKind;
  readonly reason: StepReason;
  readonly message: string;
}

/** Why the platform ended a pod; nothing when it ended by itself. */
function disruption(pod: Pod): Disruption | undefined {
  const { reason, message } = pod.status!;
  // Our stop, or a deadline that the task's own template sets.
  if (reason === 'DeadlineExceeded')
    return { failure: 'user', reason: 'AttemptTimeout', message: sentence('the pod ran into its deadline', message) };
  const target = disruptionTarget(pod);
  if (target)
    return {
      failure: 'system',
      reason: disruptionReason(target.reason),
      message: sentence(target.reason ?? 'the pod was disrupted', target.message),
    };
  const known = podReasons[reason ?? ''];
  return known && { failure: 'system', reason: known, message: sentence(reason!, message) };
}

const podReasons: Readonly<Record<string, StepReason>> = {
  Evicted: 'Evicted',
  Preempting: 'Preempted',
  NodeLost: 'NodeLost',
  // A node that shuts down in good order. (kubelet: nodeshutdown)
  Terminated: 'Evicted',
  NodeShutdown: 'Evicted',
  Shutdown: 'Evicted',
};

function disruptionTarget({ status }: Pod): Condition | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === 'DisruptionTarget' && holds === 'True');
}

function disruptionReason(reason: string | undefined): StepReason {
  if (reason === 'PreemptionByScheduler') return 'Preempted';
  if (reason === 'DeletionByTaintManager' || reason === 'DeletionByPodGC') return 'NodeLost';
  return 'Evicted';
}

function isLost(pod: Pod, now: Instant): boolean {
  const at = lostAt(pod);
  return pod.status?.reason === 'NodeLost' || (at !== undefined && now >= at);
}

function outputsOf(pod: Pod, { message }: TerminatedState): OutputsText | undefined {
  if (message === undefined || message === '') return undefined;
  const containers = (pod.spec?.containers?.length ?? 1) + (pod.spec?.initContainers?.length ?? 0);
  const fits = Math.min(MAX_OUTPUTS_BYTES, Math.floor(POD_MESSAGE_BYTES / containers));
  return Buffer.byteLength(message) >= fits ? { text: message, cutAt: fits } : { text: message };
}

function pendingMessage(pod: Pod): string | undefined {
  const { status } = pod;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return shorten(unscheduled(scheduled), 500);
  const stuck = allStatuses(pod).find(
    ({ state }) => ordinary[state?.waiting?.reason ?? ''] === undefined && state?.waiting?.reason !== undefined,
  );
  if (stuck) return shorten(waitingFor(stuck), 500);
  const init = status?.initContainerStatuses?.find(({ name, state }) => state?.running && !isSidecar(pod, name));
  return init && `init container "${init.name}" is running`;
}

/** Why a pod has no node, as the scheduler says it, without what came of the attempt to make room. (kube-scheduler: FitError, preemption) */
function unscheduled({ reason = 'Unschedulable', message }: Condition): string {
  if (reason !== 'Unschedulable') return sentence(reason, message);
  const [why] = message?.split(/\.? (?:no new claims to deallocate, )?preemption: /) ?? [];
  return sentence('pod unschedulable', why);
}

/** Whether an init container is one that runs beside the others and is restarted. */
function isSidecar({ spec }: Pod, name: string): boolean {
  return spec?.initContainers?.find((container) => container.name === name)?.restartPolicy === 'Always';
}

const ordinary: Readonly<Record<string, true>> = { ContainerCreating: true, PodInitializing: true };

function waitingFor({ name, state }: ContainerStatus): string {
  return `container "${name}": ${sentence(state!.waiting!.reason!, state!.waiting!.message)}`;
}

function allStatuses({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function sentence(what: string, detail: string | undefined): string {
  const said = detail?.trim();
  return said ? `${what}: ${said}` : what;
}

function instant(time: string | null | undefined): Instant | undefined {
  const at = time ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? undefined : at;
}
