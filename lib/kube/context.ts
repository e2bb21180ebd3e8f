import { join } from 'node:path';
import { KubeconfigError } from './errors.ts';
import {
  systemSources,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigSources,
  type KubeconfigUser,
} from './kubeconfig.ts';

/** A context with what it refers to. */
export interface KubeContext {
  readonly name: string;
  readonly clusterName: string;
  readonly cluster: KubeconfigCluster;
  readonly userName: string;
  readonly user: KubeconfigUser;
  readonly namespace?: string;
}

/** The directory every pod has its service account in. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Picks a context, by default the current one; within a pod and without any kubeconfig, the pod's service account.
 *
 * @throws KubeconfigError that names the contexts there are
 */
export async function selectContext(
  config: Kubeconfig,
  name?: string,
  sources: KubeconfigSources = systemSources,
): Promise<KubeContext> {
  const wanted = name ?? config.currentContext;
  if (wanted === undefined) {
    const pod = config.contexts.size === 0 ? await inClusterContext(sources) : undefined;
    if (pod) return pod;
    throw new KubeconfigError(
      config.files.length > 0
        ? `${config.files.join(', ')} has no current context: choose one of ${namesOf(config.contexts)}`
        : 'There is no kubeconfig ($KUBECONFIG, ~/.kube/config), and this is not a pod with a service account',
    );
  }
  const context = config.contexts.get(wanted);
  if (!context) {
    throw new KubeconfigError(`There is no context ${JSON.stringify(wanted)}: there is ${namesOf(config.contexts)}`);
  }
  const cluster = config.clusters.get(context.cluster);
  if (!cluster?.server) {
    throw new KubeconfigError(`The context ${wanted} needs the cluster ${context.cluster}, which has no server`);
  }
  const user = context.user ? config.users.get(context.user) : {};
  if (!user) throw new KubeconfigError(`The context ${wanted} needs the user ${context.user}, which is not there`);
  return {
    name: wanted,
    clusterName: context.cluster,
    cluster,
    userName: context.user ?? '',
    user,
    ...(context.namespace && { namespace: context.namespace }),
  };
}

function namesOf(map: ReadonlyMap<string, unknown>): string {
  return map.size === 0 ? 'none' : [...map.keys()].toSorted().join(', ');
}

/** A pod's own service account. The kubelet renews its token, so the file is read again and again. */
async function inClusterContext({ env, readFile }: KubeconfigSources): Promise<KubeContext | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  const tokenFile = join(serviceAccountDirectory, 'token');
  if (!host || !port || (await readFile(tokenFile)) === undefined) return undefined;
  const namespace = (await readFile(join(serviceAccountDirectory, 'namespace')))?.trim();
  return {
    name: 'in-cluster',
    clusterName: 'in-cluster',
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(serviceAccountDirectory, 'ca.crt'),
    },
    userName: 'service-account',
    user: { tokenFile },
    ...(namespace && { namespace }),
  };
}

/** The address of the context's server. Without a scheme it is http, as for kubectl. */
export function serverOf({ name, cluster: { server } }: KubeContext): URL {
  const url = URL.parse(server.includes('://') ? server : `http://${server}`);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new KubeconfigError(
      `The server ${JSON.stringify(server)} of the context ${name} is no http or https address`,
    );
  }
  return url;
}

/** The context with its certificate authority read from its file. */
export async function withAuthority(
  context: KubeContext,
  { readFile }: KubeconfigSources = systemSources,
): Promise<KubeContext> {
  const file = context.cluster['certificate-authority'];
  if (!file || context.cluster['certificate-authority-data']) return context;
  const pem = await readFile(file);
  if (pem === undefined) throw new KubeconfigError(`The context ${context.name} names ${file}, which is not there`);
  const data = Buffer.from(pem).toString('base64');
  return { ...context, cluster: { ...context.cluster, 'certificate-authority-data': data } };
}
