import { type RunStep, DEFAULT_MAX_DEPTH } from '../../graph/graph.ts';
import { annotations, labels, MANAGED_BY } from '../../graph/labels.ts';
import { runPolicyKeys } from '../../graph/run-policy.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject, NewObject } from '../../kube/objects.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';
import { EVERY_STEP } from '../../pods/run-override.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { InvalidError, type Problem } from '../../values/problems.ts';
import { ownerReference, runLabels } from './attempt-object.ts';
import type { Job } from '../objects.ts';
import type { Elsewhere, Place } from './place.ts';
import { RecursionError, runsWithin } from './run-depth.ts';
import type { Mode } from '../run-job.ts';
import type { RunClient } from '../worker-context.ts';

/** What a run that is a step of another is made of. */
export interface ChildRunPlan {
  /** Of the cluster of the run. */
  readonly client: RunClient;
  /** Where the new run is to be. */
  readonly place: Place;
  /** The run that the step is of. */
  readonly run: Job;
  readonly mode: Mode;
  readonly step: RunStep;
  /** Of the new run. */
  readonly name: string;
  /** Counts from 1. */
  readonly attempt: number;
  readonly inputs: JsonObject;
  readonly signal: AbortSignal;
}

/** What of a Job is known before it has a name and an owner. */
interface JobDraft {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
}

/** A Job with all that the watch of Jobs does not keep. */
type WholeJob = KubeObject & { readonly spec: JsonObject };

/**
 * The Job of an attempt at a step that is a run of its own. It goes with the run of the step, and is sequenced as that one
 * is: by the controller or by a driver like its own. On another cluster labels say whose it is, and the controller there
 * sequences it.
 *
 * @throws RecursionError when too many runs would be one in the other
 * @throws InvalidError when the plan is for something else
 * @throws KubeError NotFound when there is no such graph or plan
 */
export async function childRunJob(plan: ChildRunPlan): Promise<NewObject> {
  const { client, place, run, mode, step, attempt, signal } = plan;
  const { name, namespace } = run.metadata;
  const within = [...runsWithin(run), name];
  const { maxDepth = DEFAULT_MAX_DEPTH, runs } = step;
  if (within.length >= maxDepth) throw new RecursionError(within, maxDepth);
  const parent = await client.get<WholeJob>(jobs, name, { namespace, signal });
  const draft = 'plan' in runs ? await fromPlan(plan, runs.plan) : await fromGraph(plan, runs, parent);
  const driven = mode === 'driver';
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: plan.name,
      namespace: place.namespace,
      labels: {
        ...draft.labels,
        [labels.managedBy]: MANAGED_BY,
        [labels.run]: name,
        [labels.step]: step.name,
        [labels.attempt]: String(attempt),
        ...(place.elsewhere && (await parentLabels(place.elsewhere, run))),
      },
      annotations: { ...draft.annotations, [annotations.within]: JSON.stringify(within) },
      ...(place.elsewhere === undefined && { ownerReferences: [ownerReference(run, mode)] }),
    },
    spec: driven ? { ...drivenSpec(parent.spec), ...limitsOf(draft.spec) } : draft.spec,
  };
}

/** Whose step a run is, in the place of an owner reference, which does not reach across clusters. */
async function parentLabels({ parentCluster }: Elsewhere, { metadata }: Job): Promise<Record<string, string>> {
  return {
    [labels.parentCluster]: await parentCluster(),
    [labels.parentNamespace]: metadata.namespace!,
    [labels.parentUid]: metadata.uid!,
  };
}

/** A run of a graph has the place of its parent among others: plan, group, priority, and what that one changes of pods. */
async function fromGraph(
  { place, run, mode, inputs }: ChildRunPlan,
  runs: Extract<RunStep['runs'], { readonly graph: string }>,
  parent: WholeJob,
): Promise<JobDraft> {
  const { graph } = await place.graphs.topology(place.namespace, runs.graph);
  const given = run.metadata.annotations ?? {};
  const kept = [
    annotations.podOverride,
    annotations.jobOverride,
    annotations.priority,
    annotations.cache,
    annotations.parallelism,
    ...runPolicyKeys,
  ];
  const inherited = kept.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]] as const]));
  const override = overrideOfEveryStep(given[annotations.runOverride]);
  const { [labels.run]: _, ...own } = runLabels(run);
  const parallelism = runs.parallelism ?? parent.spec.parallelism;
  return {
    labels: { ...own, [labels.workflow]: runs.workflow, [labels.version]: runs.version },
    annotations: {
      ...Object.fromEntries(inherited),
      ...(override !== undefined && { [annotations.runOverride]: override }),
      ...(mode === 'driver' &&
        runs.parallelism !== undefined && { [annotations.parallelism]: String(runs.parallelism) }),
      [annotations.graph]: runs.graph,
      [annotations.inputs]: JSON.stringify(inputs),
    },
    spec: {
      managedBy: parent.spec.managedBy,
      completions: graph.steps.length,
      ...(parallelism !== undefined && { parallelism }),
      backoffLimit: 0,
      template: driverTemplate(parent.spec),
    } as JsonObject,
  };
}

