import type { Layer } from '../lib/pods/layer.ts';
import { withMainResources } from '../lib/pods/main-resources.ts';
import { mergeWithOrigins } from '../lib/pods/merge.ts';
import { splitHoles } from '../lib/pods/holes.ts';
import { MAIN_CONTAINER, type PodTemplate, type PodTemplateOverride } from '../lib/pods/template.ts';
import { compareQuantities } from '../lib/values/quantity.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { InvalidError, show, type Problem } from '../lib/values/problems.ts';

/** A step's pod once attempts were killed for want of memory. */
export interface GrownPod {
  /** How it is called in problems. */
  readonly name: string;
  /** What is merged over the step's template. */
  readonly part: JsonObject;
  /** What comes of it; nothing when it cannot be merged. */
  readonly template?: PodTemplate;
  readonly problems: readonly Problem[];
}

/**
 * The pods that a step's attempts have after one kill, two, and so on.
 *
 * @param layers those of the step's pod with one more below the policy
 */
export function grownPods(
  own: PodTemplate,
  resources: readonly JsonObject[],
  layers: (grown: PodTemplateOverride) => readonly Layer[],
): readonly GrownPod[] {
  let before = memoryLimit(own);
  return resources.map((more, index) => {
    const part = withMainResources({}, more);
    const name = `retries.resourcesAfterOOM(${index + 1})`;
    try {
      const { template } = splitHoles(mergeWithOrigins(layers(part as PodTemplateOverride)));
      const now = memoryLimit(template);
      const problems = [...growthProblems(before, now, index === 0)];
      before = now;
      return { name, part, template, problems };
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return { name, part, problems: error.problems };
    }
  });
}

const PATH = `spec.containers[${MAIN_CONTAINER}].resources.limits.memory`;

/** The first kill must bring more memory; a function may have a cap, so that later ones need not. */
function* growthProblems(before: unknown, now: unknown, isFirst: boolean): Generator<Problem> {
  if (typeof before !== 'string' || typeof now !== 'string') return;
  const order = compareQuantities(now, before);
  if (order === undefined || order > 0 || (order === 0 && !isFirst)) return;
  const than = isFirst ? 'no more than what was too little' : 'less than after the kill before';
  yield { path: PATH, message: `is ${show(now)}, ${than} (${show(before)})`, fix: 'ask for more' };
}

function memoryLimit(template: PodTemplate): unknown {
  const main = template.spec?.containers.find(({ name }) => name === MAIN_CONTAINER);
  return main?.resources?.limits?.memory;
}
