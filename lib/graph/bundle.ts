import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { decodeGraph } from './config-map.ts';
import { taskSteps, type Graph } from './graph.ts';
import { annotations, CONTENT_GRAPH, labels, cacheModes, type CacheMode } from './labels.ts';
import { readRunPolicy, type RunPolicy } from './run-policy.ts';

/** A workflow as a set of manifests holds it. */
export interface WorkflowManifests {
  readonly workflow: string;
  readonly namespace?: string;
  /** Name of the graph's ConfigMap. */
  readonly graphName: string;
  readonly graph: Graph;
  /** The pod template of every step, by the name that the graph refers to it with. */
  readonly templates: ReadonlyMap<string, JsonObject>;
  /** What holds over these templates, as their annotations say it, by the same names. */
  readonly policies: ReadonlyMap<string, string>;
  readonly plans: readonly PlanManifest[];
}

/** A launch plan over a workflow. */
export interface PlanManifest {
  readonly name: string;
  readonly namespace?: string;
  /** Default and fixed inputs together. */
  readonly inputs: JsonObject;
  /** Names of the inputs that are the time of the run. */
  readonly kickoffInputs: readonly string[];
  /** Those of them that a launch cannot change. */
  readonly fixedInputs: readonly string[];
  readonly parallelism?: number;
  readonly timeoutSeconds?: number;
  readonly cache?: CacheMode;
  /** A pod template that is merged over that of every step. */
  readonly podOverride?: JsonObject;
  /** How its runs go. @default as the workflow says */
  readonly policy?: RunPolicy;
}

/** What {@link findWorkflows} gives. The problems are those of objects that claim to be ours. */
export interface FoundWorkflows {
  readonly workflows: readonly WorkflowManifests[];
  readonly problems: readonly Problem[];
}

/** The workflows in the manifests of one cluster, by name, each with its templates and plans. */
export function findWorkflows(objects: readonly JsonObject[]): FoundWorkflows {
  const problems: Problem[] = [];
  const templates = new Map<string, JsonObject>();
  const policies = new Map<string, string>();
  const plans = new Map<string, PlanManifest[]>();
  for (const object of objects) {
    if (object.kind === 'PodTemplate' && isJsonObject(object.template)) {
      templates.set(keyOf(object), object.template);
      const policy = fields(fields(object.metadata).annotations)[annotations.policy];
      if (typeof policy === 'string') policies.set(keyOf(object), policy);
    }
    if (object.kind !== 'CronJob') continue;
    const read = readPlan(object);
    if ('problems' in read) problems.push(...read.problems);
    else if ('graph' in read) plans.set(read.graph, [...(plans.get(read.graph) ?? []), read.plan]);
  }
  const workflows: WorkflowManifests[] = [];
  for (const object of objects) {
    if (object.kind !== 'ConfigMap' || fields(fields(object.metadata).labels)[labels.content] !== CONTENT_GRAPH)
      continue;
    const { name, namespace } = nameOf(object);
    const decoded = decodeGraph(object as Parameters<typeof decodeGraph>[0]);
    if ('problems' in decoded) {
      problems.push(...decoded.problems.map((problem) => ({ ...problem, path: `ConfigMap ${name}: ${problem.path}` })));
      continue;
    }
    const { graph } = decoded;
    const found = templatesOf(graph, namespace, templates);
    problems.push(...found.problems.map((problem) => ({ ...problem, path: `ConfigMap ${name}: ${problem.path}` })));
    workflows.push({
      workflow: graph.workflow,
      ...(namespace !== undefined && { namespace }),
      graphName: name,
      graph,
      templates: found.templates,
      policies: policiesOf(graph, namespace, policies),
      plans: plans.get(keyOf(object)) ?? [],
    });
  }
  return { workflows: workflows.sort((a, b) => (a.workflow < b.workflow ? -1 : 1)), problems };
}

