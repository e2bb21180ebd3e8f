import { decodeRecord, itemBlocks, recordForm } from '../../engine/codec.ts';
import { readRecordData } from '../../engine/record-data.ts';
import { countTakenOver, recoveredRecord, type Recovery } from '../../engine/recover.ts';
import { annotations } from '../../graph/labels.ts';
import { recordName } from '../../graph/object-names.ts';
import type { Topology } from '../../graph/topology.ts';
import { isNotFound } from '../../kube/errors.ts';
import { configMaps, jobs, type Resource } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { canonicalJson } from '../../values/json.ts';
import { InvalidError, suggest, type Problem } from '../../values/problems.ts';
import { checkValues } from '../../values/schema.ts';
import { isFinished, isOwnedBy, type ConfigMap, type Job } from '../objects.ts';
import type { RecordStore } from './record-store.ts';
import { readRequest, type RunRequest } from '../run-job.ts';
import type { TakenUp } from './take-up.ts';
import type { WorkerContext } from '../worker-context.ts';

/** What keeps a run from going on from another one, said of its annotation. */
class NotRecoverable extends InvalidError {
  constructor(message: string, fix: string) {
    super('The run cannot be started', [{ path: annotations.recover, message, fix }]);
  }
}

/**
 * What a run goes on from; nothing for one that begins at the beginning.
 *
 * @throws InvalidError when it cannot go on from there
 */
export async function readRecovery(
  context: WorkerContext,
  job: Job,
  request: RunRequest,
  topology: Topology,
  signal: AbortSignal,
): Promise<Recovery | undefined> {
  if (request.recover === undefined) return undefined;
  const { run, rerun } = request.recover;
  const { namespace } = job.metadata;
  const get = <T extends KubeObject>(of: Resource, name: string) =>
    context.client.get<T>(of, name, { namespace, signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const unknown = unknownSteps(rerun, topology);
  if (unknown.length > 0) throw new InvalidError('The run cannot be started', unknown);
  const before = await get<Job>(jobs, run);
  if (before === undefined)
    throw new NotRecoverable(`there is no run ${run} any more, and so nothing to take over`, 'launch a new run');
  checkSame(before, request, topology);
  if (!isFinished(before)) throw new NotRecoverable(`the run ${run} has not ended`, 'wait for its end, or cancel it');
  const kept = await get<ConfigMap>(configMaps, recordName(run));
  if (kept === undefined || !isOwnedBy(kept, before.metadata.uid!))
    throw new NotRecoverable(`the run ${run} has left no record`, 'launch a new run');
  const decoded = decodeRecord(readRecordData(kept.data ?? {}));
  if ('problems' in decoded)
    throw new InvalidError(`The record ${kept.metadata.name} of the run to take over cannot be read`, decoded.problems);
  return { run, record: decoded.record, rerun };
}

function unknownSteps(rerun: readonly string[], { byName }: Topology): Problem[] {
  const misses = rerun.filter((step) => !byName.has(step));
  return misses.map((step) => {
    const fix = suggest(step, [...byName.keys()]);
    return { path: annotations.rerunSteps, message: `there is no step "${step}"`, ...(fix && { fix }) };
  });
}

/** Results of another workflow, version or question are not taken over. */
function checkSame(before: Job, { graph, inputs }: RunRequest, topology: Topology): void {
  const { name } = before.metadata;
  const asked = readRequest(before);
  if ('problems' in asked) throw new NotRecoverable(`the run ${name} is no run of a workflow`, 'launch a new run');
  if (asked.graph !== graph)
    throw new NotRecoverable(
      `the run ${name} is of the graph ${asked.graph}, this one of ${graph}`,
      'launch a new run',
    );
  const values = [inputs, asked.inputs].map((given) => checkValues(topology.graph.inputs, given, 'refuse', 'inputs'));
  const [own, theirs] = values.map((checked) => (checked.ok ? canonicalJson(checked.values) : undefined));
  if (own !== theirs)
    throw new NotRecoverable(`the run ${name} had other inputs`, 'give the same ones, or launch a new run');
}

/**
 * A run with the record that it begins with, where it goes on from another one. That is written down before anything
 * starts: from then on the other run is not needed any more.
 */
export async function takeOver(
  { clock, tell }: WorkerContext,
  job: Job,
  store: RecordStore,
  taken: TakenUp,
): Promise<TakenUp> {
  const { topology, recovery } = taken;
  if (recovery === undefined) return taken;
  const record = recoveredRecord(topology, recovery, clock.now());
  const steps = topology.steps.length;
  store.put({ ...record, items: itemBlocks(record) }, recordForm(steps));
  await store.flush();
  const what = `${countTakenOver(record)} of ${steps} steps are taken over from ${recovery.run}`;
  tell(job, { reason: 'RunRecovered', message: `The run has begun: ${what}` });
  return { ...taken, record };
}
