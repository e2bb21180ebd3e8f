import type { V1PodSpec } from '@kubernetes/client-node/dist/gen/models/V1PodSpec.js';
import type { Layer } from '../lib/pods/layer.ts';
import { mergeWithOrigins } from '../lib/pods/merge.ts';
import { MAIN_CONTAINER, type PodTemplate, type PodTemplateOverride } from '../lib/pods/template.ts';
import { validateTemplate } from '../lib/pods/validate-template.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';

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
  /** What holds over it. */
  readonly policy: Layer | undefined;
}

export function toRunOverride(override: JsonObject, policy: Layer | undefined): RunOverride {
  const { serviceAccountName: account, ...spec } = (override.spec ?? {}) as JsonObject;
  // What a policy says something of is merged with all else, for only the merge knows whether it may be.
  const apart = typeof account === 'string' && !('serviceAccountName' in (policy?.template.spec ?? {}));
  const rest = apart ? { ...override, spec } : override;
  return {
    account: apart ? account : undefined,
    rest: rest as PodTemplateOverride,
    key: JSON.stringify(rest),
    policy,
  };
}

// Of a thousand plans over one workflow most differ in their service account alone: the merge of the rest is kept.
const kept = new WeakMap<PodTemplate, Map<string, LaunchedPod>>();

/** What a run with this override makes of a step's pod; {@link accountProblems} are told apart, once for all steps. */
export function launchedPod(own: PodTemplate, override: RunOverride): LaunchedPod {
  const { account, key } = override;
  const ofStep = kept.get(own) ?? new Map<string, LaunchedPod>();
  kept.set(own, ofStep);
  let pod = ofStep.get(key);
  if (pod === undefined) {
    pod = merged(own, override);
    ofStep.set(key, pod);
  }
  if (account === undefined) return pod;
  const spec = { ...pod.template.spec, serviceAccountName: account } as V1PodSpec;
  return { ...pod, template: { ...pod.template, spec } };
}

function merged(own: PodTemplate, { rest, policy }: RunOverride): LaunchedPod {
  const layers: Layer[] = [
    { kind: 'task', source: 'the step', template: own as PodTemplateOverride },
    // Whose it is is no part of it: many plans may have the same one, and the merge is kept for all of them.
    { kind: 'plan override', source: '', template: rest },
    ...(policy ? [policy] : []),
  ];
  try {
    const { template } = mergeWithOrigins(layers);
    return { template, problems: validateTemplate(template) };
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return { template: own, problems: error.problems };
  }
}

/** What is wrong with the service account that an override names. */
export function accountProblems({ account: serviceAccountName }: RunOverride): readonly Problem[] {
  if (serviceAccountName === undefined) return [];
  return validateTemplate({ spec: { containers: [{ name: MAIN_CONTAINER, image: 'any' }], serviceAccountName } });
}
