import { KubeClient } from '../../../kube/client.ts';
import { selectContext, serverOf, type KubeContext } from '../../../kube/context.ts';
import { KubeconfigError } from '../../../kube/errors.ts';
import { loadKubeconfig } from '../../../kube/kubeconfig.ts';

/** How the cluster of a directory is reached. */
export interface TargetConnection {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  /** @default false */
  readonly allowInsecure?: boolean;
}

/**
 * A client of the cluster that a directory is meant for.
 *
 * @throws KubeconfigError when there is no such context, or it is insecure and that was not allowed
 */
export async function connectTarget({
  kubeconfig,
  context,
  namespace,
  allowInsecure,
}: TargetConnection): Promise<KubeClient> {
  const picked = await selectContext(await loadKubeconfig(kubeconfig), context);
  const insecure = allowInsecure === true ? undefined : insecurity(picked);
  if (insecure !== undefined) {
    throw new KubeconfigError(
      `The context ${picked.name} ${insecure}, so that anybody on the way may read and change what is sent; ` +
        'mend the kubeconfig, or give --allow-insecure',
    );
  }
  // A cluster that is gone is told within seconds: people wait, and so does the report on the other clusters.
  return KubeClient.fromContext(picked, { namespace, retry: { maxElapsedMs: 8_000 } });
}

function insecurity(context: KubeContext): string | undefined {
  if (context.cluster['insecure-skip-tls-verify'] === true) return 'does not check the certificate of its server';
  return serverOf(context).protocol === 'http:' ? 'reaches its server without TLS' : undefined;
}
