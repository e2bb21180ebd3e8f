import { decodeRecord } from '../../engine/codec.ts';
import { readRecordData } from '../../engine/record-data.ts';
import type { RunRecord } from '../../engine/record.ts';
import { recordName } from '../../graph/object-names.ts';
import { isForbidden, isRetryable, isUnauthorized } from '../../kube/errors.ts';
import { configMaps } from '../../kube/resources.ts';
import { isOwnedBy, type ConfigMap, type Job } from '../objects.ts';
import { backoffMs, type WorkerContext } from '../worker-context.ts';

/** The record of another run; nothing when it is gone, not its own, or cannot be read. Waits for an API server that does not answer. */
export async function readRecordOf(
  { client, clock, timing, log }: Pick<WorkerContext, 'client' | 'clock' | 'timing' | 'log'>,
  { metadata: { name, namespace, uid } }: Job,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  for (let failures = 1; ; failures++) {
    try {
      const found = await client.get<ConfigMap>(configMaps, recordName(name), { namespace, signal });
      if (!isOwnedBy(found, uid!)) return undefined;
      const decoded = decodeRecord(readRecordData(found.data ?? {}));
      return 'problems' in decoded ? undefined : decoded.record;
    } catch (error) {
      signal.throwIfAborted();
      // What the reader may not do is for its administrator to mend: no fault of the run.
      if (!isRetryable(error) && !isForbidden(error) && !isUnauthorized(error)) return undefined;
      log.debug('The record of a run could not be read', { run: name, error });
      await clock.sleep(backoffMs(failures, timing.maxBackoffMs), signal);
    }
  }
}
