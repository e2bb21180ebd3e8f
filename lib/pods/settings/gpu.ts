import type { V1Toleration } from '@kubernetes/client-node/dist/gen/models/V1Toleration.js';
import type { PodTemplateOverride } from '../template.ts';
import { inMain, type ContainerSettings } from './container.ts';
import { quantity } from './resources.ts';
import { changeTolerations, type PlacementSettings } from './placement.ts';

// NVIDIA: k8s-device-plugin and GPU feature discovery. AMD: k8s-device-plugin and its node labeller (-product-name).
// Intel: intel-device-plugins-for-kubernetes, gpu_plugin, with its rules for node feature discovery.
const vendors = {
  nvidia: { resource: 'nvidia.com/gpu', label: 'nvidia.com/gpu.product' },
  amd: { resource: 'amd.com/gpu', label: 'amd.com/gpu.product-name' },
  intel: { resource: 'gpu.intel.com/i915', label: 'gpu.intel.com/product' },
} as const;

/** Graphics processors. An override changes what it names of them. */
export interface Gpu {
  /** Whose; decides the defaults of the fields below. @default 'nvidia' */
  readonly vendor?: keyof typeof vendors;
  /** Which product, as the nodes' label has it. @default any */
  readonly model?: string | null;
  /** How many, whole. @default 1 */
  readonly count?: number;
  /** The node label that names the product. @default that of the vendor's node labeller, such as `nvidia.com/gpu.product` */
  readonly label?: string;
  /** The resource that is counted, such as `nvidia.com/mig-1g.10gb`. @default the vendor's, such as `nvidia.com/gpu` */
  readonly resource?: string;
  /** Lets the pod onto nodes with the taint that keeps others away. @default the vendor's resource as key, `NoSchedule`; `null` for none */
  readonly toleration?: V1Toleration | null;
}

export interface GpuSettings {
  /**
   * Graphics processors of the main container: a limit, a node selector for the model, and a toleration. The toleration
   * stays also where `tolerations` replaces the others. `null` takes them all back. @default none
   *
   * @example
   * gpu: { model: 'NVIDIA-A100-SXM4-80GB', count: 2 }
   * gpu: { vendor: 'amd', label: 'acme.example/gpu', model: 'mi300' }
   */
  readonly gpu?: Gpu | null;
}

type Below = GpuSettings &
  Pick<PlacementSettings, 'nodeSelector' | 'tolerations'> &
  Pick<ContainerSettings, 'resources'>;

/** What the settings change of the graphics processors that they inherit. */
export function gpuFragment(now: Below, before: GpuSettings): PodTemplateOverride | undefined {
  const old = before.gpu ? parts(before.gpu) : undefined;
  const merged = inheritGpu(now, before);
  const fresh = merged ? parts(merged) : undefined;
  // What was inherited is said again where other settings take it away, and nowhere else: they may have changed it.
  const wiped = now.nodeSelector === null || now.resources === null || now.resources?.limits === null;
  const placed = changeTolerations(old?.tolerations, fresh?.tolerations);
  if (now.gpu === undefined && !(fresh && wiped))
    return fresh && now.tolerations !== undefined ? { spec: { tolerations: placed } } : undefined;
  if (old === undefined && fresh === undefined) return undefined;
  const limits = { ...removed(old?.limits), ...fresh?.limits };
  const nodeSelector = { ...removed(old?.nodeSelector), ...fresh?.nodeSelector };
  const { spec } = inMain({ resources: { limits } });
  return {
    spec: {
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
      ...((old?.tolerations ?? fresh?.tolerations) && { tolerations: placed }),
      ...(spec as object),
    },
  };
}

/** The graphics processors once the settings are merged over what they inherit. */
export function inheritGpu(now: GpuSettings, before: GpuSettings): Gpu | undefined {
  if (now.gpu === null) return undefined;
  return now.gpu === undefined ? (before.gpu ?? undefined) : { ...before.gpu, ...now.gpu };
}

function parts({ vendor = 'nvidia', model, count = 1, ...given }: Gpu) {
  const resource = given.resource ?? vendors[vendor].resource;
  const { toleration = { key: vendors[vendor].resource, operator: 'Exists', effect: 'NoSchedule' } } = given;
  return {
    limits: { [resource]: quantity(count) as string } as Readonly<Record<string, string>>,
    nodeSelector: (model ? { [given.label ?? vendors[vendor].label]: model } : {}) as Readonly<Record<string, string>>,
    tolerations: toleration ? [toleration] : undefined,
  };
}

function removed(map: Readonly<Record<string, string>> | undefined): Record<string, null> {
  return Object.fromEntries(Object.keys(map ?? {}).map((key) => [key, null]));
}
