import type { Role, StepNode } from '../graph/graph.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import { EndsWatch } from './ends-watch.ts';
import { endingOf } from './phases.ts';
import type { StepPhase } from './record.ts';

/** The main steps run first, then those for failures, then those that run whatever happened. */
export type Stage = 'main' | Role;

export function stageOf({ role }: StepNode): Stage {
  return role ?? 'main';
}

/** What must have ended before a step is decided: its upstreams, what its `depends` speaks of, and the stages before its own. */
export class Prerequisites {
  readonly #topology: Topology;
  /** Of every step, how many upstreams have not ended; services are none, as they need not end. */
  readonly #openUpstreams: Int32Array;
  /** What steps with a `depends` wait for. */
  readonly #watches = new Map<number, EndsWatch>();
  /** Steps that have not ended, by the stage in which they run. */
  readonly #open: Record<Stage, number> = { main: 0, onFailure: 0, finally: 0 };

  constructor(topology: Topology) {
    this.#topology = topology;
    this.#openUpstreams = Int32Array.from(topology.steps, ({ edges, services }) => edges.size - services.length);
    for (const { index, node } of topology.steps) {
      this.#open[stageOf(node)] += 1;
      if (node.depends !== undefined) this.#watches.set(index, new EndsWatch(node.depends));
    }
  }

  /** How many steps of a stage have not ended. */
  open(stage: Stage): number {
    return this.#open[stage];
  }

  /** Whether what a step's `depends` says holds, once that is decided. */
  holds(index: number): boolean {
    return this.#watches.get(index)?.holds ?? true;
  }

  areMet({ index, node }: TopologyStep): boolean {
    const stage = stageOf(node);
    if (this.#openUpstreams[index] !== 0) return false;
    if (stage !== 'main' && this.#open.main > 0) return false;
    if (stage === 'finally' && this.#open.onFailure > 0) return false;
    const watch = this.#watches.get(index);
    return watch === undefined || watch.holds !== undefined;
  }

  /** Takes in that a step has ended, and gives the steps that this brings nearer to their time. */
  end({ index, node, downstreams, dependents }: TopologyStep, phase: StepPhase): number[] {
    const steps = downstreams.filter((downstream) => !this.#topology.steps[downstream]!.services.includes(index));
    for (const downstream of steps) this.#openUpstreams[downstream]! -= 1;
    for (const dependent of dependents) this.#watches.get(dependent)?.tell(node.name, endingOf(phase)!);
    this.#open[stageOf(node)] -= 1;
    const handlers = this.#open[stageOf(node)] === 0 ? this.#topology.handlers.map((handler) => handler.index) : [];
    return [...steps, ...dependents, ...handlers];
  }
}
