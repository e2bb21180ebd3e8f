import { KubeError } from '../../lib/kube/errors.ts';
import type { KubeList, KubeObject, WatchEvent } from '../../lib/kube/objects.ts';
import type { ListOptions, WatchOptions } from '../../lib/kube/verbs.ts';
import type { Resource } from '../../lib/kube/resources.ts';

type Change = WatchEvent & { readonly version: number };

/** One watch on a {@link Collection}. */
class Stream {
  readonly #batches: WatchEvent[][] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  push(events: WatchEvent[]): void {
    this.#batches.push(structuredClone(events));
    this.#wake.resolve();
  }

  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake.resolve();
  }

  async *read(): AsyncGenerator<WatchEvent[], void, undefined> {
    for (;;) {
      const batch = this.#batches.shift();
      if (batch) yield batch;
      else if (this.#end?.error) throw this.#end.error;
      else if (this.#end) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }
}

/** A collection as an API server keeps it: versions, a limited memory of changes, and watches that can be broken. */
export class Collection {
  readonly objects = new Map<string, KubeObject>();
  readonly streams = new Set<Stream>();
  readonly lists: ListOptions[] = [];
  readonly watches: WatchOptions[] = [];
  /** Errors for the next requests, one each; undefined lets one pass. */
  readonly faults: unknown[] = [];
  version = 1;
  #history: Change[] = [];
  #forgotten = 1;
  #uid = 0;

  set(name: string, data: string): void {
    const known = this.objects.get(name);
    this.version++;
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'n',
        uid: known?.metadata.uid ?? `u${this.#uid++}`,
        resourceVersion: String(this.version),
      },
      data,
    };
    this.objects.set(name, object);
    this.#tell({ type: known ? 'MODIFIED' : 'ADDED', object, version: this.version });
  }

  delete(name: string): void {
    const known = this.objects.get(name);
    if (!known) return;
    this.version++;
    this.objects.delete(name);
    const metadata = { ...known.metadata, resourceVersion: String(this.version) };
    this.#tell({ type: 'DELETED', object: { ...known, metadata }, version: this.version });
  }

  /** Forgets all changes, as compaction does. */
  compact(): void {
    this.#history = [];
    this.#forgotten = this.version;
  }

  bookmark(): void {
    const metadata = { name: '', resourceVersion: String(this.version) };
    for (const stream of this.streams) {
      stream.push([{ type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } }]);
    }
  }

  /** Ends all watches, with an error or as after their time. */
  breakStreams(error?: unknown): void {
    for (const stream of this.streams) stream.end(error);
    this.streams.clear();
  }

  /** Sends an ERROR event, as for a version that was compacted while the watch was behind. */
  sendGone(): void {
    for (const stream of this.streams) {
      stream.push([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }]);
    }
    this.breakStreams();
  }

  /** What a reflector needs of a client. */
  readonly client = {
    list: async <T extends KubeObject>(_: Resource, options: ListOptions = {}): Promise<KubeList<T>> => {
      this.lists.push(options);
      this.#fault();
      const names = [...this.objects.keys()].toSorted();
      const [asOf = String(this.version), after = ''] = options.continue?.split('/') ?? [];
      if (options.continue && Number(asOf) < this.#forgotten) throw gone();
      const rest = names.filter((name) => name > after);
      const page = options.limit ? rest.slice(0, options.limit) : rest;
      const more = page.length < rest.length;
      return {
        apiVersion: 'v1',
        kind: 'ConfigMapList',
        metadata: { resourceVersion: asOf, ...(more && { continue: `${asOf}/${page.at(-1)}` }) },
        items: structuredClone(page.map((name) => this.objects.get(name))) as T[],
      };
    },
    watch: async <T extends KubeObject>(
      _: Resource,
      options: WatchOptions,
    ): Promise<AsyncIterable<WatchEvent<T>[]>> => {
      this.watches.push(options);
      this.#fault();
      const since = Number(options.resourceVersion);
      if (since < this.#forgotten) throw gone();
      const stream = new Stream();
      this.streams.add(stream);
      for (const { type, object, version } of this.#history) {
        if (version > since) stream.push([{ type, object } as WatchEvent]);
      }
      options.signal?.addEventListener('abort', () => {
        this.streams.delete(stream);
        stream.end(options.signal?.reason);
      });
      return stream.read() as AsyncIterable<WatchEvent<T>[]>;
    },
  };

  #fault(): void {
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
  }

  #tell(change: Change): void {
    this.#history.push(change);
    const { type, object } = change;
    for (const stream of this.streams) stream.push([{ type, object } as WatchEvent]);
  }
}

/** The answer to a watch or a page whose version is too old. */
export function gone(): KubeError {
  return new KubeError({ kind: 'Status', code: 410, reason: 'Expired' }, { verb: 'watch', object: 'configmaps' });
}
