import type { Json } from '../values/json.ts';
import type { ObjectSchema } from '../values/schema.ts';
import type { CachePolicy } from './cache.ts';
import type { LockSource } from './locks.ts';
import type { RetryPolicy } from './retries.ts';
import type { ValueCondition, ValueSource } from './value-source.ts';

/**
 * The compiled workflow: the contract between the constructs that write it and the engine that runs it.
 * It is stored as JSON in an immutable ConfigMap whose name carries its content hash.
 */
export interface Graph {
  readonly apiVersion: 'cdk8s-workflows.dev/v1';
  readonly workflow: string;
  readonly inputs: ObjectSchema;
  /** The workflow's outputs by name, filled when the run has succeeded. */
  readonly outputs: Readonly<Record<string, ValueSource>>;
  readonly failurePolicy: FailurePolicy;
  /** In the author's order, which is also the order in which ready steps start. */
  readonly steps: readonly StepNode[];
}

export const GRAPH_API_VERSION = 'cdk8s-workflows.dev/v1';

/**
 * What happens to the others when a step has failed. `CancelRunning`: stop those that run. `FinishRunning`: let
 * them end, start nothing new. `RunIndependent`: run all that does not depend on the failure.
 */
export const failurePolicies = ['CancelRunning', 'FinishRunning', 'RunIndependent'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];
export const DEFAULT_FAILURE_POLICY: FailurePolicy = 'FinishRunning';

/**
 * A step, by kind. A new kind is a new member here, a file with what the graph must know of it (`step-kinds.ts`
 * lists them), and one with its rules in the engine (`lib/engine/kinds.ts`).
 */
export type StepNode = TaskStep | MapStep | IndexedMapStep | ServiceStep | RunStep | GateStep | BeginStep | GroupStep;

/** What steps of all kinds have. */
export interface CommonStep {
  /** Unique in the graph; a DNS label. */
  readonly name: string;
  /** Left out when it has no outputs. */
  readonly outputs?: ObjectSchema;
  /** Steps that come before this one without passing data. */
  readonly after?: readonly string[];
  /** What must hold of the ends of other steps. It is looked at as soon as it is decided, also while some of them still run. */
  readonly depends?: EndCondition;
  /** When it runs: `finally` after all others, whatever became of them, `onFailure` before those if the run failed. @default with the others, by its edges */
  readonly role?: Role;
  /** The step is skipped when this is false. */
  readonly when?: ValueCondition;
  /** From when the step became ready, all its attempts and the waiting between them together. */
  readonly timeoutSeconds?: number;
  /** Its failure does not fail the run, nor does it count for the failure policy. */
  readonly continueOnFailure?: boolean;
}

/** A step that runs a container to its end. */
export interface TaskStep extends CommonStep {
  readonly kind: 'task';
  /** The task's name, for labels and messages. */
  readonly task: string;
  /** Name of the PodTemplate, in the run's namespace. */
  readonly template: string;
  /** What the controller creates for an attempt. A Job keeps its result even when the pod is deleted. @default 'Pod' */
  readonly runAs?: 'Pod' | 'Job';
  /** With `runAs: 'Job'`: what its author says of the Job around the pod, as part of a Job. */
  readonly job?: ValueSource;
  readonly inputs: Readonly<Record<string, ValueSource>>;
  /** What values make of the pod: part of a pod template, merged over the PodTemplate. Left out when all of the pod is known. */
  readonly pod?: ValueSource;
  /** The same for an attempt on spot nodes, with what brings it there. The last attempt that the platform may fail goes without. Left out when no attempt goes there. */
  readonly spot?: ValueSource;
  /** Whether attempts go to spot nodes when nothing but the run sends them: `false` where its author keeps it off them, `true` in the graph of a run that sends it there. @default as the run says */
  readonly runSpot?: boolean;
  readonly retries?: RetryPolicy;
  /** How many failures of the platform are followed by another attempt. @default 3 */
  readonly systemRetries?: number;
  /** For one attempt, from when it is asked for until its container starts. */
  readonly pendingTimeoutSeconds?: number;
  /** For one attempt, from its start. */
  readonly attemptTimeoutSeconds?: number;
  /** What it has while an attempt runs, all of them or none. Each item of a map has its own. */
  readonly locks?: readonly LockSource[];
  /** Left out for a step that always runs. */
  readonly cache?: CachePolicy;
}

