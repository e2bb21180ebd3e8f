import { isJsonObject } from '../values/json.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import {
  endings,
  failurePolicies,
  GRAPH_API_VERSION,
  roles,
  statusFields,
  type Graph,
  type StepNode,
  type ValueSource,
} from './graph.ts';
import { endProblems } from './end-rules.ts';
import { podSources } from './pod-sources.ts';
import { isRetryPolicy, retryProblems } from './retries.ts';
import { statusesIn, stepOutputs, workflowInputs } from './sources.ts';
import { findCycle, topology } from './topology.ts';

/**
 * Everything that keeps a graph from being run. The constructs call it at synth, with construct paths; the
 * engine's shells call it on what they read from a cluster, where anybody may have written.
 */
export function graphProblems(
  graph: Graph,
  path: (step?: string) => string = (step) => step ?? '',
): readonly Problem[] {
  const problems: Problem[] = [];
  const steps = new Map<string, StepNode>();
  for (const step of graph.steps) {
    const wrong = dnsLabelProblem(step.name, MAX_STEP_NAME);
    if (wrong !== undefined)
      problems.push({ path: path(step.name), message: `the step name ${show(step.name)} ${wrong}` });
    if (steps.has(step.name))
      problems.push({ path: path(step.name), message: `two steps are named ${show(step.name)}`, fix: 'rename one' });
    steps.set(step.name, step);
  }
  const check = (source: ValueSource, at: string) => problems.push(...sourceProblems(source, at, graph, steps));
  for (const step of graph.steps) {
    const at = path(step.name);
    for (const [name, source] of Object.entries(step.inputs)) check(source, `${at}.inputs.${name}`);
    if (step.pod !== undefined) for (const [place, source] of podSources(step.pod)) check(source, `${at}.pod.${place}`);
    problems.push(...retryProblems(step, at));
    for (const name of [...(step.after ?? []), ...(step.when?.steps ?? [])])
      if (!steps.has(name)) problems.push(unknownStep(at, name, steps));
    problems.push(...endProblems(step, at, steps));
  }
  for (const [name, source] of Object.entries(graph.outputs)) check(source, `${path()}.outputs.${name}`);
  const cycle = findCycle(topology(graph));
  if (cycle)
    problems.push({
      path: path(cycle[0]),
      message: `steps wait for each other: ${cycle.join(' -> ')}`,
      fix: 'remove one of these edges',
    });
  return problems;
}

/** Longest name of a step, so that `<run>-<step>-<attempt>` stays readable within a pod's name. */
export const MAX_STEP_NAME = 63;

function* sourceProblems(
  source: ValueSource,
  at: string,
  graph: Graph,
  steps: ReadonlyMap<string, StepNode>,
): Generator<Problem> {
  const inputs = Object.keys(graph.inputs.properties);
  for (const input of workflowInputs(source))
    if (!inputs.includes(input))
      yield { path: at, message: `the workflow has no input ${show(input)}`, fix: suggest(input, inputs) };
  for (const step of statusesIn(source)) if (!steps.has(step)) yield unknownStep(at, step, steps);
  for (const { step, output } of stepOutputs(source)) {
    const node = steps.get(step);
    const outputs = Object.keys(node?.outputs?.properties ?? {});
    if (node === undefined) yield unknownStep(at, step, steps);
    else if (!outputs.includes(output))
      yield { path: at, message: `step ${show(step)} has no output ${show(output)}`, fix: suggest(output, outputs) };
  }
}

function unknownStep(path: string, name: string, steps: ReadonlyMap<string, StepNode>): Problem {
  return { path, message: `there is no step ${show(name)}`, fix: suggest(name, steps.keys()) };
}

/** The graph in a parsed JSON document, or why there is none in it. Never throws, whatever the document is. */
export function parseGraph(document: unknown): { readonly graph: Graph } | { readonly problems: readonly Problem[] } {
  const shape = shapeProblems(document);
  if (shape.length > 0) return { problems: shape };
  const graph = document as Graph;
  const problems = graphProblems(graph);
  return problems.length > 0 ? { problems } : { graph };
}

