import { KubeClient } from '../../kube/client.ts';
import { selectContext } from '../../kube/context.ts';
import { KubeconfigError } from '../../kube/errors.ts';
import { loadKubeconfig } from '../../kube/kubeconfig.ts';
import type { RemoteCluster } from './remote-watch.ts';

/** How another cluster is reached that steps may have their runs on. */
export interface RemoteAccess {
  /** As graphs name it. */
  readonly name: string;
  /** Path of its kubeconfig. */
  readonly kubeconfig: string;
  /** @default the current context of that file */
  readonly context?: string;
  /** Where the runs are there. @default in the namespace of that name in which the run around it is here */
  readonly namespace?: string;
}

/**
 * A client for each of them. Nothing is asked of the clusters themselves: one that cannot be reached keeps up nobody.
 *
 * @throws KubeconfigError when a file or context is not there
 */
export function openRemoteClusters(
  accesses: readonly RemoteAccess[],
  onWarning: (warning: string) => void,
): Promise<readonly RemoteCluster[]> {
  return Promise.all(
    accesses.map(async ({ name, kubeconfig, context, namespace }) => {
      const config = await loadKubeconfig(kubeconfig);
      // Without any context it would be the service account of this pod, which is for this cluster.
      if (config.contexts.size === 0)
        throw new KubeconfigError(`The kubeconfig ${kubeconfig} of cluster ${name} has no context`);
      const picked = await selectContext(config, context);
      const client = await KubeClient.fromContext(picked, { userAgent: 'cdk8s-workflows/controller', onWarning });
      return { name, client, ...(namespace !== undefined && { namespace }) };
    }),
  );
}
