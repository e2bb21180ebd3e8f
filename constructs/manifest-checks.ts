import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { annotations, CONTROLLER_NAME } from '../lib/graph/labels.ts';
import { ruleProblems, type Rule, type RuleContext } from '../lib/manifests/rule.ts';
import { validateManifest, validatePartialTemplate } from '../lib/manifests/validate.ts';
import { podTemplateOf } from '../lib/manifests/workload.ts';
import { annotationSizeProblems } from '../lib/plans/run-job.ts';
import { layerName } from '../lib/pods/layer.ts';
import type { Origins } from '../lib/pods/origins.ts';
import { overrideProblems } from '../lib/pods/run-override.ts';
import type { PodTemplate } from '../lib/pods/template.ts';
import { validateTemplate } from '../lib/pods/validate-template.ts';
import { isJsonObject, type Json, type JsonObject } from '../lib/values/json.ts';
import { formatProblem, type Problem } from '../lib/values/problems.ts';
import { clusterOf } from './cluster.ts';
import type { GrownPod } from './grown-pods.ts';
import { policyLayer } from './layers.ts';
import { accountProblems, launchedPods, runOverrideIn, type LaunchedStep } from './launched-pods.ts';

/** What a run starts without carrying it: the steps of its workflow, over whose pods its override is merged. */
export interface Launched {
  readonly podSteps: readonly LaunchedStep[];
}

/** What is told apart from the object itself. */
export interface ManifestOptions {
  /** How the object is called in problems. @default its name */
  readonly name?: string;
  /** The workflow that it starts. @default none */
  readonly launches?: Launched;
  /** Where the fields of its pod came from, to name whose they are; nothing when they made no pod. @default nobody is named */
  readonly origins?: () => Origins | undefined;
  /** What its pod becomes later on. @default it stays as it is */
  readonly grown?: () => readonly GrownPod[];
}

/** What holds for the manifests of a scope. */
export interface ScopeChecks {
  readonly rules: readonly Rule[];
  readonly allowFields: ReadonlySet<string>;
}

/** What is wrong with the manifest of an object: fields, the pod override it carries, and what rules have against its pods. */
export function* manifestProblems(
  object: ApiObject,
  checks: ScopeChecks,
  options: ManifestOptions,
): Generator<Problem> {
  const manifest = render(object);
  if (manifest === undefined) return;
  const { name = nameOf(manifest) } = options;
  const at = (path: string) => `${object.kind} ${name}: ${path}`;
  const embedded = startsPods(manifest) ? podTemplateOf(manifest) : undefined;
  const podPath = embedded === undefined || embedded.path === '' ? '' : `${embedded.path}.`;
  const found = validateManifest(manifest, checks);
  for (const problem of found) yield { ...byLayer(problem, podPath, options), path: at(problem.path) };
  const override = podOverride(manifest);
  const inOverride = override === undefined ? [] : validatePartialTemplate(override, checks);
  for (const problem of inOverride) yield { ...problem, path: at(`podTemplate.${problem.path}`) };
  const unmergeable = override ? overrideProblems(override, (path) => at(`podTemplate.${path}`)) : [];
  yield* unmergeable;
  if (unmergeable.length > 0 || ![...found, ...inOverride].every(({ readable }) => readable)) return;
  for (const problem of annotationSizeProblems(notesOf(manifest) as Record<string, string>))
    yield { ...problem, path: at(problem.path) };
  const where = contextOf(object, manifest);
  if (embedded !== undefined)
    for (const problem of podProblems(embedded.template, validateTemplate(embedded.template), checks, where).values())
      yield { ...byLayer(problem, '', options), path: at(`${podPath}${problem.path}`) };
  for (const { name: when, ...pod } of embedded === undefined ? [] : (options.grown?.() ?? []))
    for (const problem of grownProblems(embedded!.template, pod, checks, where))
      yield { ...problem, path: at(`${when}: ${problem.path}`) };
  const run = runOverrideIn(notesOf(manifest), policyLayer(object));
  if (run === undefined) return;
  for (const problem of accountProblems(run)) yield { ...problem, path: at(`podTemplate.${problem.path}`) };
  for (const step of options.launches?.podSteps ?? []) {
    const told = new Set<string>();
    for (const { name: which, own, pod } of launchedPods(step, run)) {
      const problems = podProblems(pod.template, pod.problems, checks, where);
      for (const problem of newProblems(own, problems, checks, where)) {
        const text = formatProblem(problem);
        if (!told.has(text)) yield { ...problem, path: at(`step ${which}: ${problem.path}`) };
        told.add(text);
      }
    }
  }
}

