import type { V1PodSpec } from '@kubernetes/client-node/dist/gen/models/V1PodSpec.js';
import { mergePodTemplate } from '../lib/pods/merge.ts';
import { MAIN_CONTAINER, type PodTemplate, type PodTemplateOverride } from '../lib/pods/template.ts';
import { validateTemplate } from '../lib/pods/validate-template.ts';
import type { JsonObject } from '../lib/values/json.ts';
import type { Problem } from '../lib/values/problems.ts';

/** A step's pod as the override of a run makes it, and what makes that no pod. */
export interface LaunchedPod {
  readonly template: PodTemplate;
  readonly problems: readonly Problem[];
}

/** The override of a run, as its annotation carries it. */
export interface RunOverride {
  /** The service account that it names. */
  readonly account: string | undefined;
  /** All else that it says. */
  readonly rest: PodTemplateOverride;
  /** The rest as text. */
  readonly key: string;
}

export function toRunOverride(override: JsonObject): RunOverride {
  const { serviceAccountName: account, ...spec } = (override.spec ?? {}) as JsonObject;
  const rest = typeof account === 'string' ? { ...override, spec } : override;
  return {
    account: typeof account === 'string' ? account : undefined,
    rest: rest as PodTemplateOverride,
    key: JSON.stringify(rest),
  };
}

// Of a thousand plans over one workflow most differ in their service account alone: the merge of the rest is kept.
const kept = new WeakMap<PodTemplate, Map<string, LaunchedPod>>();

/** What a run with this override makes of a step's pod; {@link accountProblems} are told apart, once for all steps. */
export function launchedPod(own: PodTemplate, { account, rest, key }: RunOverride): LaunchedPod {
  const ofStep = kept.get(own) ?? new Map<string, LaunchedPod>();
  kept.set(own, ofStep);
  let pod = ofStep.get(key);
  if (pod === undefined) {
    const template = mergePodTemplate(own, rest);
    pod = { template, problems: validateTemplate(template) };
    ofStep.set(key, pod);
  }
  if (account === undefined) return pod;
  const spec = { ...pod.template.spec, serviceAccountName: account } as V1PodSpec;
  return { ...pod, template: { ...pod.template, spec } };
}

/** What is wrong with the service account that an override names. */
export function accountProblems({ account: serviceAccountName }: RunOverride): readonly Problem[] {
  if (serviceAccountName === undefined) return [];
  return validateTemplate({ spec: { containers: [{ name: MAIN_CONTAINER, image: 'any' }], serviceAccountName } });
}
