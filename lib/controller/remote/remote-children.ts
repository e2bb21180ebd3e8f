import { labels } from '../../graph/labels.ts';
import type { RemoteChild } from './remote-watch.ts';
import type { Job } from '../objects.ts';

/** The run of this cluster that one on another belongs to, as labels say it: an owner reference does not reach across clusters. */
export interface Parent {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Whose step a run is that came from another cluster, or is on one; nothing for any other. */
export function parentOf({ metadata }: Job): Parent | undefined {
  const given = metadata.labels ?? {};
  const { [labels.run]: name, [labels.parentNamespace]: namespace, [labels.parentUid]: uid } = given;
  return name === undefined || namespace === undefined || uid === undefined ? undefined : { namespace, name, uid };
}

/** The runs on other clusters that are steps of runs of this one, by the run that they are a step of. */
export class RemoteChildren {
  readonly #byParent = new Map<string, Map<string, RemoteChild>>();
  /** The uid of the run that each is kept by: somebody may change its labels. */
  readonly #parents = new Map<string, string>();

  put(child: RemoteChild): void {
    this.remove(child);
    const uid = parentOf(child.job)?.uid;
    if (uid === undefined) return;
    const siblings = this.#byParent.get(uid) ?? new Map<string, RemoteChild>();
    this.#byParent.set(uid, siblings.set(keyOf(child), child));
    this.#parents.set(keyOf(child), uid);
  }

  remove(child: RemoteChild): void {
    const uid = this.#parents.get(keyOf(child)) ?? '';
    const siblings = this.#byParent.get(uid);
    siblings?.delete(keyOf(child));
    if (siblings?.size === 0) this.#byParent.delete(uid);
    this.#parents.delete(keyOf(child));
  }

  /** Those of a run, by the uid of its Job. */
  of(uid: string): readonly RemoteChild[] {
    return [...(this.#byParent.get(uid)?.values() ?? [])];
  }

  all(): readonly RemoteChild[] {
    return [...this.#byParent.values()].flatMap((siblings) => [...siblings.values()]);
  }
}

const keyOf = ({ cluster, job }: RemoteChild) => `${cluster}/${job.metadata.uid}`;
