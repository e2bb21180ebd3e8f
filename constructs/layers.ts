import type { IConstruct } from 'constructs';
import { BASE_TEMPLATE } from '../lib/pods/base-template.ts';
import type { JobLayer, JobOverride } from '../lib/pods/job-template.ts';
import type { Layer, LayerKind } from '../lib/pods/layer.ts';
import { splitHoles, type Hole } from '../lib/pods/holes.ts';
import { mergeWithOrigins, type MergedTemplate } from '../lib/pods/merge.ts';
import { settingsLayers, type InheritedSettings, type PodSettings } from '../lib/pods/settings/pod-settings.ts';
import { spotFragment } from '../lib/pods/settings/spot.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { canonicalJson } from '../lib/values/json.ts';
import { InvalidError, show, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import type { CallSite } from './call-site.ts';
import { clusterOf, clusterSite } from './cluster.ts';
import type { Task } from './task.ts';

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

/** What goes over these layers for an attempt on spot nodes, by whoever asks for it last. */
export function spotLayers(
  kind: LayerKind,
  source: string,
  site: Pick<CallSite, 'text'> | undefined,
  settings: InheritedSettings,
): readonly Layer[] {
  const template = spotFragment(settings);
  return template === undefined ? [] : [layer(kind, source, site, template)];
}

/** The same of a task's own settings. */
export function taskSpotLayers(task: Task<Shape, Shape>): readonly Layer[] {
  const site = {
    get text() {
      return task.layers[0]?.at;
    },
  };
  return spotLayers('task', task.node.path, site, task.execution);
}

function layer(
  kind: LayerKind,
  source: string,
  site: Pick<CallSite, 'text'> | undefined,
  template: PodTemplateOverride,
): Layer {
  return {
    kind,
    source,
    template,
    get at() {
      return site?.text;
    },
  };
}

/** A layer with another template. */
export function layerWith(layer: Layer, template: PodTemplateOverride): Layer {
  const { kind, source } = layer;
  return {
    kind,
    source,
    template,
    get at() {
      return layer.at;
    },
  };
}

/** The pod that layers make where nothing is left to a run, or why they make none. */
export function mergedOrProblems(layers: readonly Layer[]): {
  readonly merged?: MergedTemplate;
  readonly problems: readonly Problem[];
} {
  let problems: readonly Problem[];
  try {
    const merged = mergeWithOrigins(layers);
    problems = [...notKnown(merged)];
    if (problems.length === 0) return { merged, problems };
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    problems = error.problems;
  }
  return { problems: problems.map((problem) => ({ ...problem, path: `podTemplate.${problem.path}` })) };
}

function* notKnown(merged: MergedTemplate): Generator<Problem> {
  for (const { path, hole } of splitHoles(merged).places) yield notKnownAt(path, hole, 'pod');
}

/** What is wrong with a place that waits for a value where nothing is left to a run. */
export function notKnownAt(path: string, hole: Hole, what: 'pod' | 'Job'): Problem {
  return {
    path,
    message: `${show(hole.values[0])} is not known at synth, where this ${what} is made`,
    fix: 'give a value, or an input of the task',
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

/** What a Job around a pod on a construct's cluster starts from, and what holds for it whatever anybody else says. */
export function clusterJobLayers(scope: IConstruct): readonly JobLayer[] {
  const { name = '', jobDefaults, jobPolicy } = clusterOf(scope) ?? {};
  const at = clusterSite(scope)?.text;
  const layerOf = (kind: LayerKind, job: JobOverride | undefined): readonly JobLayer[] =>
    job === undefined ? [] : [{ kind, source: name, job, ...(at !== undefined && { at }) }];
  return [...layerOf('cluster defaults', jobDefaults), ...layerOf('cluster policy', jobPolicy)];
}

/** What goes with a template to where plans and launches change it: what holds over them, as its annotation says it. */
export function policyNote(scope: IConstruct, runAs: 'Pod' | 'Job' | undefined): string | undefined {
  const { name = '', podPolicy, jobPolicy } = clusterOf(scope) ?? {};
  const job = runAs === 'Job' ? jobPolicy : undefined;
  if (podPolicy === undefined && job === undefined) return undefined;
  return canonicalJson({ cluster: name, template: podPolicy ?? {}, ...(job && { job }) });
}
