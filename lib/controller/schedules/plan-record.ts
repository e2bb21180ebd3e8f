import { CONTENT_PLAN, labels, MANAGED_BY } from '../../graph/labels.ts';
import { planRecordName } from '../../graph/object-names.ts';
import {
  decodePlanRecord,
  encodePlanRecord,
  PLAN_RECORD_KEY,
  withSkipped,
  type PlanRecord,
  type SkippedRun,
} from '../../graph/plan-record.ts';
import type { Clock } from '../../kube/clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.ts';
import { keyOf, type KubeObject } from '../../kube/objects.ts';
import { configMaps } from '../../kube/resources.ts';
import type { Logger } from '../log.ts';
import { isOwnedBy, type ConfigMap } from '../objects.ts';
import type { RunClient } from '../worker-context.ts';

/** What {@link PlanRecords} act through. */
export interface PlanRecordOptions {
  readonly client: RunClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is skipped within so many milliseconds is written by one request. */
const GAP_MS = 1_000;

/** Somebody else wrote in between, which is rare. */
const TRIES = 5;

/** The records of plans, each in a ConfigMap that goes with its plan. */
export class PlanRecords {
  readonly #options: PlanRecordOptions;
  readonly #stop = new AbortController();
  /** Skipped runs that are to be written, by plan. */
  readonly #skipped = new Map<string, SkippedRun[]>();

  constructor(options: PlanRecordOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stop.abort(new DOMException('the controller stops', 'AbortError'));
  }

  async read(plan: KubeObject): Promise<PlanRecord> {
    return decodePlanRecord((await this.#find(plan))?.data?.[PLAN_RECORD_KEY]);
  }

  /** Writes the record as it is then. What others wrote meanwhile is changed, too, and not lost. */
  async change(plan: KubeObject, change: (record: PlanRecord) => PlanRecord): Promise<void> {
    for (let tries = 1; ; tries++)
      try {
        return await this.#write(plan, await this.#find(plan), change);
      } catch (error) {
        if (tries === TRIES || !(isConflict(error) || isAlreadyExists(error))) throw error;
      }
  }

  /** Notes that a run was skipped. Nothing waits for it. */
  skipped(plan: KubeObject, run: SkippedRun): void {
    // A run that somebody made in the name of a plan has none to remember it.
    if (plan.metadata.uid === undefined) return;
    const key = keyOf(plan);
    const waiting = this.#skipped.get(key);
    if (waiting !== undefined) return void waiting.push(run);
    this.#skipped.set(key, [run]);
    void this.#writeSkipped(key, plan);
  }

  async #writeSkipped(key: string, plan: KubeObject): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await clock.sleep(GAP_MS, this.#stop.signal);
      const runs = this.#skipped.get(key) ?? [];
      this.#skipped.delete(key);
      await this.change(plan, (record) => withSkipped(record, runs));
    } catch (error) {
      this.#skipped.delete(key);
      if (!this.#stop.signal.aborted) log.warn('It could not be noted that runs were skipped', { plan: key, error });
    }
  }

  async #find({ metadata: { name, namespace, uid } }: KubeObject): Promise<ConfigMap | undefined> {
    const options = { namespace, signal: this.#stop.signal };
    const found = await this.#options.client
      .get<ConfigMap>(configMaps, planRecordName(name), options)
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    // One of a plan of the same name that was deleted goes soon.
    if (found !== undefined && !isOwnedBy(found, uid!))
      throw new Error(`waits until ConfigMap ${found.metadata.name} of another plan is gone`);
    return found;
  }

  async #write(
    plan: KubeObject,
    found: ConfigMap | undefined,
    change: (record: PlanRecord) => PlanRecord,
  ): Promise<void> {
    const { client } = this.#options;
    const { signal } = this.#stop;
    const { name, namespace, uid, labels: given = {} } = plan.metadata;
    const data = { [PLAN_RECORD_KEY]: encodePlanRecord(change(decodePlanRecord(found?.data?.[PLAN_RECORD_KEY]))) };
    if (found !== undefined) {
      const patch = { metadata: { resourceVersion: found.metadata.resourceVersion }, data };
      await client.patch(configMaps, found.metadata.name, patch, { type: 'merge', namespace, signal });
      return;
    }
    const own = [labels.workflow, labels.group].flatMap((key) => (key in given ? [[key, given[key]!] as const] : []));
    const metadata = {
      name: planRecordName(name),
      namespace,
      labels: {
        [labels.managedBy]: MANAGED_BY,
        [labels.content]: CONTENT_PLAN,
        [labels.plan]: name,
        ...Object.fromEntries(own),
      },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: uid!, controller: false }],
    };
    await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, { signal });
  }
}
