import { annotations, type CancelMode } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import type { Logger } from '../log.ts';
import { isFinished, type Job } from '../objects.ts';
import { parentOf, type Parent } from './remote-children.ts';
import type { RemoteChild } from './remote-watch.ts';

/** What {@link endLeftovers} works with. */
export interface LeftoverOptions {
  /** Of the cluster of the runs. */
  readonly client: KubeClient;
  /** Whose runs are looked after; null means all. */
  readonly namespaces: readonly string[] | null;
  /** A client of another cluster, by its name. */
  readonly clientOf: (cluster: string) => KubeClient | undefined;
  /** The Job of a run of this cluster as the watch has it. */
  readonly runOf: (parent: Parent) => Job | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Whether a run on another cluster is that of a step that may be waiting for it. */
export function isAtWork({ job }: RemoteChild, runOf: LeftoverOptions['runOf']): boolean {
  const parent = parentOf(job);
  const run = parent && runOf(parent);
  return run !== undefined && !isFinished(run);
}

/**
 * Sees to it that nothing goes on on other clusters whose run is gone or over: no owner reference reaches across clusters.
 * What cannot be ended now is left for the next time.
 */
export async function endLeftovers(children: readonly RemoteChild[], options: LeftoverOptions): Promise<void> {
  for (const child of children)
    try {
      if (!isAtWork(child, options.runOf)) await endLeftover(child, options);
    } catch (error) {
      if (options.signal.aborted) return;
      const { cluster, job } = child;
      options.log.warn('A run on another cluster could not be ended', { cluster, run: job.metadata.name, error });
    }
}

/** Deletes what has lost its run, and cancels what goes on after the end of its run. */
async function endLeftover({ cluster, job }: RemoteChild, options: LeftoverOptions): Promise<void> {
  const { clientOf, runOf, namespaces, signal, log } = options;
  const [parent, client] = [parentOf(job), clientOf(cluster)];
  // Other controllers of this cluster see to the runs of other namespaces.
  if (parent === undefined || client === undefined || namespaces?.includes(parent.namespace) === false) return;
  // The watch may be behind; only the API server itself can say that a run is no more.
  const run = runOf(parent) ?? (await readRun(parent, options));
  const { name, namespace, uid } = job.metadata;
  if (run === undefined) {
    log.info('A run on another cluster goes with the run that it was a step of', { cluster, run: name });
    const deletion = { namespace, uid, propagationPolicy: 'Background', signal } as const;
    await client.delete(jobs, name, deletion).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  } else if (isFinished(run) && !isFinished(job) && job.metadata.annotations?.[annotations.cancel] === undefined) {
    log.info('A run on another cluster outlived the run that it was a step of', { cluster, run: name });
    const cancel: CancelMode = 'RunFinally';
    const patch = { metadata: { uid, annotations: { [annotations.cancel]: cancel } } };
    await client.patch(jobs, name, patch, { type: 'merge', namespace, signal, repeatable: true });
  }
}

async function readRun(
  { name, namespace, uid }: Parent,
  { client, signal }: LeftoverOptions,
): Promise<Job | undefined> {
  try {
    const found = await client.get<Job>(jobs, name, { namespace, signal });
    return found.metadata.uid === uid ? found : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
