import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { V1VolumeMount } from '@kubernetes/client-node/dist/gen/models/V1VolumeMount.js';
import type { Override, PodTemplateOverride } from '../template.ts';
import { containerFields, type ContainerSettings } from './container.ts';

/** A place of a volume in a container. */
export interface Mount extends Omit<V1VolumeMount, 'mountPath' | 'name'> {
  /** Name of the volume. */
  readonly volume: string;
}

/** A container beside the main one. It has none of the main one's settings: no environment, no mounts, no resources. */
export interface Companion
  extends
    ContainerSettings,
    Pick<
      Override<V1Container>,
      'lifecycle' | 'livenessProbe' | 'ports' | 'readinessProbe' | 'startupProbe' | 'workingDir'
    > {
  /** Volumes of the pod by the path at which the container has them; `null` removes one. @default none */
  readonly mounts?: Readonly<Record<string, string | Mount | null>>;
}

export interface CompanionSettings {
  /**
   * Containers that run from before the main one starts until after it has ended, by name: Kubernetes' native sidecars.
   * The step ends when the main container does; they are then told to end. `null` removes an inherited one. @default none
   *
   * @example
   * sidecars: {
   *   proxy: { image: 'acme/cloud-sql-proxy:2', args: ['--port', '5432'], startupProbe: { tcpSocket: { port: 5432 } } },
   * }
   */
  readonly sidecars?: Readonly<Record<string, Companion | null>>;
  /**
   * Containers that run to their end before the main one starts, by name, one after the other and after the sidecars
   * have started. `null` removes an inherited one. @default none
   *
   * @example
   * initContainers: { fetch: { image: 'busybox:1.36', command: ['cp', '/models/base', '/data'], mounts: { '/data': 'data' } } }
   */
  readonly initContainers?: Readonly<Record<string, Companion | null>>;
}

export function companions({ sidecars = {}, initContainers = {} }: CompanionSettings): PodTemplateOverride | undefined {
  const containers = [
    // (kep-753: a container that is started before others and restarted is a sidecar, and does not keep its pod alive)
    ...Object.entries(sidecars).map(([name, companion]) => companionOf(name, companion, { restartPolicy: 'Always' })),
    ...Object.entries(initContainers).map(([name, companion]) => companionOf(name, companion, {})),
  ];
  return containers.length > 0 ? { spec: { initContainers: containers } } : undefined;
}

function companionOf(name: string, companion: Companion | null, kind: Override<V1Container>): Override<V1Container> {
  if (companion === null) return { name, $patch: 'delete' };
  const { image, imagePullPolicy, command, args, env, envFrom, resources, securityContext, mounts, ...others } =
    companion;
  return {
    name,
    ...kind,
    ...containerFields({ image, imagePullPolicy, command, args, env, envFrom, resources, securityContext }),
    ...(mounts && { volumeMounts: Object.entries(mounts).map(([path, mount]) => mountOf(path, mount)) }),
    ...others,
  };
}

function mountOf(mountPath: string, mount: string | Mount | null): Override<V1VolumeMount> {
  if (mount === null) return { mountPath, $patch: 'delete' };
  if (typeof mount === 'string') return { mountPath, name: mount };
  const { volume, ...others } = mount;
  return { mountPath, name: volume, ...others };
}
