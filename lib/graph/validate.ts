import { isJsonObject } from '../values/json.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { failurePolicies, GRAPH_API_VERSION, hasItems, roles, type Graph, type StepNode } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { endProblems } from './end-rules.ts';
import {
  isCondition,
  isEndCondition,
  isNumber,
  isObjectSchema,
  isOneOf,
  isSources,
  isString,
  isStrings,
  misfits,
  type ExpectedFields,
} from './shapes.ts';
import { conditionsIn, statusesIn, stepOutputs, workflowInputs } from './sources.ts';
import { serviceProblems } from './service-uses.ts';
import { rulesOf, stepKinds } from './step-kinds.ts';
import { parseItemName } from './items.ts';
import { MAX_STEP_NAME } from './step-name.ts';
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
  for (const { name } of graph.steps) {
    const { map, item } = parseItemName(name) ?? {};
    const owner = map === undefined ? undefined : steps.get(map);
    if (map !== undefined && owner !== undefined && hasItems(owner))
      problems.push({ path: path(name), message: `is named as item ${item} of step ${show(map)}`, fix: 'rename it' });
  }
  const check = (source: ValueSource, at: string) => problems.push(...sourceProblems(source, at, graph, steps));
  for (const step of graph.steps) {
    const at = path(step.name);
    const rules = rulesOf(step);
    for (const [place, source] of rules.sources(step)) check(source, `${at}.${place}`);
    problems.push(...(rules.problems?.(step, at) ?? []));
    for (const { source } of step.when?.values ?? []) check(source, `${at}.when`);
    const members = step.kind === 'group' ? [...step.steps, ...(step.begin === undefined ? [] : [step.begin])] : [];
    for (const name of new Set([...(step.after ?? []), ...(step.when?.steps ?? []), ...members]))
      if (!steps.has(name)) problems.push(unknownStep(at, name, steps));
    problems.push(...endProblems(step, at, steps));
  }
  for (const [name, source] of Object.entries(graph.outputs)) check(source, `${path()}.outputs.${name}`);
  problems.push(...serviceProblems(graph, path));
  const cycle = findCycle(topology(graph));
  if (cycle)
    problems.push({
      path: path(cycle[0]),
      message: `steps wait for each other: ${cycle.join(' -> ')}`,
      fix: 'remove one of these edges',
    });
  return problems;
}

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
  for (const condition of conditionsIn(source))
    for (const step of condition.steps) if (!steps.has(step)) yield unknownStep(at, step, steps);
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
    isOneOf(...failurePolicies)(document.failurePolicy),
    'failurePolicy',
    document.failurePolicy,
    failurePolicies.join(' | '),
  );
  if (!Array.isArray(document.steps))
    return [...problems, { path: 'steps', message: `must be a list, not ${show(document.steps)}` }];
  document.steps.forEach((step: unknown, index) => {
    const at = `steps[${index}]`;
    if (!isJsonObject(step)) return expect(false, at, step, 'an object');
    const known = stepKinds.includes(step.kind as string);
    expect(known, `${at}.kind`, step.kind, stepKinds.map((kind) => JSON.stringify(kind)).join(' or '));
    const wrong = misfits(step, commonFields);
    const own = known ? rulesOf(step as unknown as StepNode).misfits(step) : [];
    for (const { field, expected } of [...wrong, ...own]) expect(false, `${at}.${field}`, step[field], expected);
  });
  return problems;
}

const commonFields: ExpectedFields = {
  name: ['a string', isString],
  outputs: ['an object schema', isObjectSchema, 'optional'],
  after: ['a list of step names', isStrings, 'optional'],
  depends: ['a condition on ends', isEndCondition, 'optional'],
  role: [roles.join(' | '), isOneOf(...roles), 'optional'],
  when: ['a condition', isCondition, 'optional'],
  timeoutSeconds: ['a number', isNumber, 'optional'],
};
