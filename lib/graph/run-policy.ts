import { isJsonObject, canonicalJson, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { failurePolicies, type FailurePolicy, type Graph, type StepNode } from './graph.ts';
import { takesItemRetries } from './item-retries.ts';
import { annotations } from './labels.ts';
import { isRetryPolicy, policyProblems, type RetryPolicy } from './retries.ts';

/** How a run goes, as far as the run says so and not its workflow. It is read once, when the run is taken up. */
export interface RunPolicy {
  /** @default that of the workflow */
  readonly failurePolicy?: FailurePolicy;
  /** Of the steps that run a task and say nothing of retries. @default none */
  readonly retries?: RetryPolicy;
  /** Sends steps that say nothing of it to spot nodes, which an object tells by `selector` and `toleration`; `false` keeps all steps off them. @default as each step says */
  readonly spot?: boolean | JsonObject;
  /** URI that begins those of what steps store elsewhere. @default none */
  readonly artifactRoot?: string;
}

/** The annotations of a run's Job that have it. */
export const runPolicyKeys: readonly string[] = [
  annotations.failurePolicy,
  annotations.retries,
  annotations.spot,
  annotations.artifactRoot,
];

/** A policy as annotations. */
export function runPolicyNotes({ failurePolicy, retries, spot, artifactRoot }: RunPolicy): Record<string, string> {
  return {
    ...(failurePolicy && { [annotations.failurePolicy]: failurePolicy }),
    ...(retries && { [annotations.retries]: canonicalJson(retries as unknown as JsonObject) }),
    ...(spot !== undefined && { [annotations.spot]: canonicalJson(spot) }),
    ...(artifactRoot !== undefined && { [annotations.artifactRoot]: artifactRoot }),
  };
}

/** The policy in annotations, and what in them is none. */
export function readRunPolicy(notes: Readonly<Record<string, unknown>>): {
  readonly policy: RunPolicy;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const text = (key: string) => (notes[key] === undefined ? undefined : String(notes[key]));
  const parsed = <T>(key: string, what: string, fits: (value: unknown) => boolean): T | undefined => {
    const given = text(key);
    if (given === undefined) return undefined;
    const value = parse(given);
    if (fits(value)) return value as T;
    problems.push({ path: key, message: `must be ${what}, not ${show(given)}` });
    return undefined;
  };
  const failurePolicy = text(annotations.failurePolicy);
  const retries = parsed<RetryPolicy>(annotations.retries, 'a retry policy in JSON, with a "limit"', isRetryPolicy);
  const isSpot = (value: unknown) => typeof value === 'boolean' || isJsonObject(value);
  const spot = parsed<boolean | JsonObject>(annotations.spot, 'true, false or a JSON object', isSpot);
  const artifactRoot = text(annotations.artifactRoot);
  const policy: RunPolicy = {
    ...(failurePolicy !== undefined && { failurePolicy: failurePolicy as FailurePolicy }),
    ...(retries && { retries }),
    ...(spot !== undefined && { spot }),
    ...(artifactRoot !== undefined && { artifactRoot }),
  };
  const paths = { failurePolicy: annotations.failurePolicy, retries: annotations.retries };
  problems.push(...runPolicyProblems(policy, { ...paths, artifactRoot: annotations.artifactRoot }));
  return { policy, problems };
}

/** Where {@link runPolicyProblems} tells of what. */
interface PolicyPaths {
  readonly failurePolicy: string;
  readonly retries: string;
  readonly artifactRoot: string;
}

const FIELDS: PolicyPaths = { failurePolicy: 'failurePolicy', retries: 'retries', artifactRoot: 'artifactRoot' };

/** What makes no sense in a policy. */
export function* runPolicyProblems(
  { failurePolicy, retries, artifactRoot }: RunPolicy,
  paths = FIELDS,
): Generator<Problem> {
  if (failurePolicy !== undefined && !failurePolicies.includes(failurePolicy))
    yield {
      path: paths.failurePolicy,
      message: `is ${show(failurePolicy)}`,
      fix: suggest(failurePolicy, failurePolicies) ?? `known are ${failurePolicies.join(', ')}`,
    };
  if (retries !== undefined) yield* policyProblems(retries, paths.retries);
  if (artifactRoot !== undefined && !/^[a-z][a-z0-9+.-]*:\/\/[^\s?#]+$/i.test(artifactRoot))
    yield {
      path: paths.artifactRoot,
      message: `must be a URI without query and fragment, not ${show(artifactRoot)}`,
      fix: 'write it as s3://bucket/path',
    };
}

/** The graph as a run with this policy follows it. */
export function withRunPolicy(graph: Graph, policy: RunPolicy): Graph {
  const { failurePolicy = graph.failurePolicy, retries, spot } = policy;
  if (failurePolicy === graph.failurePolicy && retries === undefined && spot === undefined) return graph;
  return { ...graph, failurePolicy, steps: graph.steps.map((step) => withSpot(withRetries(step, retries), spot)) };
}

function withRetries(step: StepNode, retries: RetryPolicy | undefined): StepNode {
  if (retries === undefined) return step;
  if (step.kind === 'indexedMap')
    return step.itemRetries === undefined && takesItemRetries(retries) ? { ...step, itemRetries: retries } : step;
  return isOfAttempts(step) && step.retries === undefined ? { ...step, retries } : step;
}

function withSpot(step: StepNode, spot: RunPolicy['spot']): StepNode {
  if (spot === undefined || !isOfAttempts(step)) return step;
  if (spot === false) {
    const { spot: _, ...rest } = step;
    return rest;
  }
  return step.spot === undefined && step.runSpot === undefined ? { ...step, runSpot: true } : step;
}

/** Whether single attempts at it are pods, or Jobs around one. */
function isOfAttempts(step: StepNode) {
  return step.kind === 'task' || step.kind === 'map' || step.kind === 'service';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
