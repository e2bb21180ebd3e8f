import { BASE_TEMPLATE } from '../../../lib/pods/base-template.ts';
import { mergeLayers } from '../../../lib/pods/merge.ts';
import {
  inheritSettings,
  settingsLayers,
  type InheritedSettings,
  type PodSettings,
} from '../../../lib/pods/settings/pod-settings.ts';
import { spotFragment } from '../../../lib/pods/settings/spot.ts';
import type { PodTemplate, PodTemplateOverride } from '../../../lib/pods/template.ts';

/** The pod that settings make, each over the ones before it. */
export function madeBy(...all: readonly PodSettings[]): PodTemplate {
  const layers: (PodTemplateOverride | undefined)[] = [BASE_TEMPLATE as PodTemplateOverride];
  let inherited: InheritedSettings | undefined;
  for (const settings of all) {
    layers.push(...settingsLayers(settings, inherited));
    inherited = inheritSettings(settings, inherited);
  }
  return mergeLayers([...layers, spotFragment(inherited ?? {})]);
}
