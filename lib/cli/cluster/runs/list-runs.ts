import type { KubeClient } from '../../../kube/client.ts';
import { jobs } from '../../../kube/resources.ts';
import { isRunJob } from '../../../runs/run-kinds.ts';
import type { RunJob } from '../../../runs/run-objects.ts';
import { summaryOf } from '../../../runs/run-summary.ts';
import type { ListedRun } from './runs-view.ts';
import { readSkipSources, skippedRuns } from './skipped-runs.ts';

/** Which Jobs are looked at. */
export interface RunSelection {
  readonly namespace?: string | null;
  readonly labelSelector: string;
  /** The part of it that says of which plans. */
  readonly chosen: readonly string[];
}

/** The runs that there are, and the last that plans skipped. */
export async function listRuns(client: KubeClient, select: RunSelection): Promise<readonly ListedRun[]> {
  const { namespace, labelSelector, chosen } = select;
  const [{ items }, sources] = await Promise.all([
    client.list<RunJob>(jobs, { namespace, labelSelector }),
    readSkipSources(client, namespace, chosen),
  ]);
  return [...items.filter(isRunJob).map(summaryOf), ...skippedRuns(sources, items, Date.now())];
}
