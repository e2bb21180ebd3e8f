import type { ConfigMap } from '../../lib/controller/objects.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { configMaps } from '../../lib/kube/resources.ts';
import { fileVariable } from '../../lib/values/environment.ts';
import type { Pod } from '../cluster/pod.ts';

/** What of a pod says where its files come from. */
interface FilesOfPod {
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts: readonly { readonly name: string; mountPath: string; readonly subPathExpr?: string }[];
    },
  ];
  readonly volumes: readonly {
    readonly name: string;
    readonly projected?: { readonly sources: readonly { readonly configMap: { readonly name: string } }[] };
  }[];
}

/** What a pod of an Indexed Job finds in the file of an input, as a kubelet would put it there. */
export async function itemValueOf(client: KubeClient, { metadata, spec }: Pod, input: string): Promise<string> {
  const { containers, volumes } = spec as unknown as FilesOfPod;
  const [{ env, volumeMounts }] = containers;
  const index = metadata.annotations!['batch.kubernetes.io/job-completion-index']!;
  const path = env.find(({ name }) => name === fileVariable(input))!.value;
  const mount = volumeMounts.find(({ mountPath }) => mountPath === path)!;
  const key = mount.subPathExpr!.replace('$(JOB_COMPLETION_INDEX)', index);
  for (const { configMap } of volumes.find(({ name }) => name === mount.name)!.projected!.sources) {
    const found = await client.get<ConfigMap>(configMaps, configMap.name, { namespace: metadata.namespace });
    if (found.data?.[key] !== undefined) return found.data[key];
  }
  throw new Error(`there is no ${key} in the volume ${mount.name} of ${metadata.name}`);
}
