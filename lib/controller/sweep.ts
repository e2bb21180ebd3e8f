import { deleteOldVersions, findOldVersions } from './version-sweep.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Now and then, deletes kept results that nobody takes any more, and versions of workflows that nothing uses. Goes on until the
 * signal is aborted; what cannot be deleted is tried again the next time.
 *
 * @param namespaces null means all
 */
export async function sweep(
  context: WorkerContext,
  namespaces: readonly (string | null)[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, timing } = context;
  for (;;) {
    for (const namespace of namespaces)
      try {
        await sweepNamespace(context, namespace, signal);
      } catch (error) {
        if (!signal.aborted) log.warn('What is too old could not be deleted', { namespace, error });
      }
    await clock.sleep(timing.sweepMs, signal);
  }
}

async function sweepNamespace(
  { client, results, clock, log }: WorkerContext,
  namespace: string | null,
  signal: AbortSignal,
): Promise<void> {
  const swept = await results.sweep(namespace, clock.now(), signal);
  if (swept > 0) log.info('Kept results were too old and are deleted', { namespace, swept });
  const { objects, unreadable } = await findOldVersions(client, { namespace, now: clock.now(), signal });
  if (unreadable.length > 0)
    log.warn('No old versions are deleted beside graphs that cannot be read', { graphs: unreadable });
  const gone = await deleteOldVersions(client, objects, signal);
  if (gone.length > 0)
    log.info('Old versions that nothing uses are deleted', { namespace, objects: gone.map(({ name }) => name) });
}
