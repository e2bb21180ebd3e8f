import type { Topology, TopologyStep } from '../graph/topology.ts';
import { isFinal } from './phases.ts';
import type { StepRecord } from './record.ts';

/** Whether a service is up: it was seen to be ready, and its end was neither seen nor asked for since. */
export function isUp({ reason }: StepRecord): boolean {
  return reason === 'ServiceReady';
}

/** Which services of a run are up, and which are still needed. It follows from the records of steps; an event costs what it changes. */
export class Services {
  /** Services with a live attempt. */
  readonly live = new Set<number>();
  /** Steps that wait since a service that they need is down. */
  readonly held = new Set<number>();
  /** By step: how many of its services are neither up nor over. */
  readonly #lacking: Int32Array;
  /** By service: how many of the steps that need it have not ended. */
  readonly #open: Int32Array;
  /** By service: how many of them run. */
  readonly #running: Int32Array;
  #came = true;

  constructor({ steps }: Topology) {
    this.#lacking = Int32Array.from(steps, ({ services }) => services.length);
    this.#open = Int32Array.from(steps, ({ users }) => users.length);
    this.#running = new Int32Array(steps.length);
  }

  /** Whether a step needs a service that is neither up nor over. */
  lacks(index: number): boolean {
    return this.#lacking[index] !== 0;
  }

  /** Whether a service has a step that needs it; in a run that is `ending` that is one that runs, since no other comes to. */
  isNeeded(service: number, ending: boolean): boolean {
    return (ending ? this.#running : this.#open)[service] !== 0;
  }

  /** Whether a service has come up or ended since this was asked. */
  takeNews(): boolean {
    const came = this.#came;
    this.#came = false;
    return came;
  }

  /** Takes in the new record of a step of the graph. */
  follow({ index, node, services, users }: TopologyStep, before: StepRecord, after: StepRecord): void {
    for (const service of services) {
      this.#open[service]! -= Number(isFinal(after.phase)) - Number(isFinal(before.phase));
      this.#running[service]! += Number(after.phase === 'Running') - Number(before.phase === 'Running');
    }
    if (node.kind !== 'service') return;
    if (after.phase === 'Running') this.live.add(index);
    else this.live.delete(index);
    const change = Number(isGiven(after)) - Number(isGiven(before));
    for (const user of change === 0 ? [] : users) this.#lacking[user]! -= change;
    this.#came ||= change > 0;
  }
}

/** Whether nobody waits for it: it is up, or will not be any more. */
function isGiven(record: StepRecord): boolean {
  return isUp(record) || isFinal(record.phase);
}
