import type { ClientOptions, KubeconfigOptions } from './client-options.ts';
import { Connection, type RequestOptions } from './connection.ts';
import { Credentials } from './credentials.ts';
import { selectContext, serverOf, withAuthority, type KubeContext } from './context.ts';
import type { RequestSubject } from './errors.ts';
import { loadKubeconfig, systemSources } from './kubeconfig.ts';
import type { KubeList, KubeObject, NewObject, ObjectMeta, WatchEvent } from './objects.ts';
import { pathOf } from './path.ts';
import { apiVersionOf, pods, type Resource } from './resources.ts';
import { defaultRetryPolicy, systemEnvironment } from './retry.ts';
import { Transport, type HttpRequest } from './transport.ts';
import {
  callOf,
  namesVersion,
  writeQueryOf,
  type CallOptions,
  type CreateOptions,
  type DeleteOptions,
  type ListOptions,
  type LogOptions,
  type PatchOptions,
  type ReplaceOptions,
  type WatchOptions,
} from './verbs.ts';
import { watchEvents } from './watch-stream.ts';

const patchTypes: Record<PatchOptions['type'], string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  // JSON is YAML; the API server takes apply patches of this type only.
  apply: 'application/apply-patch+yaml',
};

/** A server that does not even answer to a connection within this is not there. */
const MAX_CONNECT_MS = 10_000;

/**
 * A client of one API server. Objects go in and come out as the JSON they are, with every field they have.
 *
 * Every method rejects with a {@link KubeError} when the server refuses, a {@link ConnectionError} when it does not answer,
 * and the signal's reason when it is aborted. Requests are tried again as `retry.ts` says.
 *
 * @example
 * const client = await KubeClient.fromKubeconfig();
 * const pod = await client.get(pods, 'web', { namespace: 'shop' });
 */
export class KubeClient {
  /** The namespace of namespaced objects when no other is given. */
  readonly namespace: string;
  readonly server: string;
  /** The name of the context; `in-cluster` in a pod. */
  readonly context: string;
  readonly #connection: Connection;

  private constructor(context: KubeContext, connection: Connection, namespace: string) {
    this.context = context.name;
    this.server = context.cluster.server;
    this.namespace = namespace;
    this.#connection = connection;
  }

  /**
   * A client for a context of the kubeconfig.
   *
   * @throws KubeconfigError when there is none, or it lacks something
   */
  static async fromKubeconfig(options: KubeconfigOptions = {}): Promise<KubeClient> {
    const sources = options.credentials?.sources ?? systemSources;
    const config = await loadKubeconfig(options.kubeconfig, sources);
    return KubeClient.fromContext(await selectContext(config, options.context, sources), options);
  }

  /** A client for a context that was already picked. */
  static async fromContext(picked: KubeContext, options: ClientOptions = {}): Promise<KubeClient> {
    const context = await withAuthority(picked, options.credentials?.sources);
    const { cluster } = context;
    const authority = cluster['certificate-authority-data'];
    const transport = await Transport.open({
      server: serverOf(context),
      ...(authority && { ca: Buffer.from(authority, 'base64').toString() }),
      ...(cluster['tls-server-name'] && { tlsServerName: cluster['tls-server-name'] }),
      skipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
      ...(cluster['proxy-url'] && { proxyUrl: cluster['proxy-url'] }),
      env: options.credentials?.sources?.env ?? process.env,
      connections: options.connections,
      ...(options.timeoutMs && { connectTimeoutMs: Math.min(options.timeoutMs, MAX_CONNECT_MS) }),
    });
    const connection = new Connection({
      server: cluster.server,
      transport,
      credentials: new Credentials(context, options.credentials),
      userAgent: options.userAgent ?? 'cdk8s-workflows',
      timeoutMs: options.timeoutMs ?? 30_000,
      retry: { ...defaultRetryPolicy, ...options.retry },
      environment: options.environment ?? systemEnvironment,
      onWarning: options.onWarning,
    });
    return new KubeClient(context, connection, options.namespace ?? context.namespace ?? 'default');
  }

  /** Reads one object. */
  get<T extends KubeObject = KubeObject>(of: Resource, name: string, options: CallOptions = {}): Promise<T> {
    const [path, subject] = this.#target('get', of, options.namespace, name, options.subresource);
    return this.request<T>('GET', path, { ...callOf(options), subject });
  }

  /** Reads one page of a collection. Without `limit` the page is the whole. */
  async list<T extends KubeObject = KubeObject>(of: Resource, options: ListOptions = {}): Promise<KubeList<T>> {
    const { labelSelector, fieldSelector, limit, resourceVersion } = options;
    const [path, subject] = this.#target('list', of, options.namespace);
    const query = { labelSelector, fieldSelector, limit, resourceVersion, continue: options.continue };
    const list = await this.request<KubeList<T>>('GET', path, { ...callOf(options), query, subject });
    // Items of a list come without these two, unlike the same objects from get and watch.
    const own = { apiVersion: apiVersionOf(of), kind: of.kind };
    return { ...list, items: (list.items ?? []).map((item) => ({ ...own, ...item })) };
  }

