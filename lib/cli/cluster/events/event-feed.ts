import type { KubeObject } from '../../../kube/objects.ts';
import type { Reflector } from '../../../kube/reflector.ts';
import { events, type Resource } from '../../../kube/resources.ts';
import type { EventObject } from '../../../runs/run-objects.ts';
import { oldestFirst } from './event-view.ts';
import type { Follow } from '../fleet/fleet-watch.ts';
import { ourKinds, OURS_SELECTOR, type OurEvents } from './our-events.ts';

/** Events whose object was not seen yet; of more, the oldest are forgotten. */
const MAX_WAITING = 2000;

/** The wanted events of one cluster: those that there are, in order of time, then each as it comes. */
export class EventFeed {
  readonly #ours: OurEvents;
  readonly #tell: (events: readonly EventObject[]) => void;
  /** Events whose object may yet be seen to be ours. */
  readonly #waiting = new Map<string, EventObject[]>();
  #before: EventObject[] | undefined = [];

  /** @param tell called with one or more events */
  constructor(ours: OurEvents, tell: (events: readonly EventObject[]) => void) {
    this.#ours = ours;
    this.#tell = tell;
  }

  /** Begins to follow. Resolves when those that there are have been told. */
  async begin(follow: Follow, namespace: string | null | undefined): Promise<void> {
    const objects = ourKinds.map((of: Resource) =>
      follow(of, {
        namespace,
        labelSelector: OURS_SELECTOR,
        transform: metadataOnly,
        onChange: (object, previous) => previous ?? this.#seen(object),
      }),
    );
    const happened: Reflector<EventObject> = follow<EventObject>(events, {
      namespace,
      onChange: (event) => this.#take(event),
    });
    await Promise.all([...objects, happened].map((reflector) => reflector.synced()));
    const before = this.#before!;
    this.#before = undefined;
    if (before.length > 0) this.#tell(before.sort(oldestFirst));
  }

  #take(event: EventObject): void {
    const wanted = this.#ours.isWanted(event);
    if (wanted === true) this.#give([event]);
    else if (wanted === undefined) this.#wait(event);
  }

  #give(wanted: readonly EventObject[]): void {
    if (this.#before) this.#before.push(...wanted);
    else this.#tell(wanted);
  }

  #wait(event: EventObject): void {
    const key = this.#ours.keyOf(event);
    const list = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    this.#waiting.set(key, [...list, event]);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING) this.#waiting.delete(oldest!);
  }

  #seen(object: KubeObject): void {
    this.#ours.put(object);
    const key = this.#ours.keyOf({ involvedObject: { kind: object.kind, ...object.metadata } } as EventObject);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    const wanted = waiting.filter((event) => this.#ours.isWanted(event) === true);
    if (wanted.length > 0) this.#give(wanted.sort(oldestFirst));
  }
}

function metadataOnly<T extends KubeObject>({ apiVersion, kind, metadata }: T): T {
  const { name, namespace, uid, resourceVersion, labels } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, labels } } as T;
}
