import { itemName, itemTemplate, parseItemName } from '../graph/items.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import { isFinal } from './phases.ts';
import type { StepPhase } from './record.ts';

/** The items of one map step, and how they stand. */
export interface MapItems {
  /** The map step. */
  readonly map: number;
  /** Index of item 0; the others follow. */
  readonly first: number;
  readonly count: number;
  readonly phases: Record<StepPhase, number>;
  /** Items before this one have all left `Pending`. */
  released: number;
}

/** Steps that came into being while the run went on: one for each item of a map step, with indexes after those of the graph. */
export class ItemSlots {
  readonly #topology: Topology;
  readonly #steps: TopologyStep[] = [];
  readonly #owners: MapItems[] = [];
  readonly #maps = new Map<number, MapItems>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Makes the items of a map step. */
  add(map: number, count: number): MapItems {
    const { node } = this.#topology.steps[map]!;
    if (node.kind !== 'map') throw new Error(`step ${node.name} has no items`);
    const items: MapItems = {
      map,
      first: this.#topology.steps.length + this.#steps.length,
      count,
      phases: { Pending: count, Waiting: 0, Running: 0, Succeeded: 0, Failed: 0, Skipped: 0, Cancelled: 0 },
      released: 0,
    };
    this.#maps.set(map, items);
    const template = itemTemplate(node);
    for (let item = 0; item < count; item++) {
      const step = { ...template, name: itemName(node.name, item) };
      this.#steps.push({ index: items.first + item, node: step, ...NO_EDGES });
      this.#owners.push(items);
    }
    return items;
  }

  /** The items of a map step; nothing before it has any. */
  of(map: number): MapItems | undefined {
    return this.#maps.get(map);
  }

  all(): Iterable<MapItems> {
    return this.#maps.values();
  }

  step(index: number): TopologyStep {
    return this.#steps[index - this.#topology.steps.length]!;
  }

  /** The map that a step is an item of. */
  owner(index: number): MapItems | undefined {
    return this.#owners[index - this.#topology.steps.length];
  }

  find(name: string): number | undefined {
    const { map, item } = parseItemName(name) ?? {};
    const parent = map === undefined ? undefined : this.#topology.byName.get(map);
    const items = parent && this.#maps.get(parent.index);
    return items !== undefined && item! < items.count ? items.first + item! : undefined;
  }
}

const NO_EDGES = { edges: new Map<never, never>(), downstreams: [], dependsOn: [], dependents: [] } as const;

/** How many items have come to an end. */
export function itemsDone({ phases }: MapItems): number {
  return (Object.keys(phases) as StepPhase[]).reduce((sum, phase) => sum + (isFinal(phase) ? phases[phase] : 0), 0);
}
