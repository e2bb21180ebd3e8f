import { labels } from '../graph/labels.ts';
import { keyOf } from '../kube/objects.ts';
import type { Job, Pod } from './objects.ts';

/** The Pods and Jobs of steps by the run they are labelled with, so that a run finds its own without looking at all. */
export class StepIndex {
  readonly #runs = new Map<string, Map<string, Pod | Job>>();

  /** Notes an object; gives the key of its run. */
  put(object: Pod | Job): string | undefined {
    const run = runKeyOf(object);
    if (run === undefined) return undefined;
    let objects = this.#runs.get(run);
    if (!objects) this.#runs.set(run, (objects = new Map()));
    objects.set(nameOf(object), object);
    return run;
  }

  /** Forgets an object; gives the key of its run. */
  remove(object: Pod | Job): string | undefined {
    const run = runKeyOf(object);
    const objects = run === undefined ? undefined : this.#runs.get(run);
    objects?.delete(nameOf(object));
    if (objects?.size === 0) this.#runs.delete(run!);
    return run;
  }

  /** What there is of a run, by its key `namespace/name`. */
  of(run: string): readonly (Pod | Job)[] {
    return [...(this.#runs.get(run)?.values() ?? [])];
  }
}

const nameOf = ({ kind, metadata }: Pod | Job) => `${kind}/${metadata.name}`;

function runKeyOf({ metadata }: Pod | Job): string | undefined {
  const { namespace } = metadata;
  const name = metadata.labels?.[labels.run];
  return name === undefined ? undefined : keyOf({ metadata: { name, ...(namespace !== undefined && { namespace }) } });
}
