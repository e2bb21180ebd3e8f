import type { V1PodSpec } from '@kubernetes/client-node/dist/gen/models/V1PodSpec.js';
import { annotations } from '../lib/graph/labels.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { mergeWithOrigins } from '../lib/pods/merge.ts';
import { spotFragment, type Spot } from '../lib/pods/settings/spot.ts';
import { MAIN_CONTAINER, type PodTemplate, type PodTemplateOverride } from '../lib/pods/template.ts';
import { validateTemplate } from '../lib/pods/validate-template.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';

/** A step's pod as the override of a run makes it, and what makes that no pod. */
export interface LaunchedPod {
  readonly template: PodTemplate;
  readonly problems: readonly Problem[];
}

/** A step of the run, as far as it is looked at. */
export interface LaunchedStep {
  readonly name: string;
  readonly step: {
    readonly podTemplate: PodTemplate;
    readonly spotTemplate: PodTemplate;
    spotIn(run: boolean | Spot | undefined): 'step' | 'run' | undefined;
  };
}

/** What a run says of the pods of its steps, as its annotations carry it. */
export interface RunOverride {
  /** The service account that it names. */
  readonly account: string | undefined;
  /** All else that it says. */
  readonly rest: PodTemplateOverride;
  /** The rest as text. */
  readonly key: string;
  /** What holds over it. */
  readonly policy: Layer | undefined;
  /** Whether the pods go to spot nodes of steps that do not say it. */
  readonly spot: boolean | Spot | undefined;
}

/** What the annotations of a run's Job say of the pods of its steps; nothing where they leave them as they are. */
export function runOverrideIn(
  notes: Readonly<Record<string, unknown>>,
  policy: Layer | undefined,
): RunOverride | undefined {
  const [said, onSpot] = [notes[annotations.podOverride], notes[annotations.spot]];
  if (said === undefined && onSpot === undefined) return undefined;
  const override = JSON.parse(String(said ?? '{}')) as JsonObject;
  const { serviceAccountName: account, ...spec } = (override.spec ?? {}) as JsonObject;
  // What a policy says something of is merged with all else, for only the merge knows whether it may be.
  const apart = typeof account === 'string' && !('serviceAccountName' in (policy?.template.spec ?? {}));
  const rest = apart ? { ...override, spec } : override;
  return {
    account: apart ? account : undefined,
    rest: rest as PodTemplateOverride,
    key: JSON.stringify(rest),
    policy,
    spot: onSpot === undefined ? undefined : (JSON.parse(String(onSpot)) as boolean | Spot),
  };
}

// Of a thousand plans over one workflow most differ in their service account alone: the merge of the rest is kept.
const kept = new WeakMap<PodTemplate, Map<string, LaunchedPod>>();

/** A pod that an attempt at a step may get. */
interface AttemptPod {
  /** What it is called in problems. */
  readonly name: string;
  /** As the step alone has it. */
  readonly own: PodTemplate;
  readonly pod: LaunchedPod;
}

/** The pods that attempts at a step may get: on any node, and on spot nodes where they go there. None of a step whose layers make no pod, which it tells itself. */
export function launchedPods(step: LaunchedStep, run: RunOverride | undefined): readonly AttemptPod[] {
  try {
    return [...attemptPods(step, run)];
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return [];
  }
}

function* attemptPods({ name, step }: LaunchedStep, run: RunOverride | undefined): Generator<AttemptPod> {
  const podOf = (own: PodTemplate, over?: PodTemplateOverride) =>
    run === undefined ? { template: own, problems: [] } : launchedPod(own, run, over);
  yield { name, own: step.podTemplate, pod: podOf(step.podTemplate) };
  const by = step.spotIn(run?.spot);
  if (by === undefined) return;
  const own = by === 'step' ? step.spotTemplate : step.podTemplate;
  const pod = podOf(own, by === 'run' ? spotFragment({ spot: run?.spot }) : undefined);
  yield { name: `${name} on spot nodes`, own, pod };
}

/** What a run with this override makes of a step's pod; {@link accountProblems} are told apart, once for all steps. */
function launchedPod(own: PodTemplate, override: RunOverride, onSpot?: PodTemplateOverride): LaunchedPod {
  const { account, spot } = override;
  const key = onSpot === undefined ? override.key : `${override.key} ${JSON.stringify(spot)}`;
  const ofStep = kept.get(own) ?? new Map<string, LaunchedPod>();
  kept.set(own, ofStep);
  let pod = ofStep.get(key);
  if (pod === undefined) {
    pod = merged(own, override, onSpot);
    ofStep.set(key, pod);
  }
  if (account === undefined) return pod;
  const spec = { ...pod.template.spec, serviceAccountName: account } as V1PodSpec;
  return { ...pod, template: { ...pod.template, spec } };
}

function merged(own: PodTemplate, { rest, policy }: RunOverride, onSpot?: PodTemplateOverride): LaunchedPod {
  const layers: Layer[] = [
    { kind: 'task', source: 'the step', template: own as PodTemplateOverride },
    // Whose it is is no part of it: many plans may have the same one, and the merge is kept for all of them.
    { kind: 'plan override', source: '', template: rest },
    ...(onSpot ? [{ kind: 'plan override', source: '', template: onSpot } as const] : []),
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
