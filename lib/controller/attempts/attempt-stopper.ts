import { annotations, type CancelMode } from '../../graph/labels.ts';
import { isConflict, isInvalid, isNotFound } from '../../kube/errors.ts';
import { jobs, pods } from '../../kube/resources.ts';
import { isJob, objectOf, resourceOf, type AttemptEntry } from './attempt-entry.ts';
import { isFinished, type Job, type Pod } from '../objects.ts';
import { backoffMs, type RunClient, type WorkerContext } from '../worker-context.ts';

/**
 * Ends the attempts of one run. A pod on a node gets a deadline of one second, by which the kubelet ends it and keeps it
 * with its logs; the deadline may be lowered in a running pod. (pkg/apis/core/validation: ValidatePodUpdate,
 * pkg/kubelet/active_deadline.go) A pod without a node has no kubelet to do so, and no logs, and is deleted. So is a Job
 * that is suspended: it has no pods, and its deadline counts only from when it is resumed. A run of its own is cancelled.
 */
export class AttemptStopper {
  readonly #context: WorkerContext;
  /** The run's Job as last seen. */
  readonly #run: () => Job;
  readonly #signal: AbortSignal;
  /** The object turned out to be gone. */
  readonly #gone: (entry: AttemptEntry) => void;

  constructor(context: WorkerContext, run: () => Job, gone: (entry: AttemptEntry) => void, signal: AbortSignal) {
    this.#context = context;
    this.#run = run;
    this.#gone = gone;
    this.#signal = signal;
  }

  /** Goes on until the API server has taken note of the wish. Rejects only when the signal is aborted. */
  async stop(entry: AttemptEntry): Promise<void> {
    const { clock, log, timing } = this.#context;
    for (let failures = 1; ; failures++) {
      const object = objectOf(entry);
      if (object === undefined || hasEnded(object)) return;
      try {
        return await this.#request(entry, object);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isNotFound(error)) return this.#gone(entry);
        log.debug('An attempt could not be stopped', { object: entry.name, error });
        // It changed under us, or a deadline that is shorter yet stands in the pod already: look again.
        if (isConflict(error) || isInvalid(error)) await this.#look(entry);
      }
      await clock.sleep(backoffMs(failures, timing.maxBackoffMs), this.#signal).catch(() => undefined);
      this.#signal.throwIfAborted();
    }
  }

  async #request(entry: AttemptEntry, object: Pod | Job): Promise<void> {
    const { client } = entry.place!;
    const { name, namespace, uid, resourceVersion } = object.metadata;
    if (entry.step.kind === 'run' && !isIdleDriver(object as Job)) return this.#cancel(client, object as Job);
    const onNode = !isJob(entry.step) && (object as Pod).spec?.nodeName !== undefined;
    if (isJob(entry.step) && (object as Job).spec?.suspend === true) {
      const options = {
        namespace,
        uid,
        resourceVersion,
        propagationPolicy: 'Background',
        signal: this.#signal,
      } as const;
      await client.delete(jobs, name, options);
    } else if (isJob(entry.step) || onNode) {
      // The uid keeps the patch from a later object of the same name.
      const patch = { metadata: { uid }, spec: { activeDeadlineSeconds: 1 } };
      const options = { type: 'merge', namespace, signal: this.#signal, repeatable: true } as const;
      await client.patch(onNode ? pods : jobs, name, patch, options);
    } else {
      await client.delete(pods, name, { namespace, uid, resourceVersion, signal: this.#signal });
    }
  }

  /** A run ends in good order, by whoever sequences it; at once only if all of the run around it is to. */
  async #cancel(client: RunClient, { metadata: { name, namespace, uid } }: Job): Promise<void> {
    const now: CancelMode = 'Now';
    const mode: CancelMode = this.#run().metadata.annotations?.[annotations.cancel] === now ? now : 'RunFinally';
    const patch = { metadata: { uid, annotations: { [annotations.cancel]: mode } } };
    const options = { type: 'merge', namespace, signal: this.#signal, repeatable: true } as const;
    await client.patch(jobs, name, patch, options);
  }

  async #look(entry: AttemptEntry): Promise<void> {
    const known = objectOf(entry)!;
    const { name, namespace, uid } = known.metadata;
    try {
      const options = { namespace, signal: this.#signal };
      const found = await entry.place!.client.get<Pod & Job>(resourceOf(entry.step), name, options);
      if (found.metadata.uid !== uid) return this.#gone(entry);
      if (isJob(entry.step)) entry.job = found;
      else entry.pod = found;
    } catch (error) {
      if (isNotFound(error)) this.#gone(entry);
    }
  }
}

/** Whether a run waits for a driver that does not exist while its Job is suspended, and so hears nothing. */
function isIdleDriver({ spec, status }: Job): boolean {
  return spec?.managedBy === undefined && spec?.suspend === true && status?.active !== 1;
}

function hasEnded(object: Pod | Job): boolean {
  if (object.kind === 'Job') return isFinished(object as Job);
  const phase = (object as Pod).status?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}