/** What was said of single steps of the parent says nothing of those of another workflow. */
function overrideOfEveryStep(override: string | undefined): string | undefined {
  const every = objectIn(override)?.[EVERY_STEP];
  return every === undefined ? undefined : JSON.stringify({ [EVERY_STEP]: every });
}

/** A run as the plan's CronJob would make it now, with the inputs of the step over those of the plan. */
async function fromPlan(
  { place: { client, namespace }, mode, inputs, signal }: ChildRunPlan,
  plan: string,
): Promise<JobDraft> {
  const cronJob = await client.get<KubeObject & { spec?: JsonObject }>(cronJobs, plan, { namespace, signal });
  const template = fields(cronJob.spec?.jobTemplate);
  const metadata = fields(template.metadata);
  const notes = fields(metadata.annotations) as Readonly<Record<string, string>>;
  const problems: Problem[] = [];
  if (typeof notes[annotations.graph] !== 'string')
    problems.push({ path: `launch plan ${plan}`, message: 'runs a single task, which is no run of a workflow' });
  const fixed: unknown = parse(cronJob.metadata.annotations?.[annotations.fixedInputs] ?? '[]');
  for (const input of Array.isArray(fixed) ? fixed : [])
    if (Object.hasOwn(inputs, String(input)))
      problems.push({ path: `inputs.${String(input)}`, message: `is fixed by launch plan ${plan}` });
  if (problems.length > 0) throw new InvalidError(`The run of plan ${plan} cannot be started`, problems);
  const spec = fields(template.spec);
  const parallelism = spec.managedBy === undefined ? notes[annotations.parallelism] : String(spec.parallelism ?? 1);
  return {
    labels: fields(metadata.labels) as Readonly<Record<string, string>>,
    annotations: {
      ...notes,
      ...(mode === 'driver' && parallelism !== undefined && { [annotations.parallelism]: parallelism }),
      [annotations.inputs]: JSON.stringify({ ...objectIn(notes[annotations.inputs]), ...inputs }),
    },
    spec,
  };
}

/** A driver like that of the parent: with its image and account, since nobody else is known to be here. */
function drivenSpec(parent: JsonObject): JsonObject {
  const { completions, parallelism, backoffLimit, podFailurePolicy } = parent;
  const kept = { completions, parallelism, backoffLimit, podFailurePolicy, template: driverTemplate(parent) };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as JsonObject;
}

function limitsOf({ activeDeadlineSeconds }: JsonObject): JsonObject {
  return activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds };
}

/** Without what the API server adds to a Job for its own pods alone. (pkg/registry/batch/job/strategy.go: generateSelector) */
function driverTemplate({ template }: JsonObject): Json {
  const { metadata, ...rest } = fields(template);
  const { labels: own, ...others } = fields(metadata);
  const kept = Object.entries(fields(own)).filter(([key]) => !/(^|\/)(controller-uid|job-name)$/.test(key));
  return { ...rest, metadata: { ...others, labels: Object.fromEntries(kept) } };
}

/** Why there is nothing to make a run from; nothing for another error. */
export function missingSource({ runs, cluster }: RunStep, error: unknown): string | undefined {
  if (!isNotFound(error)) return undefined;
  const what = 'plan' in runs ? `launch plan ${runs.plan}` : `graph ${runs.graph} of ${runs.workflow}`;
  return `there is no ${what}${cluster === undefined ? '' : ` on cluster ${cluster}`}`;
}

function objectIn(text: string | undefined): JsonObject | undefined {
  const value = parse(text ?? 'null');
  return isJsonObject(value) ? (value as JsonObject) : undefined;
}

/** The fields of what should be an object; none of anything else. */
function fields(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