function templatesOf(graph: Graph, namespace: string | undefined, all: ReadonlyMap<string, JsonObject>) {
  const templates = new Map<string, JsonObject>();
  const problems: Problem[] = [];
  for (const { name, template } of taskSteps(graph)) {
    const found = all.get(`${namespace ?? ''}/${template}`);
    if (found !== undefined) templates.set(template, found);
    else
      problems.push({
        path: `step ${name}`,
        message: `there is no PodTemplate ${show(template)}`,
        fix: suggest(
          template,
          [...all.keys()].map((key) => key.slice(key.indexOf('/') + 1)),
        ),
      });
  }
  return { templates, problems };
}

function policiesOf(graph: Graph, namespace: string | undefined, all: ReadonlyMap<string, string>) {
  return new Map(
    taskSteps(graph).flatMap(({ template }) => {
      const policy = all.get(`${namespace ?? ''}/${template}`);
      return policy === undefined ? [] : [[template, policy] as const];
    }),
  );
}

type ReadPlan =
  | { readonly graph: string; readonly plan: PlanManifest }
  | { readonly problems: readonly Problem[] }
  | { readonly other: true };

/** A CronJob that has a graph is a launch plan; any other is somebody else's, or a plan over a single task. */
function readPlan(cronJob: JsonObject): ReadPlan {
  const { name, namespace } = nameOf(cronJob);
  const template = fields(fields(cronJob.spec).jobTemplate);
  const notes = fields(fields(template.metadata).annotations);
  const graph = notes[annotations.graph];
  if (typeof graph !== 'string') return { other: true };
  const spec = fields(template.spec);
  const problems: Problem[] = [];
  const parse = (
    text: Json | undefined,
    key: string,
    fits: (value: unknown) => boolean,
    what: string,
  ): Json | undefined => {
    if (text === undefined) return undefined;
    const value = parseJson(text);
    if (fits(value)) return value;
    problems.push({ path: `CronJob ${name}: annotation ${key}`, message: `must be ${what}, not ${show(text)}` });
    return undefined;
  };
  const inputs = parse(notes[annotations.inputs], annotations.inputs, isJsonObject, 'a JSON object');
  const kickoff = parse(notes[annotations.kickoffInputs], annotations.kickoffInputs, isStrings, 'a JSON list of names');
  const podOverride = parse(notes[annotations.podOverride], annotations.podOverride, isJsonObject, 'a JSON object');
  const { policy, problems: wrong } = readRunPolicy(notes);
  problems.push(...wrong.map((problem) => ({ ...problem, path: `CronJob ${name}: annotation ${problem.path}` })));
  const fixed = fields(fields(cronJob.metadata).annotations)[annotations.fixedInputs];
  const fixedInputs = parse(fixed, annotations.fixedInputs, isStrings, 'a JSON list of names');
  if (problems.length > 0) return { problems };
  const cache = cacheModes.find((mode) => mode === notes[annotations.cache]);
  const driven = Number(notes[annotations.parallelism]);
  const parallelism = Number.isInteger(driven) ? driven : spec.parallelism;
  return {
    graph: `${namespace ?? ''}/${graph}`,
    plan: {
      name,
      ...(namespace !== undefined && { namespace }),
      inputs: (inputs ?? {}) as JsonObject,
      kickoffInputs: (kickoff ?? []) as readonly string[],
      fixedInputs: (fixedInputs ?? []) as readonly string[],
      ...(typeof parallelism === 'number' && { parallelism }),
      ...(typeof spec.activeDeadlineSeconds === 'number' && { timeoutSeconds: spec.activeDeadlineSeconds }),
      ...(cache && { cache }),
      ...(podOverride !== undefined && { podOverride: podOverride as JsonObject }),
      ...(Object.keys(policy).length > 0 && { policy }),
    },
  };
}

const isStrings = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');

function parseJson(text: Json): Json | undefined {
  try {
    return JSON.parse(String(text)) as Json;
  } catch {
    return undefined;
  }
}

/** The fields of what should be an object; none of anything else. */
function fields(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function nameOf(object: JsonObject): { name: string; namespace?: string } {
  const { name, namespace } = fields(object.metadata);
  return { name: String(name), ...(typeof namespace === 'string' && { namespace }) };
}

function keyOf(object: JsonObject): string {
  const { name, namespace } = nameOf(object);
  return `${namespace ?? ''}/${name}`;
}
