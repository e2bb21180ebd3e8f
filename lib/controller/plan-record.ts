import { CONTENT_PLAN, labels, MANAGED_BY } from '../graph/labels.ts';
import { planRecordName } from '../graph/object-names.ts';
import { isNotFound } from '../kube/errors.ts';
import { configMaps } from '../kube/resources.ts';
import { isJsonObject } from '../values/json.ts';
import { isOwnedBy, type ConfigMap } from './objects.ts';
import type { PlanObject } from './planned-run.ts';
import type { RunClient } from './worker-context.ts';

/** What the controller must remember of a plan, which none of its runs can tell once they are deleted. */
export interface PlanRecord {
  /** Up to when its times are dealt with, in milliseconds since the epoch. */
  readonly through: number;
  /** The schedule that those were times of. */
  readonly schedule: string;
}

/** The ConfigMap that keeps it. It goes with the plan. */
export class PlanRecordStore {
  readonly #client: RunClient;

  constructor(client: RunClient) {
    this.#client = client;
  }

  /** What is written, with what to write it by: nobody else's writing in between is lost. */
  async read(plan: PlanObject, signal: AbortSignal): Promise<{ record?: PlanRecord; version?: string }> {
    const { name, namespace, uid } = plan.metadata;
    try {
      const found = await this.#client.get<ConfigMap>(configMaps, planRecordName(name), { namespace, signal });
      // One of a plan of the same name that was deleted goes soon.
      if (!isOwnedBy(found, uid!))
        throw new Error(`waits until ConfigMap ${found.metadata.name} of another plan is gone`);
      const record = decode(found.data?.record);
      return { ...(record && { record }), version: found.metadata.resourceVersion! };
    } catch (error) {
      if (isNotFound(error)) return {};
      throw error;
    }
  }

  /** @throws KubeError when it was written since it was read */
  async write(plan: PlanObject, record: PlanRecord, version: string | undefined, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid, labels: given = {} } = plan.metadata;
    const data = { record: JSON.stringify({ ...record, through: new Date(record.through).toISOString() }) };
    const place = { namespace, signal };
    const id = planRecordName(name);
    if (version !== undefined) {
      const patch = { metadata: { resourceVersion: version }, data };
      await this.#client.patch(configMaps, id, patch, { ...place, type: 'merge' });
      return;
    }
    const { [labels.group]: group } = given;
    await this.#client.create(
      configMaps,
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: id,
          namespace,
          labels: {
            [labels.managedBy]: MANAGED_BY,
            [labels.content]: CONTENT_PLAN,
            [labels.plan]: name,
            ...(group !== undefined && { [labels.group]: group }),
          },
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: uid!, controller: false }],
        },
        data,
      },
      { signal },
    );
  }
}

function decode(text: string | undefined): PlanRecord | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (!isJsonObject(value) || typeof value.schedule !== 'string' || typeof value.through !== 'string') return;
    const through = Date.parse(value.through);
    return Number.isNaN(through) ? undefined : { through, schedule: value.schedule };
  } catch {
    return undefined;
  }
}
