import type { V1Toleration } from '@kubernetes/client-node/dist/gen/models/V1Toleration.js';
import { MAIN_CONTAINER, type PodTemplateOverride } from '../template.ts';
import type { ContainerSettings } from './container.ts';
import { quantity } from './resources.ts';
import { changeTolerations, type PlacementSettings } from './placement.ts';

// NVIDIA: k8s-device-plugin, docs/gpu-feature-discovery. AMD: k8s-device-plugin, cmd/k8s-node-labeller with -product-name.
// Intel: intel-device-plugins-for-kubernetes, cmd/gpu_plugin/labels.md, whose rules for node feature discovery name the
// product of some cards only; those of the driver xe count as gpu.intel.com/xe.
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

type Others = Pick<PlacementSettings, 'nodeSelector' | 'tolerations'> & Pick<ContainerSettings, 'resources'>;
type Texts = Readonly<Record<string, string | null>>;

interface Fields {
  readonly limits?: Texts;
  readonly nodeSelector?: Texts;
  readonly tolerations?: ReturnType<typeof changeTolerations>;
}

/** What the settings change of the graphics processors that they inherit. It goes below the other settings: those may change it. */
export function gpuFragment(now: GpuSettings, before: GpuSettings): PodTemplateOverride | undefined {
  const old = before.gpu ? parts(before.gpu) : NONE;
  const gpu = inheritGpu(now, before);
  if (now.gpu === undefined || (!before.gpu && !gpu)) return undefined;
  const fresh = gpu ? parts(gpu) : NONE;
  // What an override does not name stays whoever's it was.
  const names = (...fields: readonly (keyof Gpu)[]) =>
    !now.gpu || !before.gpu || ['vendor' as const, ...fields].some((field) => now.gpu![field] !== undefined);
  return fragment({
    ...(names('count', 'resource') && { limits: { ...removed(old.limits), ...fresh.limits } }),
    ...(names('model', 'label') && { nodeSelector: { ...removed(old.nodeSelector), ...fresh.nodeSelector } }),
    ...(names('toleration') &&
      old.tolerations.length + fresh.tolerations.length > 0 && {
        tolerations: changeTolerations(old.tolerations, fresh.tolerations),
      }),
  });
}

/** What stays of the graphics processors where other settings of the same layer remove or replace all of a kind. */
export function keptGpuFragment(now: Others, gpu: Gpu | undefined): PodTemplateOverride | undefined {
  if (gpu === undefined) return undefined;
  const { limits, nodeSelector, tolerations } = parts(gpu);
  return fragment({
    ...((now.resources === null || now.resources?.limits === null) && { limits }),
    ...(now.nodeSelector === null && { nodeSelector }),
    ...(now.tolerations !== undefined && tolerations.length > 0 && { tolerations: changeTolerations([], tolerations) }),
  });
}

/** The graphics processors once the settings are merged over what they inherit. */
export function inheritGpu(now: GpuSettings, before: GpuSettings): Gpu | undefined {
  if (now.gpu === null) return undefined;
  return now.gpu === undefined ? (before.gpu ?? undefined) : { ...before.gpu, ...now.gpu };
}

interface Parts {
  readonly limits: Readonly<Record<string, string>>;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly V1Toleration[];
}

const NONE: Parts = { limits: {}, nodeSelector: {}, tolerations: [] };

function parts({ vendor = 'nvidia', model, count = 1, ...given }: Gpu): Parts {
  const { resource, label } = { ...vendors[vendor], ...given };
  const { toleration = { key: vendors[vendor].resource, operator: 'Exists', effect: 'NoSchedule' } } = given;
  return {
    limits: { [resource]: quantity(count) },
    nodeSelector: model ? { [label]: model } : {},
    tolerations: toleration ? [toleration] : [],
  };
}

function fragment({ limits, nodeSelector, tolerations }: Fields): PodTemplateOverride | undefined {
  const isSaid = (map: object | undefined) => map !== undefined && Object.keys(map).length > 0;
  const spec = {
    ...(isSaid(nodeSelector) && { nodeSelector }),
    ...(tolerations && { tolerations }),
    ...(isSaid(limits) && { containers: [{ name: MAIN_CONTAINER, resources: { limits } }] }),
  };
  return isSaid(spec) ? { spec } : undefined;
}

function removed(map: Readonly<Record<string, string>>): Record<string, null> {
  return Object.fromEntries(Object.keys(map).map((key) => [key, null]));
}
