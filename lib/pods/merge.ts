import { InvalidError, type Problem } from '../values/problems.ts';
import type { Patch } from './directives.ts';
import type { Layer } from './layer.ts';
import { MergeContext } from './merge-context.ts';
import { mergeFields } from './merge-fields.ts';
import { MapNode, valueOf } from './node.ts';
import { Origins } from './origins.ts';
import { POD_TEMPLATE } from './pod-schema.ts';
import { enforcePolicy } from './policy.ts';
import type { PodTemplate, PodTemplateOverride } from './template.ts';

/** A template put together of layers, and where its fields came from. */
export interface MergedTemplate {
  readonly template: PodTemplate;
  readonly origins: Origins;
  /** What was merged and is most likely a mistake, such as a field that Kubernetes does not have. */
  readonly warnings: readonly Problem[];
}

/**
 * Merges an override over a template by Kubernetes' strategic merge: maps merge, lists with a merge key merge by
 * it, other lists are replaced, `null` removes, and `false`, `0` and `''` are values. The directives `$patch`,
 * `$retainKeys`, `$setElementOrder/<field>` and `$deleteFromPrimitiveList/<field>` do what they do in a patch that is
 * sent to the API server; every case in which we do otherwise is in test/pods/deviations.ts, with its reason.
 * Neither argument is changed. (apimachinery/pkg/util/strategicpatch)
 *
 * @throws InvalidError with all that cannot be merged: an item of a keyed list without its key, a directive that is none
 */
export function mergePodTemplate(base: PodTemplate, override: PodTemplateOverride): PodTemplate {
  return mergeLayers([base as PodTemplateOverride, override]);
}

/**
 * Merges layers, low to high; layers that are not set are passed over.
 *
 * @throws InvalidError see {@link mergePodTemplate}
 */
export function mergeLayers(layers: readonly (PodTemplateOverride | undefined)[]): PodTemplate {
  const unnamed = layers.flatMap((template): Layer[] =>
    template === undefined ? [] : [{ kind: 'task', source: '', template }],
  );
  return mergeWithOrigins(unnamed).template;
}

/**
 * Merges layers, low to high, and remembers for every field which layer set it and what that replaced. Layers of the
 * kind `cluster policy` come last, wherever they stand, and are not merged but hold: see {@link applyPolicy}.
 *
 * @throws InvalidError with all that cannot be merged, and everything that a policy excludes
 */
export function mergeWithOrigins(layers: readonly Layer[]): MergedTemplate {
  return merge(layers, false);
}

/**
 * What the API server makes of a template and a strategic merge patch, to the order of items. {@link mergePodTemplate}
 * differs in two ways: new items follow the inherited ones, and of a union's members the last one set is left.
 *
 * @throws InvalidError see {@link mergePodTemplate}
 */
export function mergeAsServer(base: PodTemplate, patch: PodTemplateOverride): PodTemplate {
  const layers = [base as PodTemplateOverride, patch];
  return merge(
    layers.map((template) => ({ kind: 'task', source: '', template })),
    true,
  ).template;
}

/**
 * Puts what a platform team enforces over a template. Nothing that the template says weakens it, and a template
 * that says otherwise is refused: the rules are those of {@link enforcePolicy}.
 *
 * @param source whose template it is, for messages
 * @throws InvalidError with every contradiction: the path, both values, both layers and what to do
 */
export function applyPolicy(template: PodTemplate, policy: Layer, source = 'the template'): MergedTemplate {
  const layer: Layer = { kind: 'task', source, template: template as PodTemplateOverride };
  return mergeWithOrigins([layer, { ...policy, kind: 'cluster policy' }]);
}

function merge(layers: readonly Layer[], asServer: boolean): MergedTemplate {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const root = new MapNode(layers[0] ?? { kind: 'base', source: '', template: {} }, new Map());
  const contextOf = (layer: Layer) => new MergeContext(layer, problems, warnings, asServer);
  const isPolicy = ({ kind }: Layer) => kind === 'cluster policy';
  for (const layer of layers)
    if (!isPolicy(layer))
      mergeFields(root, layer.template as Patch, { type: POD_TEMPLATE }, contextOf(layer), undefined);
  for (const layer of layers.filter(isPolicy)) enforcePolicy(root, contextOf(layer));
  if (problems.length > 0) throw new InvalidError('Pod template', problems);
  return { template: valueOf(root) as PodTemplate, origins: new Origins(root), warnings };
}
