import type { RunSpec } from '../../engine/advance.ts';
import type { RunRecord } from '../../engine/record.ts';
import type { Recovery } from '../../engine/recover.ts';
import { taskSteps } from '../../graph/graph.ts';
import { annotations } from '../../graph/labels.ts';
import { sharedLocks } from '../../graph/locks.ts';
import type { Topology } from '../../graph/topology.ts';
import { isNotFound } from '../../kube/errors.ts';
import { unknownStepProblems, withoutJobProblems } from '../../pods/run-override.ts';
import type { RunLayers } from '../../pods/runtime-template.ts';
import { InvalidError, type Problem } from '../../values/problems.ts';
import { checkValues } from '../../values/schema.ts';
import type { Job } from '../objects.ts';
import { PredecessorError, type RecordStore } from './record-store.ts';
import { readRecovery } from './recovery.ts';
import { readRequest } from '../run-job.ts';
import { backoffMs, type WorkerContext } from '../worker-context.ts';

/** What a run is worked on with. */
export interface TakenUp {
  readonly topology: Topology;
  readonly inputs: RunSpec['inputs'];
  readonly layers: RunLayers;
  readonly record?: RunRecord;
  /** The steps that were asked for by name. @default none */
  readonly rerun?: readonly string[];
  /** What it goes on from, for a run without a record of its own. */
  readonly recovery?: Recovery;
}

/**
 * Reads all that a run needs, and checks it. Waits a while for a graph that may be applied after the run, and as long as it
 * takes for an API server that does not answer.
 *
 * @throws InvalidError with everything that keeps the run from being run
 */
export async function takeUp(
  context: WorkerContext,
  job: Job,
  store: RecordStore,
  signal: AbortSignal,
): Promise<TakenUp> {
  const { clock, graphs, timing, log } = context;
  const request = readRequest(job);
  if ('problems' in request) throw new InvalidError('The run cannot be started', request.problems);
  const startedAt = clock.monotonic();
  for (let failures = 1; ; failures++) {
    try {
      const [topology, record] = await Promise.all([
        graphs.topology(job.metadata.namespace!, request.graph, request.policy),
        store.read(),
      ]);
      const checked = checkValues(topology.graph.inputs, request.inputs, 'refuse', 'inputs');
      const { layers } = request;
      const steps = taskSteps(topology.graph);
      const { runOverride = {} } = layers;
      const names = steps.map(({ name }) => name);
      const astray = [
        ...unknownStepProblems(runOverride, names, annotations.runOverride),
        ...driverProblems(topology, context),
        ...withoutJobProblems(runOverride, steps, (step) => `${annotations.runOverride}: ${step}.job`),
      ];
      if (!checked.ok || astray.length > 0)
        throw new InvalidError('The run cannot be started', [...(checked.ok ? [] : checked.problems), ...astray]);
      const rerun = request.recover?.rerun;
      const taken = { topology, inputs: checked.values, layers, ...(rerun && { rerun }) };
      if (record !== undefined) return { ...taken, record };
      const recovery = await readRecovery(context, job, request, topology, signal);
      return { ...taken, ...(recovery && { recovery }) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InvalidError) throw error;
      if (isNotFound(error) && clock.monotonic() - startedAt >= timing.missingMs)
        throw new InvalidError('The run cannot be started', [missingGraph(request.graph, job, timing.missingMs)], {
          cause: error,
        });
      log.info('A run cannot be taken up yet', { error });
      const wait =
        error instanceof PredecessorError ? 500 : backoffMs(failures, isNotFound(error) ? 1_000 : timing.maxBackoffMs);
      await clock.sleep(wait, signal);
    }
  }
}

/** A driver knows of no other run. */
function driverProblems({ graph }: Topology, { mode }: WorkerContext): Problem[] {
  if (mode !== 'driver') return [];
  return sharedLocks(graph).map((step) => ({
    path: `step ${step}`,
    message: 'has locks that it shares with other runs, which a driver does not know of',
    fix: "give them scope: 'run', or let a controller sequence the run",
  }));
}

function missingGraph(name: string, job: Job, waitedMs: number) {
  return {
    path: 'graph',
    message: `there is no ConfigMap ${name} in namespace ${job.metadata.namespace}, also after ${waitedMs / 1000} s`,
    fix: 'apply the manifests of the workflow, and start the run again',
  };
}
