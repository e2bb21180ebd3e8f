import type { IConstruct } from 'constructs';
import { BASE_TEMPLATE } from '../lib/pods/base-template.ts';
import type { Layer, LayerKind } from '../lib/pods/layer.ts';
import { settingsLayers, type InheritedSettings, type PodSettings } from '../lib/pods/settings/pod-settings.ts';
import { spotFragment } from '../lib/pods/settings/spot.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import type { CallSite } from './call-site.ts';
import { clusterOf, clusterSite } from './cluster.ts';

/** Settings as the layers they make, low to high, with who wrote them and where; `spot` is no part of them. */
export function layersOf(
  kind: LayerKind,
  source: string,
  site: CallSite,
  settings: PodSettings,
  inherited?: InheritedSettings,
): readonly Layer[] {
  return settingsLayers(settings, inherited).map((template) => layer(kind, source, site, template));
}

/** What goes over these layers for an attempt on spot nodes. */
export function spotLayers(kind: LayerKind, source: string, settings: InheritedSettings): readonly Layer[] {
  const template = spotFragment(settings);
  return template === undefined ? [] : [{ kind, source, template }];
}

function layer(kind: LayerKind, source: string, site: CallSite | undefined, template: PodTemplateOverride): Layer {
  return {
    kind,
    source,
    template,
    get at() {
      return site?.text;
    },
  };
}

/** What a pod on a construct's cluster starts from, before its task says anything. */
export function lowestLayers(scope: IConstruct): readonly Layer[] {
  const cluster = clusterOf(scope);
  const base: Layer = { kind: 'base', source: 'cdk8s-workflows', template: BASE_TEMPLATE as PodTemplateOverride };
  if (cluster?.podDefaults === undefined) return [base];
  return [base, layer('cluster defaults', cluster.name, clusterSite(scope), cluster.podDefaults)];
}

/** What holds for a pod on a construct's cluster, whatever anybody else says. */
export function policyLayer(scope: IConstruct): Layer | undefined {
  const cluster = clusterOf(scope);
  if (cluster?.podPolicy === undefined) return undefined;
  return layer('cluster policy', cluster.name, clusterSite(scope), cluster.podPolicy);
}