function shapeProblems(document: unknown): readonly Problem[] {
  if (!isJsonObject(document)) return [{ path: '', message: `is no graph but ${show(document)}` }];
  if (document.apiVersion !== GRAPH_API_VERSION)
    return [
      {
        path: 'apiVersion',
        message: `is ${show(document.apiVersion)}`,
        fix: `this version reads ${GRAPH_API_VERSION}`,
      },
    ];
  const problems: Problem[] = [];
  const expect = (fits: boolean, path: string, value: unknown, what: string) => {
    if (!fits) problems.push({ path, message: `must be ${what}, not ${show(value)}` });
  };
  expect(typeof document.workflow === 'string', 'workflow', document.workflow, 'a string');
  expect(isObjectSchema(document.inputs), 'inputs', document.inputs, 'an object schema');
  expect(isSources(document.outputs), 'outputs', document.outputs, 'an object of value sources');
  expect(
    isOneOf(failurePolicies, document.failurePolicy),
    'failurePolicy',
    document.failurePolicy,
    failurePolicies.join(' | '),
  );
  if (!Array.isArray(document.steps))
    return [...problems, { path: 'steps', message: `must be a list, not ${show(document.steps)}` }];
  document.steps.forEach((step: unknown, index) => {
    const at = `steps[${index}]`;
    if (!isJsonObject(step)) return expect(false, at, step, 'an object');
    expect(step.kind === 'task', `${at}.kind`, step.kind, '"task"');
    for (const field of ['name', 'task', 'template'])
      expect(typeof step[field] === 'string', `${at}.${field}`, step[field], 'a string');
    expect(isSources(step.inputs), `${at}.inputs`, step.inputs, 'an object of value sources');
    expect(step.pod === undefined || isPod(step.pod), `${at}.pod`, step.pod, 'an object of value sources');
    expect(step.spot === undefined || isSource(step.spot), `${at}.spot`, step.spot, 'a value source');
    expect(
      step.outputs === undefined || isObjectSchema(step.outputs),
      `${at}.outputs`,
      step.outputs,
      'an object schema',
    );
    expect(step.after === undefined || isStrings(step.after), `${at}.after`, step.after, 'a list of step names');
    expect(
      step.depends === undefined || isEndCondition(step.depends),
      `${at}.depends`,
      step.depends,
      'a condition on ends',
    );
    expect(step.role === undefined || isOneOf(roles, step.role), `${at}.role`, step.role, roles.join(' | '));
    expect(step.job === undefined || isStepJob(step.job), `${at}.job`, step.job, 'part of a Job');
    expect(step.when === undefined || isCondition(step.when), `${at}.when`, step.when, 'a condition');
    expect(step.retries === undefined || isRetryPolicy(step.retries), `${at}.retries`, step.retries, 'a retry policy');
    for (const field of ['pendingTimeoutSeconds', 'attemptTimeoutSeconds', 'timeoutSeconds', 'systemRetries'])
      expect(step[field] === undefined || typeof step[field] === 'number', `${at}.${field}`, step[field], 'a number');
  });
  return problems;
}

const isOneOf = (known: readonly string[], value: unknown) => (known as readonly unknown[]).includes(value);
const isStrings = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isObjectSchema = (value: unknown) =>
  isJsonObject(value) &&
  isJsonObject(value.properties) &&
  Object.values(value.properties).every(isJsonObject) &&
  isStrings(value.required);
const isStepJob = (value: unknown) =>
  isJsonObject(value) &&
  ['metadata', 'spec'].every((field) => value[field] === undefined || isJsonObject(value[field]));
const isCondition = (value: unknown) =>
  isJsonObject(value) &&
  typeof value.cel === 'string' &&
  isStrings(value.steps) &&
  (value.statuses === undefined || isStrings(value.statuses));
const isPod = (value: unknown) => isJsonObject(value) && 'fields' in value && isSource(value);
const isSources = (value: unknown) => isJsonObject(value) && Object.values(value).every(isSource);

function isEndCondition(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('step' in value) return typeof value.step === 'string' && isOneOf(endings, value.ended);
  if ('not' in value) return isEndCondition(value.not);
  const parts = 'all' in value ? value.all : value.any;
  return Array.isArray(parts) && parts.every(isEndCondition);
}

function isSource(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('value' in value) return true;
  if ('input' in value) return typeof value.input === 'string';
  if ('step' in value) return typeof value.step === 'string' && typeof value.output === 'string';
  if ('status' in value) return typeof value.status === 'string' && isOneOf(statusFields, value.field);
  if ('list' in value) return Array.isArray(value.list) && value.list.every(isSource);
  if ('first' in value) return Array.isArray(value.first) && value.first.every(isSource);
  if ('text' in value) return isSource(value.text);
  return 'fields' in value && isSources(value.fields);
}
