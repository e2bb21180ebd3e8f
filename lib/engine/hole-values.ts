import type { ContainerStep, IndexedMapStep } from '../graph/graph.ts';
import { describeSource, podSources } from '../graph/pod-sources.ts';
import type { HoleValues } from '../pods/runtime-template.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import type { JsonObject } from '../values/json.ts';

/** What a command to start says of the pod, with where each value came from, for who merges it. */
export function holeValues(step: ContainerStep | IndexedMapStep, pod: JsonObject | undefined): HoleValues | undefined {
  if (pod === undefined) return undefined;
  const sources = [...podSources((step.kind === 'task' && step.spot) || (step.pod ?? { fields: {} }))].map(
    ([path, source]) => [path, describeSource(source)] as const,
  );
  return { template: pod as PodTemplateOverride, sources: new Map(sources) };
}
