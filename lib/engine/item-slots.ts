import type { MapStep, TaskStep } from '../graph/graph.ts';
import { itemName, itemTemplate, MAX_ITEMS, parseItemName } from '../graph/items.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import { isFinal } from './phases.ts';
import type { StepPhase, StepRecord } from './record.ts';

/** The items of one map step, and how they stand. */
export interface MapItems {
  /** The map step. */
  readonly map: number;
  /** Index of item 0; the others follow. */
  readonly first: number;
  readonly count: number;
  readonly records: (StepRecord | undefined)[];
  readonly phases: Record<StepPhase, number>;
  /** Items before this one have all left `Pending`. */
  released: number;
}

/**
 * Steps that come into being while the run goes on: one for each item of a map step. Their indexes come after those of the
 * graph and follow from the map and the item alone, whichever map came to run first.
 */
export class ItemSlots {
  readonly #topology: Topology;
  readonly #maps = new Map<number, MapItems>();
  /** What runs the items of a map, but for their names. */
  readonly #templates = new Map<number, Omit<TaskStep, 'name'>>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Makes the items of a map step. */
  add(map: number, count: number): MapItems {
    const { node } = this.#topology.steps[map]!;
    if (node.kind !== 'map') throw new Error(`step ${node.name} has no items`);
    const items: MapItems = {
      map,
      first: this.#topology.steps.length + map * MAX_ITEMS,
      count,
      records: new Array<StepRecord | undefined>(count).fill(undefined),
      phases: { Pending: count, Waiting: 0, Running: 0, Succeeded: 0, Failed: 0, Skipped: 0, Cancelled: 0 },
      released: 0,
    };
    this.#maps.set(map, items);
    return items;
  }

  /** The items of a map step; nothing before it has any. */
  of(map: number): MapItems | undefined {
    return this.#maps.get(map);
  }

  /** The items of all maps, in the order of the graph. */
  all(): MapItems[] {
    return [...this.#maps.values()].sort((a, b) => a.map - b.map);
  }

  /** The map step that an index is of an item of, whether or not there is such an item. */
  mapOf(index: number): number | undefined {
    const graph = this.#topology.steps.length;
    return index < graph ? undefined : Math.floor((index - graph) / MAX_ITEMS);
  }

  /** The items that a step is one of. */
  owner(index: number): MapItems | undefined {
    const map = this.mapOf(index);
    const items = map === undefined ? undefined : this.#maps.get(map);
    return items !== undefined && index - items.first < items.count ? items : undefined;
  }

  step(index: number): TopologyStep {
    const map = this.mapOf(index)!;
    const { node } = this.#topology.steps[map]!;
    const template = this.#templates.get(map) ?? itemTemplate(node as MapStep);
    this.#templates.set(map, template);
    const name = itemName(node.name, index - this.#topology.steps.length - map * MAX_ITEMS);
    return { index, node: { ...template, name }, ...NO_EDGES };
  }

  /** The index of a step that is or may come to be an item of a map. */
  find(name: string): number | undefined {
    const { map, item } = parseItemName(name) ?? {};
    const parent = map === undefined ? undefined : this.#topology.byName.get(map);
    return parent?.node.kind === 'map' ? this.#topology.steps.length + parent.index * MAX_ITEMS + item! : undefined;
  }
}

const NO_EDGES = {
  edges: new Map<never, never>(),
  downstreams: [],
  services: [],
  users: [],
  dependsOn: [],
  dependents: [],
} as const;

/** How many items have come to an end. */
export function itemsDone({ phases }: MapItems): number {
  return (Object.keys(phases) as StepPhase[]).reduce((sum, phase) => sum + (isFinal(phase) ? phases[phase] : 0), 0);
}