  /** Creates an object. With a `name`, AlreadyExists may mean that an earlier try of this very call was heard: adopt it. */
  create<T extends KubeObject = KubeObject>(
    of: Resource,
    object: T | NewObject,
    options: CreateOptions = {},
  ): Promise<T> {
    const { name, namespace = this.namespace, generateName = '' }: Partial<ObjectMeta> = object.metadata ?? {};
    const [path] = this.#target('create', of, options.namespace ?? namespace);
    const [, subject] = this.#target('create', of, options.namespace ?? namespace, name ?? `${generateName}*`);
    return this.request<T>('POST', path, {
      ...callOf(options),
      query: writeQueryOf(options),
      body: object,
      repeatable: name !== undefined,
      subject,
    });
  }

  /** Writes a whole object. With its `resourceVersion` only if nobody else wrote since. */
  replace<T extends KubeObject = KubeObject>(of: Resource, object: T, options: ReplaceOptions = {}): Promise<T> {
    const { name, namespace, resourceVersion } = object.metadata;
    const [path, subject] = this.#target('replace', of, options.namespace ?? namespace, name, options.subresource);
    return this.request<T>('PUT', path, {
      ...callOf(options),
      query: writeQueryOf(options),
      body: object,
      repeatable: resourceVersion !== undefined,
      subject,
    });
  }

  /** Changes part of an object. `apply` creates it if need be. */
  patch<T extends KubeObject = KubeObject>(
    of: Resource,
    name: string,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const verb = options.type === 'apply' ? 'apply' : 'patch';
    const [path, subject] = this.#target(verb, of, options.namespace, name, options.subresource);
    const apply = options.type === 'apply';
    return this.request<T>('PATCH', path, {
      ...callOf(options),
      query: {
        ...writeQueryOf({ ...options, fieldManager: options.fieldManager ?? (apply ? 'cdk8s-workflows' : undefined) }),
        force: options.force,
      },
      body: patch,
      contentType: patchTypes[options.type],
      repeatable: options.repeatable ?? (apply || namesVersion(patch)),
      subject,
    });
  }

  /** Deletes an object; with `uid` only that one and no later one of the same name. */
  async delete(of: Resource, name: string, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, dryRun } = options;
    const [path, subject] = this.#target('delete', of, options.namespace, name);
    await this.request('DELETE', path, {
      ...callOf(options),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: uid || resourceVersion ? { uid, resourceVersion } : undefined,
        propagationPolicy,
        gracePeriodSeconds,
        dryRun: dryRun ? ['All'] : undefined,
      },
      repeatable: uid !== undefined,
      subject,
    });
  }

  /**
   * Watches a collection from a version on. The stream ends after some minutes, or when the server likes: go on from the
   * last version seen. {@link Reflector} does all that.
   */
  async watch<T extends KubeObject = KubeObject>(
    of: Resource,
    options: WatchOptions,
  ): Promise<AsyncIterable<WatchEvent<T>[]>> {
    const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds, bookmarks = true } = options;
    const [path, subject] = this.#target('watch', of, options.namespace);
    const query = {
      watch: true,
      allowWatchBookmarks: bookmarks,
      labelSelector,
      fieldSelector,
      resourceVersion,
      timeoutSeconds,
    };
    return watchEvents<T>(await this.#connection.stream('GET', path, { ...callOf(options), query, subject }));
  }

  /** The log of a container, as it comes. Stop reading, or abort, to end it. */
  log(namespace: string, pod: string, options: LogOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    // The headers of a followed log come with its first bytes, which may be hours away.
    const { signal, timeoutMs = options.follow ? 0 : undefined, ...query } = options;
    const path = pathOf(pods, { namespace, name: pod, subresource: 'log' });
    const subject = { verb: 'read the log of', object: `pod ${namespace}/${pod}` };
    return this.#connection.stream('GET', path, { query, signal, timeoutMs, subject });
  }

  /** Any other request; `path` begins with a slash. */
  request<T = unknown>(method: HttpRequest['method'], path: string, options: RequestOptions = {}): Promise<T> {
    return this.#connection.json<T>(method, path, options);
  }

  /** The version of the server, such as gitVersion `v1.34.4`. */
  version(
    options: Pick<CallOptions, 'signal' | 'timeoutMs'> = {},
  ): Promise<{ major: string; minor: string; gitVersion: string }> {
    return this.request('GET', '/version', { ...options, subject: { verb: 'read', object: 'the version' } });
  }

  /** Whether the server says that it is ready to work; rejects with what it answers when it is not. */
  async ready(options: Pick<CallOptions, 'signal' | 'timeoutMs'> = {}): Promise<void> {
    const subject = { verb: 'read', object: 'the readiness of the API server' };
    for await (const _ of await this.#connection.stream('GET', '/readyz', { ...options, subject }));
  }

  /** Waits for the requests under way, breaks watches and logs, and ends all connections. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #target(
    verb: string,
    of: Resource,
    namespace: string | null | undefined,
    name?: string,
    subresource?: string,
  ): [string, RequestSubject] {
    const within = of.namespaced && namespace !== null ? (namespace ?? this.namespace) : undefined;
    const path = pathOf(of, { namespace: within, name, subresource });
    const part = subresource ? `${subresource} of ` : '';
    if (name !== undefined) return [path, { verb, object: `${part}${of.kind} ${within ? `${within}/` : ''}${name}` }];
    const where = !of.namespaced ? '' : within ? ` in namespace ${within}` : ' in all namespaces';
    return [path, { verb, object: `${of.plural}${where}` }];
  }
}