/** A problem with the layer that it is of. */
function byLayer(problem: Problem, podPath: string, { origins }: ManifestOptions): Problem {
  const layer = problem.path.startsWith(podPath) ? origins?.()?.layerOf(problem.path.slice(podPath.length)) : undefined;
  return layer === undefined ? problem : { ...problem, message: `${problem.message} (${layerName(layer)})` };
}

function* grownProblems(
  own: PodTemplate,
  { part, template, problems }: Omit<GrownPod, 'name'>,
  checks: ScopeChecks,
  where: RuleContext,
): Generator<Problem> {
  const mistyped = validatePartialTemplate(part, checks);
  yield* mistyped;
  if (mistyped.length > 0) return;
  yield* problems;
  if (template !== undefined)
    yield* newProblems(own, podProblems(template, validateTemplate(template), checks, where), checks, where);
}

/** Problems that a step's pod does not have by itself: those the step tells. */
function* newProblems(
  own: PodTemplate,
  problems: ReadonlyMap<string, Problem>,
  checks: ScopeChecks,
  where: RuleContext,
): Generator<Problem> {
  if (problems.size === 0) return;
  const told = podProblems(own, validateTemplate(own), checks, where);
  for (const [text, problem] of problems) if (!told.has(text)) yield problem;
}

/** What makes a template no pod, and what rules have against it. */
function podProblems(
  template: PodTemplate,
  semantic: readonly Problem[],
  { rules }: ScopeChecks,
  where: RuleContext,
): ReadonlyMap<string, Problem> {
  const found = new Map(semantic.map((problem) => [formatProblem(problem), problem] as const));
  for (const [text, problem] of ruleProblems(rules, template, where)) found.set(text, problem);
  return found;
}

// What cannot be rendered is told by whoever made it, or else by cdk8s when it writes the object.
function render(object: ApiObject): JsonObject | undefined {
  try {
    return object.toJson() as JsonObject;
  } catch {
    return undefined;
  }
}

function jobOf(manifest: JsonObject): JsonObject | undefined {
  if (manifest.kind === 'Job') return manifest;
  const template = manifest.kind === 'CronJob' ? field(manifest, 'spec', 'jobTemplate') : undefined;
  return isJsonObject(template) ? template : undefined;
}

// The Job of a run that a controller sequences carries the driver's template, of which no pod is made.
function startsPods(manifest: JsonObject): boolean {
  return field(jobOf(manifest), 'spec', 'managedBy') !== CONTROLLER_NAME;
}

function notesOf(manifest: JsonObject): JsonObject {
  const notes = field(jobOf(manifest), 'metadata', 'annotations');
  return isJsonObject(notes) ? notes : {};
}

function podOverride(manifest: JsonObject): JsonObject | undefined {
  const text = notesOf(manifest)[annotations.podOverride];
  return typeof text === 'string' ? (JSON.parse(text) as JsonObject) : undefined;
}

function contextOf(object: ApiObject, manifest: JsonObject): RuleContext {
  const labels = field(manifest, 'metadata', 'labels');
  const namespace = object.metadata.namespace;
  const cluster = clusterOf(object)?.name;
  return {
    kind: object.kind,
    name: nameOf(manifest),
    labels: (isJsonObject(labels) ? labels : {}) as Readonly<Record<string, string>>,
    construct: object.node.path,
    ...(namespace !== undefined && { namespace }),
    ...(cluster !== undefined && { cluster }),
  };
}

function nameOf(manifest: JsonObject): string {
  return String(field(manifest, 'metadata', 'name'));
}

function field(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);
}

/** Every object in a scope. */
export function* objectsIn(scope: IConstruct): Generator<ApiObject> {
  for (const construct of scope.node.findAll()) if (ApiObject.isApiObject(construct)) yield construct;
}