/**
 * A step that runs a task once for each item of lists. What it says of its task holds for each item; its `timeoutSeconds`
 * is for all of them together.
 */
export interface MapStep extends Omit<TaskStep, 'kind'> {
  readonly kind: 'map';
  /** Each item of one list with each of the others; the last goes round fastest. */
  readonly over: readonly MapList[];
  /** What one item gives; `outputs` has a list of each. Left out when the task has no outputs. */
  readonly itemOutputs?: ObjectSchema;
  /** How many items may run at once. @default as many as the run allows */
  readonly concurrency?: number;
  /** How many items must succeed. @default all of them */
  readonly minSuccesses?: number;
  /** The share of the items that must succeed, above 0 and at most 1. @default all of them */
  readonly minSuccessRatio?: number;
}

/**
 * A step that runs a task once for each item of lists, as one Indexed Job. An attempt at the step is such a Job: when an item
 * runs, and how often it is tried, is the Job's business. Its `timeoutSeconds` is for all items together, its
 * `pendingTimeoutSeconds` until the first of them starts.
 */
export interface IndexedMapStep extends Omit<MapStep, 'kind' | NotIndexed> {
  readonly kind: 'indexedMap';
  readonly runAs: 'Job';
  /** How often an item is tried again; of what a policy may say, the limit and rules of exit codes. @default never */
  readonly itemRetries?: RetryPolicy;
  /** For one try of an item, from when its pod is on a node; whole seconds. */
  readonly itemTimeoutSeconds?: number;
}

/** What is about single attempts of an item, of which an Indexed Job knows nothing. */
type NotIndexed = 'runAs' | 'spot' | 'runSpot' | 'retries' | 'attemptTimeoutSeconds' | 'locks' | 'cache';

/**
 * A step that runs a container which stays up while the steps that depend on it run. They may run once it is ready, and it is
 * stopped when they have ended. It gives one output, `host`: where it is reached.
 */
export interface ServiceStep extends Omit<TaskStep, 'kind' | NotOfServices> {
  readonly kind: 'service';
  readonly runAs?: never;
  readonly job?: never;
  readonly locks?: never;
  readonly cache?: never;
}

/** What a service gives: the address at which the steps that depend on it reach it. */
export const serviceOutputs: ObjectSchema = { properties: { host: { type: 'string' } }, required: ['host'] };

type NotOfServices = 'runAs' | 'job' | 'locks' | 'cache';

/** A step whose attempts are containers. */
export type ContainerStep = TaskStep | ServiceStep;

/** A list that a map goes over. */
export interface MapList {
  /** The task's input that takes its items. */
  readonly input: string;
  readonly list: ValueSource;
}

/** A step that is a run of its own: each attempt at it is another run, which belongs to the run of the step. */
export interface RunStep extends CommonStep {
  readonly kind: 'run';
  readonly runs: RunSource;
  /** Name of the cluster that it runs on. @default that of the run of the step */
  readonly cluster?: string;
  readonly inputs: Readonly<Record<string, ValueSource>>;
  /** How many runs there may be one in the other, the outermost and this one included. @default 10 */
  readonly maxDepth?: number;
  readonly retries?: RetryPolicy;
  /** How many failures of the platform are followed by another attempt. @default 3 */
  readonly systemRetries?: number;
  /** For one attempt, from its start. */
  readonly attemptTimeoutSeconds?: number;
}

