import {
  hasItems,
  type ContainerStep,
  type IndexedMapStep,
  type MapStep,
  type RunStep,
  type TaskStep,
} from './graph.ts';
import type { Topology } from './topology.ts';

/** Most items of one map step. */
export const MAX_ITEMS = 10_000;

/** Of the number of an item in names. */
export const MAX_ITEM_DIGITS = String(MAX_ITEMS - 1).length;

/** The name of the step that runs an item, counted from 0: `score-17`. */
export function itemName(map: string, item: number): string {
  return `${map}-${item}`;
}

/** The map step and the item of a step of that name, if it can be one. */
export function parseItemName(name: string): { readonly map: string; readonly item: number } | undefined {
  const [, map, item] = /^(.+)-(0|[1-9]\d{0,3})$/.exec(name) ?? [];
  return map === undefined ? undefined : { map, item: Number(item) };
}

/** What runs the items of a map, but for the name. */
export function itemTemplate(map: MapStep): Omit<TaskStep, 'name'> {
  const { template, task, inputs, itemOutputs, role, runAs, job, pod, spot } = map;
  const { retries, systemRetries, pendingTimeoutSeconds, attemptTimeoutSeconds, locks, cache } = map;
  return defined({
    kind: 'task',
    task,
    template,
    inputs,
    outputs: itemOutputs,
    role,
    runAs,
    job,
    pod,
    spot,
    retries,
    systemRetries,
    pendingTimeoutSeconds,
    attemptTimeoutSeconds,
    locks,
    cache,
  } as const);
}

function defined<T extends object>(fields: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** The step of that name which runs a container: one of the graph, or an item of a map step. */
export function findTask({ byName }: Pick<Topology, 'byName'>, name: string): ContainerStep | undefined {
  const own = byName.get(name)?.node;
  if (own?.kind === 'task' || own?.kind === 'service') return own;
  const { map, item } = parseItemName(name) ?? {};
  const node = map === undefined ? undefined : byName.get(map)?.node;
  return node?.kind === 'map' ? { ...itemTemplate(node), name: itemName(node.name, item!) } : undefined;
}

/** A step that has attempts. */
export type AttemptedStep = ContainerStep | IndexedMapStep | RunStep;

/** The step of that name which has attempts: one that runs a task, or is a run of its own. */
export function findAttempted(topology: Pick<Topology, 'byName'>, name: string): AttemptedStep | undefined {
  const own = topology.byName.get(name)?.node;
  return own?.kind === 'run' || own?.kind === 'indexedMap' ? own : findTask(topology, name);
}

/** The map of that kind and the number of its item, of a name that only an item can have. */
export function findItem({ byName }: Pick<Topology, 'byName'>, name: string) {
  const { map = '', item = 0 } = byName.has(name) ? {} : (parseItemName(name) ?? {});
  const node = byName.get(map)?.node;
  return node !== undefined && hasItems(node) ? { map: node, item } : undefined;
}

/** The step of the graph that a step belongs to: itself, or the map step that it is an item of. */
export function graphStepName({ byName }: Pick<Topology, 'byName'>, name: string): string {
  return byName.has(name) ? name : (parseItemName(name)?.map ?? name);
}

/** How many items must succeed for the map to. */
export function requiredSuccesses(
  { minSuccesses, minSuccessRatio }: Pick<MapStep, 'minSuccesses' | 'minSuccessRatio'>,
  count: number,
): number {
  if (minSuccesses !== undefined) return Math.min(minSuccesses, count);
  return minSuccessRatio === undefined ? count : Math.ceil(minSuccessRatio * count);
}
