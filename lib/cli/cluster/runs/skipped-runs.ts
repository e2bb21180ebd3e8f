import { kickoffText } from '../../../graph/kickoff.ts';
import { CONTENT_PLAN, labels } from '../../../graph/labels.ts';
import { decodePlanRecord, KEPT_SKIPS, PLAN_RECORD_KEY, type SkippedRun } from '../../../graph/plan-record.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isForbidden } from '../../../kube/errors.ts';
import { keyOf, type KubeObject } from '../../../kube/objects.ts';
import { eachObject } from '../../../kube/pages.ts';
import { configMaps, cronJobs, type Resource } from '../../../kube/resources.ts';
import { PLAN_SELECTOR } from '../../../runs/run-kinds.ts';
import type { ConfigMapObject, PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { skippedByKubernetes } from './kubernetes-skips.ts';
import type { ListedRun } from './runs-view.ts';

/** What tells, beside the Jobs, which runs plans skipped. To those who may not read some of it there is none. */
export interface SkipSources {
  /** Of plans: what the controller skipped. */
  readonly records: Iterable<ConfigMapObject>;
  /** What Kubernetes skipped follows from them. */
  readonly plans: Iterable<PlanCronJob>;
}

/**
 * How each of them is found.
 *
 * @param chosen label selectors of the plans
 */
export function skipSelectors(chosen: readonly string[]): { readonly [Source in keyof SkipSources]: string } {
  return {
    records: [`${labels.content}=${CONTENT_PLAN}`, ...chosen].join(),
    plans: [PLAN_SELECTOR, labels.plan, ...chosen].join(),
  };
}

/** Reads them, from one list each. */
export async function readSkipSources(
  client: KubeClient,
  namespace: string | null | undefined,
  chosen: readonly string[],
): Promise<SkipSources> {
  const selectors = skipSelectors(chosen);
  const all = async <T extends KubeObject>(of: Resource, labelSelector: string) => {
    const found: T[] = [];
    try {
      for await (const object of eachObject<T>(client, of, { namespace, labelSelector })) found.push(object);
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
    return found;
  };
  const [records, plans] = await Promise.all([
    all<ConfigMapObject>(configMaps, selectors.records),
    all<PlanCronJob>(cronJobs, selectors.plans),
  ]);
  return { records, plans };
}

/** The last runs that each plan skipped. Of one that is there all the same, since a backfill made it, nothing is said. */
export function skippedRuns(
  { records, plans }: SkipSources,
  jobs: Iterable<RunJob>,
  now: number,
): readonly ListedRun[] {
  const there = new Set<string>();
  const owned = new Map<string, RunJob[]>();
  for (const job of jobs) {
    there.add(keyOf(job));
    const owner = job.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
    if (owner !== undefined) owned.set(owner, [...(owned.get(owner) ?? []), job]);
  }
  const told = new Map<string, { readonly of: KubeObject['metadata']; readonly skipped: Map<string, SkippedRun> }>();
  const put = ({ metadata }: KubeObject, runs: readonly SkippedRun[]) => {
    const key = `${metadata.namespace}/${metadata.labels?.[labels.plan]}`;
    const { skipped } = told.get(key) ?? told.set(key, { of: metadata, skipped: new Map() }).get(key)!;
    for (const run of runs) if (!there.has(`${metadata.namespace}/${run.name}`)) skipped.set(run.name, run);
  };
  for (const plan of plans) put(plan, skippedByKubernetes(plan, owned.get(plan.metadata.uid ?? '') ?? [], now));
  for (const record of records) put(record, decodePlanRecord(record.data?.[PLAN_RECORD_KEY]).skipped);
  return [...told.values()].flatMap(({ of, skipped }) =>
    [...skipped.values()]
      .sort((a, b) => a.time - b.time)
      .slice(-KEPT_SKIPS)
      .map((run) => rowOf(of, run)),
  );
}

function rowOf({ namespace = '', labels: given = {} }: KubeObject['metadata'], run: SkippedRun): ListedRun {
  const { name, time, reason, message } = run;
  const { [labels.plan]: plan, [labels.workflow]: workflow } = given;
  return { name, namespace, plan, workflow, phase: 'Skipped', reason, message, createdAt: kickoffText(time) };
}
