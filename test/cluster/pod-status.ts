import type { PodBehaviour } from './behaviour.ts';
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from './pod.ts';

/** What a status says beyond the pod itself. */
export interface StatusFacts {
  readonly podIP: string;
  readonly hostIP: string;
  /** When the node took the pod. */
  readonly acceptedAt: Date;
  /** When its containers started. */
  readonly startedAt: Date;
  readonly now: Date;
  /** How often the containers were restarted so far. */
  readonly restarts: number;
}

/** Why a pod ends before its containers do. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly condition?: Omit<PodCondition, 'lastTransitionTime'>;
}

// Limits of the kubelet: pkg/kubelet/container/runtime.go (MaxContainerTerminationMessageLength), and
// pkg/kubelet/status/status_manager.go (normalizeStatus), which shares 12 KiB among the containers of a pod.
const containerMessageBytes = 4096;
const podMessageBytes = 12 * 1024;

/** The status of a pod that cannot start. */
export function pendingStatus(pod: Pod, facts: StatusFacts): PodStatus {
  const state: ContainerState = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } };
  return {
    ...common(facts),
    phase: 'Pending',
    podIP: undefined,
    podIPs: undefined,
    conditions: conditions(facts, 'False', 'ContainersNotReady'),
    containerStatuses: sorted(pod).map((c) => status(pod, c, facts, state)),
  };
}

/** The status of a pod whose containers run. */
export function runningStatus(pod: Pod, facts: StatusFacts): PodStatus {
  const state: ContainerState = { running: { startedAt: time(facts.startedAt) } };
  return {
    ...common(facts),
    phase: 'Running',
    conditions: conditions(facts, 'True'),
    ...initStatuses(pod, facts, 'Running'),
    containerStatuses: sorted(pod).map((c) => status(pod, c, facts, state)),
  };
}

/** The status of a pod whose main container failed and waits to be restarted. */
export function restartingStatus(pod: Pod, facts: StatusFacts, end: PodBehaviour): PodStatus {
  const main = mainContainer(pod);
  const waiting: ContainerState = {
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' },
  };
  const others: ContainerState = { running: { startedAt: time(facts.startedAt) } };
  return {
    ...runningStatus(pod, facts),
    conditions: conditions(facts, 'False', 'ContainersNotReady'),
    containerStatuses: sorted(pod).map((c) =>
      c.name === main
        ? { ...status(pod, c, facts, waiting), lastState: terminated(pod, c, facts, end) }
        : status(pod, c, facts, others),
    ),
  };
}

/** The status of a pod whose containers ended, by themselves or, with a cause, because they were ended. */
export function endedStatus(pod: Pod, facts: StatusFacts, end: PodBehaviour, cause?: Cause): PodStatus {
  const failed = cause !== undefined || (end.exitCode ?? 0) !== 0;
  const main = mainContainer(pod);
  const extra = cause?.condition ? [{ ...cause.condition, lastTransitionTime: time(facts.now) }] : [];
  return {
    ...common(facts),
    phase: failed ? 'Failed' : 'Succeeded',
    ...(cause && { reason: cause.reason, message: cause.message }),
    conditions: [...conditions(facts, 'False', failed ? 'PodFailed' : 'PodCompleted'), ...extra],
    ...initStatuses(pod, facts, 'Ended'),
    containerStatuses: sorted(pod).map((c) =>
      status(pod, c, facts, terminated(pod, c, facts, c.name === main || cause ? end : {})),
    ),
  };
}

/** The container that has the exit code and the outputs: the one called `main`, else the first. */
export function mainContainer(pod: Pod): string | undefined {
  const { containers } = pod.spec;
  return (containers.find((container) => container.name === 'main') ?? containers[0])?.name;
}

/** A time as the API writes it. */
export function time(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function common({ podIP, hostIP, acceptedAt }: StatusFacts): PodStatus {
  return { startTime: time(acceptedAt), podIP, podIPs: [{ ip: podIP }], hostIP, hostIPs: [{ ip: hostIP }] };
}

function conditions({ now }: StatusFacts, ready: 'True' | 'False', reason?: string): PodCondition[] {
  const at = { lastTransitionTime: time(now) };
  const over = reason === 'PodCompleted' ? { reason } : {};
  return [
    { type: 'PodReadyToStartContainers', status: ready, ...at },
    { type: 'Initialized', status: 'True', ...over, ...at },
    { type: 'Ready', status: ready, reason, ...at },
    { type: 'ContainersReady', status: ready, reason, ...at },
  ];
}

function initStatuses(
  pod: Pod,
  facts: StatusFacts,
  phase: 'Running' | 'Ended',
): Pick<PodStatus, 'initContainerStatuses'> {
  if (!pod.spec.initContainers?.length) return {};
  const running: ContainerState = { running: { startedAt: time(facts.startedAt) } };
  return {
    initContainerStatuses: pod.spec.initContainers.map((c) => {
      const sidecar = c.restartPolicy === 'Always' && phase === 'Running';
      return {
        ...status(pod, c, facts, sidecar ? running : terminated(pod, c, facts, {})),
        ready: true,
        restartCount: 0,
      };
    }),
  };
}

function status(pod: Pod, container: Container, { restarts }: StatusFacts, state: ContainerState): ContainerStatus {
  const image = container.image ?? 'none';
  return {
    name: container.name,
    image,
    imageID: `sim://${image}`,
    ...(state.waiting ? {} : { containerID: containerId(pod, container) }),
    ready: state.running !== undefined,
    started: state.running !== undefined,
    restartCount: container.name === mainContainer(pod) ? restarts : 0,
    state,
    lastState: {},
  };
}

function terminated(
  pod: Pod,
  container: Container,
  { startedAt, now }: StatusFacts,
  end: PodBehaviour,
): ContainerState {
  const { exitCode = 0, outputs } = end;
  const limit = Math.min(containerMessageBytes, Math.floor(podMessageBytes / pod.spec.containers.length));
  const message =
    container.name === mainContainer(pod) && outputs !== undefined ? tail(outputs).slice(0, limit) : undefined;
  return {
    terminated: {
      exitCode,
      reason: end.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      ...(message !== undefined && { message: message.toString('utf8') }),
      startedAt: time(startedAt),
      finishedAt: time(now),
      containerID: containerId(pod, container),
    },
  };
}

/** The kubelet reports containers by name, not in the order of the spec (pkg/kubelet/kubelet_pods.go). */
function sorted(pod: Pod): Container[] {
  return pod.spec.containers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The kubelet keeps the end of a message that is too long. */
function tail(outputs: string | object): Buffer {
  const bytes = Buffer.from(typeof outputs === 'string' ? outputs : JSON.stringify(outputs));
  return bytes.subarray(Math.max(0, bytes.length - containerMessageBytes));
}

function containerId(pod: Pod, container: Container): string {
  return `sim://${pod.metadata.uid}/${container.name}`;
}
