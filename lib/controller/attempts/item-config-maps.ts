import { itemValues, type Lists } from '../../engine/item-values.ts';
import type { IndexedItems } from '../../engine/advance.ts';
import { CONTENT_ITEMS, labels } from '../../graph/labels.ts';
import { attemptNameOf, itemsConfigMapName } from '../../graph/object-names.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import type { NewObject } from '../../kube/objects.ts';
import { configMaps } from '../../kube/resources.ts';
import { itemKey } from '../../pods/indexed-template.ts';
import { encodeValue } from '../../values/environment.ts';
import { attemptLabels, ownerReference, type AttemptPlan } from './attempt-object.ts';
import { isOwnedBy, type ConfigMap, type Job } from '../objects.ts';
import type { RunClient } from '../worker-context.ts';

/** Well below what a ConfigMap, and with its keys an object of etcd, may have. (pkg/apis/core/validation: 1 MiB; etcd: 1.5 MiB) */
const MOST_BYTES = 768 * 1024;
const MOST_KEYS = 2_000;

/** The values of the items of an attempt in as many ConfigMaps as they need. They go with the run. */
export function itemConfigMaps(plan: AttemptPlan, { lists, count }: IndexedItems): readonly NewObject[] {
  const { run, mode, step, attempt } = plan;
  const name = attemptNameOf(run.metadata, step, attempt);
  return blocksOf(lists, count).map((data, number) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: itemsConfigMapName(name, number),
      namespace: run.metadata.namespace,
      labels: { ...attemptLabels(plan), [labels.content]: CONTENT_ITEMS },
      ownerReferences: [ownerReference(run, mode)],
    },
    data,
  }));
}

function blocksOf(lists: Lists, count: number): Record<string, string>[] {
  const blocks: Record<string, string>[] = [];
  let [bytes, keys] = [Infinity, 0];
  for (let item = 0; item < count; item++)
    for (const [input, value] of Object.entries(itemValues(lists, item))) {
      const text = encodeValue(value);
      const size = Buffer.byteLength(text);
      if (bytes + size > MOST_BYTES || keys === MOST_KEYS) {
        blocks.push({});
        [bytes, keys] = [0, 0];
      }
      blocks.at(-1)![itemKey(input, item)] = text;
      bytes += size;
      keys += 1;
    }
  return blocks;
}

/**
 * Creates them. One that is there already has the same values: they follow from the run, which may have been interrupted.
 *
 * @throws Error when one of them is still there of a run of the same name that was deleted
 */
export async function createItems(
  client: RunClient,
  run: Job,
  objects: readonly NewObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects) {
    const { name = '', namespace } = object.metadata ?? {};
    try {
      await client.create(configMaps, object, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const found = await client.get<ConfigMap>(configMaps, name, { namespace, signal });
      if (!isOwnedBy(found, run.metadata.uid!))
        throw new Error(`waits until ConfigMap ${name}, which is not of this run, is gone`, { cause: error });
    }
  }
}
