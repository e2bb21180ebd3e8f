import type { RunSpec } from '../engine/advance.ts';
import { readAnswers } from '../engine/answers.ts';
import type { RunId } from '../engine/lock-table.ts';
import { readSkips } from '../engine/skips.ts';
import { kickoffInputs } from '../graph/kickoff.ts';
import { annotations, cacheModes, cancelModes, CONTROLLER_NAME, labels, MANAGED_BY } from '../graph/labels.ts';
import { readRunPolicy, type RunPolicy } from '../graph/run-policy.ts';
import type { Spot } from '../pods/settings/spot.ts';
import type { JobOverride } from '../pods/job-template.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import type { Topology } from '../graph/topology.ts';
import { jobOverrideProblems, overrideProblems, runOverrideProblems, type RunOverride } from '../pods/run-override.ts';
import type { RunLayers } from '../pods/runtime-template.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import type { Job } from './objects.ts';

/** Who sequences a run: the controller of the cluster, or a driver in the run's own pod. */
export type Mode = 'managed' | 'driver';

/** Whether a Job is a run that the controller sequences. */
export function isRun(job: Job): boolean {
  return job.metadata.labels?.[labels.managedBy] === MANAGED_BY && job.spec?.managedBy === CONTROLLER_NAME;
}

/** Whether a Job is a step of a run of this cluster. */
export function isStepHere({ metadata: { labels: given } }: Job): boolean {
  return given?.[labels.step] !== undefined && given[labels.parentUid] === undefined;
}

/** What tells a run from others. */
export function runId({ metadata }: Job): RunId {
  return { uid: metadata.uid ?? '', namespace: metadata.namespace ?? '', name: metadata.name };
}

/** What a run's Job asks for and keeps asking for. */
export interface RunRequest {
  /** The graph's ConfigMap. */
  readonly graph: string;
  readonly inputs: JsonObject;
  /** What it changes of its pods; `spot` of those that go to spot nodes. */
  readonly layers: RunLayers;
  readonly policy: RunPolicy;
  /** The run that it goes on from, and the steps that run again all the same. */
  readonly recover?: { readonly run: string; readonly rerun: readonly string[] };
}

/** What a run's Job asks for, or everything that is wrong with it. */
export function readRequest(job: Job): RunRequest | { readonly problems: readonly Problem[] } {
  const given = job.metadata.annotations ?? {};
  const problems: Problem[] = [];
  const object = (key: string): JsonObject | undefined => {
    const text = given[key];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (isJsonObject(value)) return value as JsonObject;
    problems.push({ path: key, message: `must be a JSON object, not ${show(text)}` });
    return undefined;
  };
  const graph = given[annotations.graph];
  if (!graph)
    problems.push({
      path: annotations.graph,
      message: 'is missing',
      fix: "set it to the name of the graph's ConfigMap",
    });
  const inputs = { ...kickoffInputs(job.metadata), ...object(annotations.inputs) };
  const podOverride = object(annotations.podOverride) as PodTemplateOverride | undefined;
  if (podOverride) problems.push(...overrideProblems(podOverride, (path) => `${annotations.podOverride}: ${path}`));
  const jobOverride = object(annotations.jobOverride);
  if (jobOverride) problems.push(...jobOverrideProblems(jobOverride, (path) => `${annotations.jobOverride}: ${path}`));
  const runOverride = object(annotations.runOverride);
  if (runOverride) problems.push(...runOverrideProblems(runOverride, annotations.runOverride));
  const recover = readRecover(given, problems);
  const { policy, problems: wrong } = readRunPolicy(given);
  problems.push(...wrong);
  if (problems.length > 0 || !graph) return { problems };
  const plan = job.metadata.labels?.[labels.plan];
  const layers: RunLayers = {
    run: job.metadata.name,
    ...(plan !== undefined && { plan }),
    ...(podOverride && { podOverride }),
    ...(jobOverride && { jobOverride: jobOverride as JobOverride }),
    ...(runOverride && { runOverride: runOverride as RunOverride }),
    ...(policy.spot && { spot: policy.spot as Spot | true }),
  };
  return { graph, inputs, layers, policy, ...(recover && { recover }) };
}

function readRecover(given: Readonly<Record<string, string>>, problems: Problem[]): RunRequest['recover'] {
  const { [annotations.recover]: run, [annotations.rerunSteps]: steps } = given;
  const rerun = steps === undefined ? [] : parse(steps);
  if (!Array.isArray(rerun) || !rerun.every((step) => typeof step === 'string')) {
    problems.push({
      path: annotations.rerunSteps,
      message: `must be a JSON array of names of steps, not ${show(steps)}`,
    });
    return undefined;
  }
  if (run !== undefined) return { run, rerun };
  if (steps !== undefined)
    problems.push({
      path: annotations.rerunSteps,
      message: 'says nothing alone',
      fix: `set ${annotations.recover} to the run that this one goes on from`,
    });
  return undefined;
}

/** The fields of a run's Job that may change while it runs. */
export type RunControls = Pick<
  RunSpec,
  'parallelism' | 'priority' | 'suspended' | 'timeoutSeconds' | 'cancel' | 'cache' | 'answers' | 'skips'
>;

/**
 * What a run's Job says at the moment, and what it says that makes no sense and is passed over. What was said to gates and
 * which steps are skipped can only be told when the run's graph is known.
 */
export function readControls(
  job: Job,
  sequencer: Mode,
  graph?: Topology,
): { readonly controls: RunControls; readonly problems: readonly Problem[] } {
  const { suspend, parallelism: own = 1, activeDeadlineSeconds } = job.spec ?? {};
  const given = job.metadata.annotations ?? {};
  const problems: Problem[] = [];
  const mode = <T extends string>(path: string, known: readonly T[]): T | undefined => {
    const asked = given[path];
    const found = known.find((each) => each === asked);
    if (asked !== undefined && found === undefined)
      problems.push({
        path,
        message: `is ${show(asked)}`,
        fix: suggest(asked, known) ?? `known are ${known.join(', ')}`,
      });
    return found;
  };
  const cancel = mode(annotations.cancel, cancelModes);
  const cache = mode(annotations.cache, cacheModes);
  let parallelism = own;
  if (sequencer === 'driver') {
    // There `spec.parallelism` says how many drivers run.
    const text = given[annotations.parallelism] ?? String(Number.MAX_SAFE_INTEGER);
    parallelism = Number(text);
    if (!/^\d+$/.test(text)) {
      problems.push({ path: annotations.parallelism, message: `must be a whole number, not ${show(text)}` });
      parallelism = 1;
    }
  }
  const priority = Number(given[annotations.priority] ?? 0);
  if (!Number.isSafeInteger(priority))
    problems.push({
      path: annotations.priority,
      message: `must be a whole number, not ${show(given[annotations.priority])}`,
    });
  const said = graph && readAnswers(given, graph);
  const skipped = graph && readSkips(given, graph);
  problems.push(...(said?.problems ?? []), ...(skipped?.problems ?? []));
  return {
    controls: {
      parallelism: Math.max(1, parallelism),
      priority: Number.isSafeInteger(priority) ? priority : 0,
      // Kubernetes allows a parallelism of 0, which pauses a Job.
      suspended: suspend === true || parallelism === 0,
      ...(activeDeadlineSeconds !== undefined && { timeoutSeconds: activeDeadlineSeconds }),
      ...(cancel && { cancel }),
      ...(cache && { cache }),
      ...(said && { answers: said.answers }),
      ...(skipped && { skips: skipped.skips }),
    },
    problems,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
