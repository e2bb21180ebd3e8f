import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeGraph, type GraphData } from '../../lib/graph/config-map.ts';
import { GRAPH_API_VERSION, type FailurePolicy, type Gate, type Graph, type TaskStep } from '../../lib/graph/graph.ts';
import type { ValueSource } from '../../lib/graph/value-source.ts';
import {
  annotations,
  CONTENT_GRAPH,
  CONTROLLER_NAME,
  labels,
  MANAGED_BY,
  type CacheMode,
} from '../../lib/graph/labels.ts';
import { runPolicyNotes, type RunPolicy } from '../../lib/graph/run-policy.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import { escapeExpansion } from '../../lib/values/environment.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import type { ObjectSchema } from '../../lib/values/schema.ts';

/** A step in short: a shell script, and what of the step differs from nothing. */
export interface StepFixture extends Partial<Omit<TaskStep, 'kind' | 'name' | 'template' | 'task' | 'outputs'>> {
  /** Run by `sh -c`. */
  readonly script?: string;
  /** A step that only waits: nothing of it runs. */
  readonly gate?: Gate;
  /** In place of the script's. */
  readonly template?: PodTemplate;
  /** Types by name; all of them required. */
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface WorkflowFixture {
  readonly name?: string;
  readonly inputs?: ObjectSchema;
  readonly outputs?: Readonly<Record<string, ValueSource>>;
  readonly failurePolicy?: FailurePolicy;
  readonly steps: Readonly<Record<string, StepFixture>>;
}

export function objectSchema(types: Readonly<Record<string, string>>): ObjectSchema {
  return {
    properties: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])),
    required: Object.keys(types),
  };
}

export function template(script: string, container: JsonObject = {}, spec: JsonObject = {}): PodTemplate {
  return {
    spec: {
      ...spec,
      containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', escapeExpansion(script)], ...container }],
    },
  } as unknown as PodTemplate;
}

export function graphOf({ name = 'etl', inputs, outputs, failurePolicy, steps }: WorkflowFixture): Graph {
  return {
    apiVersion: GRAPH_API_VERSION,
    workflow: name,
    inputs: inputs ?? { properties: {}, required: [] },
    outputs: outputs ?? {},
    failurePolicy: failurePolicy ?? 'FinishRunning',
    steps: Object.entries(steps).map(([step, { script: _, template: __, outputs: types, gate, ...rest }]) => {
      const outputs = types && { outputs: objectSchema(types) };
      if (gate !== undefined) return { kind: 'gate', name: step, gate, ...rest, ...outputs };
      const task = { task: step, template: `${name}-${step}`, inputs: {} };
      return { kind: 'task', name: step, ...task, ...rest, ...outputs };
    }),
  };
}

function tasksOf(steps: WorkflowFixture['steps']): readonly [string, StepFixture][] {
  return Object.entries(steps).filter(([, { gate }]) => gate === undefined);
}

export function templatesOf({ name = 'etl', steps }: WorkflowFixture): Record<string, PodTemplate> {
  return Object.fromEntries(
    tasksOf(steps).map(([step, fixture]) => [
      `${name}-${step}`,
      fixture.template ?? template(fixture.script ?? 'true'),
    ]),
  );
}

/** The workflow as the objects that synth emits. */
export function manifestsOf(workflow: WorkflowFixture, plans: readonly PlanFixture[] = []): JsonObject[] {
  const { name = 'etl' } = workflow;
  const own = { [labels.managedBy]: MANAGED_BY, [labels.workflow]: name };
  const graph = encodeGraph(graphOf(workflow)) as GraphData;
  return [
    ...Object.entries(templatesOf(workflow)).map(([templateName, pod]) => ({
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { name: templateName, labels: own },
      template: pod as unknown as JsonObject,
    })),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${name}-0123456789`, labels: { ...own, [labels.content]: CONTENT_GRAPH } },
      ...graph,
    } as unknown as JsonObject,
    ...plans.map((plan) => planObject(name, plan)),
  ];
}

export interface PlanFixture {
  readonly name: string;
  readonly inputs?: JsonObject;
  readonly fixed?: readonly string[];
  readonly parallelism?: number;
  readonly podOverride?: JsonObject;
  readonly cache?: CacheMode;
  readonly policy?: RunPolicy;
}

function planObject(
  workflow: string,
  { name, inputs = {}, fixed, parallelism = 2, podOverride, cache, policy = {} }: PlanFixture,
): JsonObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name,
      labels: { [labels.managedBy]: MANAGED_BY, [labels.workflow]: workflow, [labels.plan]: name },
      ...(fixed && { annotations: { [annotations.fixedInputs]: JSON.stringify(fixed) } }),
    },
    spec: {
      schedule: '0 0 * * *',
      jobTemplate: {
        metadata: {
          annotations: {
            [annotations.graph]: `${workflow}-0123456789`,
            [annotations.inputs]: JSON.stringify(inputs),
            ...(cache && { [annotations.cache]: cache }),
            ...runPolicyNotes(policy),
            ...(podOverride && { [annotations.podOverride]: JSON.stringify(podOverride) }),
          },
        },
        spec: { managedBy: CONTROLLER_NAME, parallelism, template: {} },
      },
    },
  };
}

/** A directory of manifests, one document a line: JSON is YAML. */
export function writeManifests(directory: string, objects: readonly JsonObject[]): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'app.k8s.yaml'), objects.map((object) => `---\n${JSON.stringify(object)}\n`).join(''));
  return directory;
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'cdk8s-workflows-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
