import type { Graph } from '../../../graph/graph.ts';
import type { RunState } from '../../../runs/run-state.ts';
import { hasGraph, isOver, summaryOf } from '../../../runs/run-summary.ts';
import { suggest } from '../../../values/problems.ts';
import { FailedError } from '../../errors.ts';

/**
 * The graph of a run.
 *
 * @throws FailedError when it has none, or none that can be read
 */
export function graphOfRun({ job, graph, notes }: RunState): Graph {
  if (graph !== undefined) return graph;
  throw new FailedError(
    hasGraph(job) ? notes.join('; ') : `The run ${job.metadata.name} is a single task and has no steps`,
  );
}

/** What is said of a step that a run does not have; `known` are those that may have been meant. */
export function noSuchStep(run: string, step: string, known: Iterable<string>): FailedError {
  const near = suggest(step, known);
  return new FailedError(`The run ${run} has no step "${step}"${near === undefined ? '' : `; ${near}`}`);
}

/**
 * The graph of a run whose steps may still wait.
 *
 * @throws FailedError when the run is over
 */
export function graphOfOpenRun(state: RunState): Graph {
  const graph = graphOfRun(state);
  const { phase } = summaryOf(state.job);
  if (isOver(phase))
    throw new FailedError(`The run ${state.job.metadata.name} is over (${phase}); nothing in it waits`);
  return graph;
}
