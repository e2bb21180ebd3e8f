import { isJsonObject } from '../values/json.ts';
import { InvalidError, show, type Problem } from '../values/problems.ts';
import { holesOverride } from './holes.ts';
import type { JobLayer, JobOverride } from './job-template.ts';
import { layerName, type Layer } from './layer.ts';
import { mergeWithOrigins, type MergedTemplate } from './merge.ts';
import { runOverrideLayers, type RunOverride } from './run-override.ts';
import { spotFragment, type Spot } from './settings/spot.ts';
import type { PodTemplate, PodTemplateOverride } from './template.ts';
import { validateTemplate } from './validate-template.ts';

/** A step's pod as synth wrote it down: its lower layers in one, and the policy that holds over all that come later. */
export interface SynthesizedTemplate {
  readonly template: PodTemplate;
  readonly policy?: Layer;
  /** The same over the Job around the pod. */
  readonly jobPolicy?: JobLayer;
}

/** What changes the pods of one run, whichever step they are of. */
export interface RunLayers {
  /** The run's name, for messages. */
  readonly run: string;
  /** The plan that launched it, for messages. */
  readonly plan?: string;
  /** What the plan, or the manifest of the run, says of every step's pod. */
  readonly podOverride?: PodTemplateOverride;
  /** What the plan, or the manifest of the run, says of the Job around the pod of every step that has one. */
  readonly jobOverride?: JobOverride;
  /** What was said at the launch. */
  readonly runOverride?: RunOverride;
  /** How nodes are known that may be taken away, of an attempt that goes to them. */
  readonly spot?: Spot | true;
}

/** What values made of the fields that waited for them. */
export interface HoleValues {
  readonly template: PodTemplateOverride;
  /** Where the values came from, by the paths of the fields, for messages: `inputs.memory`. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * The layers of a step's pod that are known once it runs, low to high: what synth wrote down, what comes of values, the plan's
 * override, the run's, and the policy.
 *
 * @param values what the step's inputs make of the fields that wait for them
 */
export function runtimeLayers(
  step: string,
  { template, policy }: SynthesizedTemplate,
  { run, plan, podOverride, runOverride, spot }: RunLayers,
  values?: HoleValues,
): readonly Layer[] {
  const synthesized = template as PodTemplateOverride;
  return [
    { kind: 'task', source: `step ${step}`, template: synthesized },
    ...(values ? [valuesLayer(step, values, template)] : []),
    ...(podOverride ? [planLayer(podOverride, run, plan)] : []),
    ...(runOverride ? runOverrideLayers(runOverride, step, run) : []),
    ...(spot ? [planLayer(spotFragment({ spot })!, run, plan)] : []),
    ...(policy ? [policy] : []),
  ];
}

/**
 * The pod of a step of a run. With nothing but a policy over it, what synth wrote down is taken as it is: it holds to the policy already.
 *
 * @throws InvalidError with every contradiction to the policy, and with everything that makes the template no pod
 */
export function runtimeTemplate(
  step: string,
  synthesized: SynthesizedTemplate,
  run: RunLayers,
  values?: HoleValues,
): PodTemplate {
  const layers = runtimeLayers(step, synthesized, run, values);
  if (layers.every(({ kind }) => kind === 'task' || kind === 'cluster policy')) return synthesized.template;
  const merged = mergeWithOrigins(layers);
  const problems = templateProblems(merged, values?.sources);
  if (problems.length > 0) throw new InvalidError(`The pod of step ${step}`, problems);
  return merged.template;
}

/** What keeps layers from making a pod: what cannot be merged, what the policy excludes, and what makes no pod also without it. */
export function layerProblems(layers: readonly Layer[]): readonly Problem[] {
  try {
    return templateProblems(mergeWithOrigins(layers));
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    const free = layers.filter(({ kind }) => kind !== 'cluster policy');
    return free.length === layers.length ? error.problems : [...error.problems, ...layerProblems(free)];
  }
}

/** What makes a merged template no pod, each with the layer that set the field. */
export function templateProblems(
  { template, origins }: MergedTemplate,
  sources: HoleValues['sources'] = new Map(),
): readonly Problem[] {
  return validateTemplate(template).map((problem) => {
    const layer = origins.layerOf(problem.path);
    const source = sources.get(problem.path);
    if (source !== undefined && (layer === undefined || layer.source.endsWith(FROM_VALUES)))
      return { ...problem, message: `${problem.message} (from ${source})` };
    return layer === undefined ? problem : { ...problem, message: `${problem.message} (${layerName(layer)})` };
  });
}

/**
 * The policies in the annotation of a PodTemplate, over the pod and over the Job around it. One that cannot be read is no
 * reason to go without.
 *
 * @throws InvalidError when it is no policy
 */
export function readPolicy(text: string | undefined, path: string): Pick<SynthesizedTemplate, 'policy' | 'jobPolicy'> {
  if (text === undefined) return {};
  const policy = parse(text);
  if (
    !isJsonObject(policy) ||
    typeof policy.cluster !== 'string' ||
    !isJsonObject(policy.template) ||
    !(policy.job === undefined || isJsonObject(policy.job))
  )
    throw new InvalidError('The policy of a pod template', [
      {
        path,
        message: `must be a JSON object with "cluster" and "template", and an object as "job" if any, not ${show(text)}`,
        fix: 'synthesize it again',
      },
    ]);
  const layer = { kind: 'cluster policy', source: policy.cluster } as const;
  return {
    policy: { ...layer, template: policy.template as PodTemplateOverride },
    ...(policy.job && { jobPolicy: { ...layer, job: policy.job as JobOverride } }),
  };
}

const FROM_VALUES = ', from values';

function valuesLayer(step: string, { template: values }: HoleValues, template: PodTemplate): Layer {
  return { kind: 'step override', source: `${step}${FROM_VALUES}`, template: holesOverride(values, template) };
}

function planLayer(template: PodTemplateOverride, run: string, plan: string | undefined): Layer {
  return plan === undefined
    ? { kind: 'run override', source: run, template }
    : { kind: 'plan override', source: plan, template };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
