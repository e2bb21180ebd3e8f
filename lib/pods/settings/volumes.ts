import type { V1ConfigMapVolumeSource } from '@kubernetes/client-node/dist/gen/models/V1ConfigMapVolumeSource.js';
import type { V1PersistentVolumeClaimVolumeSource } from '@kubernetes/client-node/dist/gen/models/V1PersistentVolumeClaimVolumeSource.js';
import type { V1SecretVolumeSource } from '@kubernetes/client-node/dist/gen/models/V1SecretVolumeSource.js';
import type { V1Volume } from '@kubernetes/client-node/dist/gen/models/V1Volume.js';
import type { V1VolumeMount } from '@kubernetes/client-node/dist/gen/models/V1VolumeMount.js';
import type { IConfigMap, IPersistentVolumeClaim, IResource, ISecret } from 'cdk8s-plus-28';
import type { Override, PodTemplateOverride } from '../template.ts';
import { inMain } from './container.ts';
import { isConstruct } from './object-name.ts';

/** Where the content of a volume is. One of them; all sources that Kubernetes knows may be given as it writes them. */
export interface VolumeSource extends Omit<V1Volume, 'name' | 'persistentVolumeClaim' | 'configMap' | 'secret'> {
  /** A claim, by name, as the construct of cdk8s-plus, or as Kubernetes writes it. */
  readonly persistentVolumeClaim?: string | IPersistentVolumeClaim | V1PersistentVolumeClaimVolumeSource;
  /** A ConfigMap whose values are files, in the same ways. */
  readonly configMap?: string | IConfigMap | V1ConfigMapVolumeSource;
  /** A Secret whose values are files, in the same ways. */
  readonly secret?: string | ISecret | V1SecretVolumeSource;
}

/** A volume of the pod and its place in the main container. */
export interface Volume extends VolumeSource, Pick<V1VolumeMount, 'readOnly' | 'subPath' | 'subPathExpr'> {
  /** Where the main container has it. @default nowhere: for other containers only */
  readonly mountPath?: string;
}

export interface VolumeSettings {
  /**
   * Volumes by name, each with its place in the main container. An override changes what it names of one, another source
   * replaces the inherited one, and `null` removes the volume with its place. @default none
   *
   * @example
   * volumes: {
   *   scratch: { mountPath: '/scratch', emptyDir: { sizeLimit: '10Gi' } },
   *   models: { mountPath: '/models', persistentVolumeClaim: 'models', readOnly: true },
   *   keys: { mountPath: '/etc/keys', secret: keys, readOnly: true },
   * }
   */
  readonly volumes?: Readonly<Record<string, Volume | null>>;
}

/** What the settings change of the volumes that they inherit. */
export function volumesFragment(now: VolumeSettings, before: VolumeSettings): PodTemplateOverride | undefined {
  const entries = Object.entries(now.volumes ?? {});
  if (entries.length === 0) return undefined;
  const all = inheritVolumes(now, before);
  const mounts = entries.flatMap(([name, volume]): Override<V1VolumeMount[]> => {
    const old = before.volumes?.[name]?.mountPath;
    const fresh = all[name]?.mountPath;
    return [
      ...(old !== undefined && old !== fresh ? [{ mountPath: old, $patch: 'delete' as const }] : []),
      ...(volume && fresh !== undefined && (old !== fresh || saysOfMount(volume))
        ? [mountOf(name, fresh, volume, old === fresh ? {} : all[name])]
        : []),
    ];
  });
  const { spec } = mounts.length > 0 ? inMain({ volumeMounts: mounts }) : { spec: {} };
  return { spec: { volumes: entries.map(([name, volume]) => volumeOf(name, volume)), ...(spec as object) } };
}

/** The volumes once the settings are merged over what they inherit. */
export function inheritVolumes(now: VolumeSettings, before: VolumeSettings): Record<string, Volume | null> {
  const changed = Object.entries(now.volumes ?? {}).map(([name, volume]) => [
    name,
    volume && { ...before.volumes?.[name], ...volume },
  ]);
  return { ...before.volumes, ...Object.fromEntries(changed) };
}

function saysOfMount({ mountPath, readOnly, subPath, subPathExpr }: Volume): boolean {
  return [mountPath, readOnly, subPath, subPathExpr].some((field) => field !== undefined);
}

function mountOf(name: string, mountPath: string, volume: Volume, all: Volume | null | undefined): V1VolumeMount {
  const { readOnly, subPath, subPathExpr } = { ...all, ...volume };
  return {
    name,
    mountPath,
    ...(readOnly !== undefined && { readOnly }),
    ...(subPath !== undefined && { subPath }),
    ...(subPathExpr !== undefined && { subPathExpr }),
  };
}

function volumeOf(name: string, volume: Volume | null): Override<V1Volume> {
  if (volume === null) return { name, $patch: 'delete' };
  const { mountPath: _, readOnly: __, subPath: ___, subPathExpr: ____, ...source } = volume;
  const { persistentVolumeClaim: claim, configMap, secret, ...others } = source;
  return {
    name,
    ...others,
    ...(claim !== undefined && {
      persistentVolumeClaim: sourceOf<V1PersistentVolumeClaimVolumeSource>(claim, 'claimName'),
    }),
    ...(configMap !== undefined && { configMap: sourceOf<V1ConfigMapVolumeSource>(configMap, 'name') }),
    ...(secret !== undefined && { secret: sourceOf<V1SecretVolumeSource>(secret, 'secretName') }),
  };
}

/** A source as Kubernetes writes it; one that is an object's name is put into its field. */
function sourceOf<Source extends object>(given: string | IResource | Source, field: keyof Source): Source {
  if (typeof given === 'string') return { [field]: given } as Source;
  return isConstruct(given) ? ({ [field]: given.name } as Source) : given;
}
