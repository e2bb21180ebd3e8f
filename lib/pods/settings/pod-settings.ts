import type { PodTemplateOverride } from '../template.ts';
import { companions, type CompanionSettings } from './companions.ts';
import { mainContainer, type ContainerSettings } from './container.ts';
import { gpuFragment, inheritGpu, keptGpuFragment, type GpuSettings } from './gpu.ts';
import { identity, type IdentitySettings } from './identity.ts';
import { placement, type PlacementSettings } from './placement.ts';
import { podFields, type PodFields } from './pod-fields.ts';
import { sharedMemoryFragment, type SharedMemorySettings } from './shared-memory.ts';
import { inheritSpot, type SpotSettings } from './spot.ts';
import { inheritVolumes, volumesFragment, type VolumeSettings } from './volumes.ts';

/**
 * The settings of a pod that come up most; each is a short way to write a part of a pod template. Those of a container
 * are of the main one. In an override maps merge with what is inherited and `null` removes.
 */
export interface PodSettings
  extends
    ContainerSettings,
    GpuSettings,
    SharedMemorySettings,
    VolumeSettings,
    CompanionSettings,
    PlacementSettings,
    SpotSettings,
    IdentitySettings,
    PodFields {
  /** Everything else; merged over the settings above. */
  readonly podTemplate?: PodTemplateOverride;
}

/** What settings have to know of those that they are merged over: where an old part is, to put another in its place. */
export type InheritedSettings = Pick<PodSettings, 'gpu' | 'spot' | 'volumes'>;

/**
 * The settings as layers, low to high: a fragment for each short setting, then `podTemplate`. `spot` is not among
 * them: it goes over all layers of a pod, see {@link spotFragment}.
 */
export function settingsLayers(
  settings: PodSettings,
  inherited: InheritedSettings = {},
): readonly PodTemplateOverride[] {
  const fragments = [
    gpuFragment(settings, inherited),
    mainContainer(settings),
    identity(settings),
    podFields(settings),
    placement(settings),
    volumesFragment(settings, inherited),
    sharedMemoryFragment(settings),
    companions(settings),
    keptGpuFragment(settings, inheritGpu(settings, inherited)),
    settings.podTemplate,
  ];
  return fragments.filter((fragment) => fragment !== undefined);
}

/** What settings that come later inherit, once these were merged over what they inherited themselves. */
export function inheritSettings(settings: PodSettings, inherited: InheritedSettings = {}): InheritedSettings {
  return {
    gpu: inheritGpu(settings, inherited),
    spot: inheritSpot(settings, inherited),
    volumes: inheritVolumes(settings, inherited),
  };
}
