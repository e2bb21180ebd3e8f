import { show, suggest, type Problem } from '../values/problems.ts';
import { conditionText, evaluateEnds } from './end-condition.ts';
import type { StepNode } from './graph.ts';
import { conditionsIn, statusUpstreams, stepOutputs, stepSources } from './sources.ts';
import { dependsOn } from './step-edges.ts';

/** What is wrong with how a step looks at the ends of others, and with when it runs itself. */
export function* endProblems(step: StepNode, at: string, steps: ReadonlyMap<string, StepNode>): Generator<Problem> {
  for (const name of new Set([...(step.when?.statuses ?? []), ...dependsOn(step)]))
    if (!steps.has(name))
      yield { path: at, message: `there is no step ${show(name)}`, fix: suggest(name, steps.keys()) };
  if (step.role !== undefined) yield* handlerProblems(step, step.role, at);
  else yield* demandProblems(step, at);
  for (const name of upstreamNames(step)) {
    const role = steps.get(name)?.role;
    if (role === undefined) continue;
    yield {
      path: at,
      message: `waits for ${show(name)}, which runs ${stage[role]}`,
      fix: 'steps that run at the end of a run run side by side, and nothing comes after them',
    };
  }
}

const stage = { onFailure: 'when all others have ended and the run has failed', finally: 'when all others have ended' };

function* handlerProblems(step: StepNode, role: keyof typeof stage, at: string): Generator<Problem> {
  if ((step.after ?? []).length > 0 || step.depends !== undefined)
    yield { path: `${at}.after`, message: `has no meaning: it runs ${stage[role]}`, fix: 'remove it' };
  const demanded = new Set(step.when?.steps);
  for (const source of stepSources(step))
    for (const { step: name, optional, oneOf } of stepOutputs(source)) if (!optional || oneOf) demanded.add(name);
  for (const name of demanded)
    yield {
      path: at,
      message: `takes outputs of step ${show(name)}, which there are none of when that one does not succeed; this step runs all the same`,
      fix: 'give the references a default with .or(...), or look at the status of the step',
    };
}

/** A step cannot need the outputs of one that must not have succeeded. */
function* demandProblems(step: StepNode, at: string): Generator<Problem> {
  const { depends } = step;
  if (depends === undefined) return;
  const mentioned = dependsOn(step);
  for (const source of stepSources(step))
    for (const { step: name, output, optional } of stepOutputs(source))
      if (
        !optional &&
        mentioned.has(name) &&
        evaluateEnds(depends, (other) => (other === name ? 'succeeded' : undefined)) === false
      )
        yield {
          path: at,
          message: `needs steps.${name}.outputs.${output}, but never runs when ${name} has succeeded: ${conditionText(depends)}`,
          fix: 'give the reference a default with .or(...)',
        };
}

function upstreamNames(step: StepNode): Set<string> {
  const names = new Set([
    ...(step.after ?? []),
    ...(step.when?.steps ?? []),
    ...dependsOn(step),
    ...statusUpstreams(step),
  ]);
  for (const source of stepSources(step)) {
    for (const { step: name } of stepOutputs(source)) names.add(name);
    for (const condition of conditionsIn(source)) for (const name of condition.steps) names.add(name);
  }
  return names;
}
