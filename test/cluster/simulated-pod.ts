import { type Api, ApiError } from './api.ts';
import { type Behaviour, behaviourOf, type PodBehaviour } from './behaviour.ts';
import { type Pod, podPath, type PodStatus, isTerminal } from './pod.ts';
import {
  type Cause,
  endedStatus,
  pendingStatus,
  restartingStatus,
  runningStatus,
  type StatusFacts,
} from './pod-status.ts';

/** What a simulated pod needs of its node. */
export interface PodHost {
  readonly api: Api;
  readonly behaviour: Behaviour | undefined;
  readonly podIP: string;
  readonly hostIP: string;
  /** Aborted when the node stops or is lost: the pod then writes nothing more. */
  readonly signal: AbortSignal;
}

const restartDelayMs = 1_000;

/** The life of one pod on a simulated node, as a kubelet would live it. */
export class SimulatedPod {
  readonly #host: PodHost;
  readonly #firstSeen = new Date();
  readonly #timers = new Map<'step' | 'deadline' | 'termination', NodeJS.Timeout>();
  #pod: Pod;
  #behaviour: PodBehaviour = {};
  #startedAt = new Date();
  #restarts = 0;
  #ended: boolean;
  #queue: Promise<void> = Promise.resolve();

  constructor(pod: Pod, host: PodHost) {
    this.#pod = pod;
    this.#host = host;
    this.#ended = isTerminal(pod);
    if (!this.#ended) void this.#do(() => this.#accept());
    this.#watchDeadline();
    this.#watchDeletion();
  }

  /** The newest version of the pod that was seen. */
  get pod(): Pod {
    return this.#pod;
  }

  /** What the main container has logged so far. */
  get log(): string {
    return this.#behaviour.log ?? '';
  }

  /** Whether its containers have ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes notice of a newer version of the pod. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (isTerminal(pod)) this.#ended = true;
    this.#watchDeadline();
    this.#watchDeletion();
  }

  /** Forgets the pod: it is gone, or its node is. */
  close(): void {
    this.#ended = true;
    this.#clear();
  }

  /** Ends the containers now, with this result or, with a cause, by force. Does nothing if they have ended. */
  async end(result: PodBehaviour, cause?: Cause): Promise<void> {
    await this.#do(() => this.#end(result, cause));
  }

  async #accept(): Promise<void> {
    this.#behaviour = await behaviourOf(this.#pod, this.#host.behaviour);
    const { startMs = 0, stuck } = this.#behaviour;
    if (this.#ended || this.#pod.metadata.deletionTimestamp) return;
    if (stuck === 'Pending') return this.#write(pendingStatus(this.#pod, this.#facts()));
    if (startMs === 0) return this.#run();
    this.#after('step', startMs, () => this.#run());
  }

  async #run(): Promise<void> {
    if (this.#ended || this.#pod.metadata.deletionTimestamp) return;
    this.#startedAt = new Date();
    const { runMs = 0, stuck } = this.#behaviour;
    if (runMs === 0 && stuck === undefined) return this.#exit();
    await this.#write(runningStatus(this.#pod, this.#facts()));
    if (stuck !== 'Running') this.#after('step', runMs, () => this.#exit());
  }

  async #exit(): Promise<void> {
    if (this.#ended) return;
    const { restartPolicy } = this.#pod.spec;
    const again = restartPolicy === 'OnFailure' ? (this.#behaviour.exitCode ?? 0) !== 0 : restartPolicy !== 'Never';
    if (!again) return this.#end(this.#behaviour);
    this.#restarts += 1;
    await this.#write(restartingStatus(this.#pod, this.#facts(), this.#behaviour));
    this.#after('step', restartDelayMs, () => this.#accept());
  }

  async #end(result: PodBehaviour, cause?: Cause): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#clear('step', 'deadline');
    await this.#write(endedStatus(this.#pod, this.#facts(), result, cause));
  }

  #watchDeadline(): void {
    const { activeDeadlineSeconds } = this.#pod.spec;
    this.#clear('deadline');
    if (this.#ended || activeDeadlineSeconds === undefined) return;
    const start = this.#pod.status?.startTime;
    const since = start === undefined ? this.#firstSeen : new Date(start);
    const left = Math.max(0, since.getTime() + activeDeadlineSeconds * 1000 - Date.now());
    const message = 'Pod was active on the node longer than the specified deadline';
    // Node fires a timer at once that is further away than this.
    if (left > 2 ** 31 - 1) return;
    this.#after('deadline', left, () => this.#end({ exitCode: 137 }, { reason: 'DeadlineExceeded', message }));
  }

  #watchDeletion(): void {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, uid } = this.#pod.metadata;
    if (deletionTimestamp === undefined || this.#timers.has('termination')) return;
    const { terminationMs = 0 } = this.#behaviour;
    this.#after(
      'termination',
      this.#ended ? 0 : Math.min(terminationMs, deletionGracePeriodSeconds * 1000),
      async () => {
        if (this.#behaviour.stuck === 'Terminating') return;
        if (!this.#ended) {
          this.#ended = true;
          this.#clear('step', 'deadline');
          await this.#write(endedStatus(this.#pod, this.#facts(), { exitCode: 143 }));
        }
        await this.#send(() =>
          this.#host.api.delete(podPath(this.#pod), { gracePeriodSeconds: 0, preconditions: { uid } }),
        );
      },
    );
  }

  #facts(): StatusFacts {
    const { hostIP } = this.#host;
    // A pod that was there before this node has an address and a start already.
    const { podIP = this.#host.podIP, startTime } = this.#pod.status ?? {};
    const acceptedAt = startTime === undefined ? this.#firstSeen : new Date(startTime);
    return { podIP, hostIP, acceptedAt, startedAt: this.#startedAt, now: new Date(), restarts: this.#restarts };
  }

  #write(status: PodStatus): Promise<void> {
    const { uid } = this.#pod.metadata;
    return this.#send(() => this.#host.api.patch(`${podPath(this.#pod)}/status`, { metadata: { uid }, status }));
  }

  /** Sends until the API server answers. A pod that is gone, or is another one by now, is no concern of ours. */
  async #send(request: () => Promise<unknown>): Promise<void> {
    for (let wait = 50; !this.#host.signal.aborted; wait = Math.min(wait * 2, 1_000)) {
      try {
        await request();
        return;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Puts an action behind those that are under way, so that statuses are written in order. */
  #do(action: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue
      .then(() => (this.#host.signal.aborted ? undefined : action()))
      .catch((error: unknown) => console.error(`simulated pod ${this.#pod.metadata.name}:`, error));
    return this.#queue;
  }

  #after(timer: 'step' | 'deadline' | 'termination', ms: number, action: () => Promise<void>): void {
    this.#clear(timer);
    this.#timers.set(
      timer,
      setTimeout(() => void this.#do(action), ms),
    );
  }

  #clear(...timers: ('step' | 'deadline' | 'termination')[]): void {
    for (const timer of timers.length > 0 ? timers : this.#timers.keys()) {
      clearTimeout(this.#timers.get(timer));
      this.#timers.delete(timer);
    }
  }
}
