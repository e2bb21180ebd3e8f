import { findAttempted, graphStepName } from '../../graph/items.ts';
import { attemptNameOf } from '../../graph/object-names.ts';
import type { Topology } from '../../graph/topology.ts';
import { keyOf, keyOfObject, lostTime, type AttemptEntry } from './attempt-entry.ts';
import { placeOf } from './attempt-place.ts';
import type { Job, Pod } from '../objects.ts';
import type { WorkerContext } from '../worker-context.ts';

/** The attempts of one run that have not ended, or of which nobody knows yet. */
export class AttemptTable implements Iterable<AttemptEntry> {
  readonly #topology: Topology;
  readonly #run: () => Job;
  readonly #context: WorkerContext;
  readonly #entries = new Map<string, AttemptEntry>();

  constructor(topology: Topology, run: () => Job, context: WorkerContext) {
    this.#topology = topology;
    this.#run = run;
    this.#context = context;
  }

  /** Ends at what there is now. */
  [Symbol.iterator](): Iterator<AttemptEntry> {
    return [...this.#entries.values()].values();
  }

  /** An attempt of a step, known or new; nothing when the graph has no such step. */
  of(stepName: string, attempt: number): AttemptEntry | undefined {
    const key = `${stepName}/${attempt}`;
    const known = this.#entries.get(key);
    if (known) return known;
    const step = findAttempted(this.#topology, stepName);
    if (!step) return undefined;
    const run = this.#run();
    const entry: AttemptEntry = {
      step,
      graphStep: graphStepName(this.#topology, stepName),
      attempt,
      name: attemptNameOf(run.metadata, step, attempt),
      place: placeOf(step, run, this.#context),
      begun: false,
      created: false,
      heardAt: 0,
      wake: new AbortController(),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** The attempt that an object is by its labels, known or new. */
  ofObject(object: Pod | Job): AttemptEntry | undefined {
    const key = keyOfObject(object);
    return key && this.of(...key);
  }

  /** The attempt that an object is by its labels, if it is known. */
  knownObject(object: Pod | Job): AttemptEntry | undefined {
    return this.#entries.get(keyOfObject(object)?.join('/') ?? '');
  }

  /** An attempt has ended. */
  drop(entry: AttemptEntry): void {
    this.#entries.delete(keyOf(entry));
  }

  /** When a pod that does not go away must be looked at again. */
  get lookAgainAt(): number | undefined {
    let earliest = Infinity;
    for (const entry of this.#entries.values()) earliest = Math.min(earliest, lostTime(entry));
    return earliest === Infinity ? undefined : earliest;
  }
}