/** What a run is made from: a graph, or a launch plan as it is when the run is to begin. */
export type RunSource =
  | {
      readonly workflow: string;
      /** Name of the graph's ConfigMap, where the run is. */
      readonly graph: string;
      readonly version: string;
      /** How many steps of it may run at once. @default as many as of the run of the step */
      readonly parallelism?: number;
    }
  /** Name of the plan's CronJob, where the run is. */
  | { readonly plan: string };

export const DEFAULT_MAX_DEPTH = 10;

/** Steps that wait for the end of all others, not for single ones. */
export const roles = ['onFailure', 'finally'] as const;
export type Role = (typeof roles)[number];

/** How a step ended. `failed` also holds with `continueOnFailure`; `finished` is any of the others. */
export const endings = ['succeeded', 'failed', 'skipped', 'cancelled', 'finished'] as const;
export type Ending = (typeof endings)[number];

/** A condition on the ends of steps. Exactly one of the members. */
export type EndCondition =
  | { readonly step: string; readonly ended: Ending }
  | { readonly all: readonly EndCondition[] }
  | { readonly any: readonly EndCondition[] }
  | { readonly not: EndCondition };

/**
 * A step that runs nothing: it waits for somebody's answer, or for a time. Its `timeoutSeconds` end the waiting: by the gate's
 * `default`, or as a failure when there is none.
 */
export interface GateStep extends CommonStep {
  readonly kind: 'gate';
  readonly gate: Gate;
}

/** What a gate waits for. */
export type Gate =
  /** Somebody's approval; `message` is shown to them. */
  | { readonly waitsFor: 'approval'; readonly message?: ValueSource; readonly default?: 'approve' | 'deny' }
  /** A value that fits the step's output `value`. */
  | { readonly waitsFor: 'input'; readonly message?: ValueSource; readonly default?: Json }
  /** So many seconds from when it began to wait. */
  | { readonly waitsFor: 'sleep'; readonly seconds: ValueSource; readonly default?: 'continue' }
  /** A time, as text in ISO 8601. */
  | { readonly waitsFor: 'time'; readonly until: ValueSource; readonly default?: 'continue' };

/**
 * A step that runs nothing: where a workflow begins that is part of this one. It has what is asked of the whole: its inputs,
 * and what comes before it. Left out where nothing is asked.
 */
export interface BeginStep extends CommonStep {
  readonly kind: 'begin';
  /** Name of the workflow that begins. */
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, ValueSource>>;
}

/**
 * A step that runs nothing: it stands for the steps of a workflow that is part of this one. When all of them have ended, it
 * ends as a run of that workflow would have, and gives its outputs.
 */
export interface GroupStep extends CommonStep {
  readonly kind: 'group';
  /** Name of the workflow that it stands for. */
  readonly workflow: string;
  /** Where it begins. @default nothing is asked of it as a whole */
  readonly begin?: string;
  /** Its steps, and the step where it begins. */
  readonly steps: readonly string[];
  /** A step's failure counts as that of the group, since others look at how the group ends. @default it fails the run by itself */
  readonly contains?: boolean;
  /** Its outputs by name; one that has no value is not there. */
  readonly values: Readonly<Record<string, ValueSource>>;
}

/** A step that runs a task, and so has a pod. */
export type PodStep = ContainerStep | MapStep | IndexedMapStep;

/** The steps that run a task, and so have a pod. */
export function taskSteps({ steps }: Pick<Graph, 'steps'>): readonly PodStep[] {
  return steps.filter(hasPod);
}

/** Whether a step runs a task. */
export function hasPod(step: StepNode): step is PodStep {
  return step.kind === 'task' || step.kind === 'service' || hasItems(step);
}

/** Whether a step runs its task for each item of lists. */
export function hasItems(step: StepNode): step is MapStep | IndexedMapStep {
  return step.kind === 'map' || step.kind === 'indexedMap';
}
