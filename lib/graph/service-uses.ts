import { show, type Problem } from '../values/problems.ts';
import type { Graph, StepNode } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { statusUpstreams, stepOutputs, stepSources } from './sources.ts';
import { dependsOn } from './step-edges.ts';
import { topology } from './topology.ts';

/** What is wrong with how the steps of a graph depend on its services. */
export function* serviceProblems(graph: Graph, path: (step?: string) => string): Generator<Problem> {
  const services = new Set(graph.steps.filter(({ kind }) => kind === 'service').map(({ name }) => name));
  if (services.size === 0) return;
  for (const { node, users } of topology(graph).steps)
    if (node.kind === 'service' && users.length === 0)
      yield {
        path: path(node.name),
        message: 'is a service that no step depends on, and would be stopped at once',
        fix: 'pass its host to a step, or say .after(...) there',
      };
  for (const step of graph.steps) yield* useProblems(step, path(step.name), services);
  for (const [name, source] of Object.entries(graph.outputs))
    yield* givenProblems(source, `${path()}.outputs.${name}`, services);
}

function* useProblems(step: StepNode, at: string, services: ReadonlySet<string>): Generator<Problem> {
  const looked = new Set(dependsOn(step));
  if (step.role === undefined) for (const name of statusUpstreams(step)) looked.add(name);
  if (step.kind !== 'group')
    for (const name of looked.intersection(services))
      yield {
        path: at,
        message: `looks at how service ${show(name)} ends, which it does when the steps that depend on it have`,
        fix: 'look at the ends of those steps, or say .after(...) with the service itself to run while it is up',
      };
  if (step.kind === 'group')
    for (const [name, source] of Object.entries(step.values))
      yield* givenProblems(source, `${at}.values.${name}`, services);
  if (step.role === undefined) return;
  const taken = stepSources(step).flatMap((source) => [...stepOutputs(source)].map((one) => one.step));
  for (const name of new Set([...taken, ...(step.when?.steps ?? [])]).intersection(services))
    yield {
      path: at,
      message: `takes the host of service ${show(name)}, which is stopped before the steps at the end of a run begin`,
      fix: 'start what it needs in its own container',
    };
}

function* givenProblems(source: ValueSource, path: string, services: ReadonlySet<string>): Generator<Problem> {
  for (const { step } of stepOutputs(source))
    if (services.has(step))
      yield {
        path,
        message: `is the host of service ${show(step)}, which is stopped by then`,
        fix: 'give something else',
      };
}
