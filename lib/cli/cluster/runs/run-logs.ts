import type { KubeClient } from '../../../kube/client.ts';
import { ConnectionError, KubeError } from '../../../kube/errors.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { pods } from '../../../kube/resources.ts';
import { taskSteps } from '../../../graph/graph.ts';
import { parseItemName } from '../../../graph/items.ts';
import { attemptNameOf } from '../../../graph/object-names.ts';
import { followRun } from '../../../runs/follow-run.ts';
import type { RunPod } from '../../../runs/run-objects.ts';
import type { RunState } from '../../../runs/run-state.ts';
import { flagsElsewhere } from '../cluster-session.ts';
import { readPodLog, type LogRange, type PodLogEnd } from './pod-log.ts';
import { attemptOf, inOrder, podSelector, stepOf, unitOf } from './run-pods.ts';

/** Whose logs to read. */
export interface LogSelection extends LogRange {
  readonly step?: string;
  /** Whether that is a map step, whose items have the logs. */
  readonly ofItems?: boolean;
  readonly attempt?: number;
  readonly allAttempts: boolean;
}

/** Where lines and remarks go. */
export interface LogSink {
  line(title: string, line: string): void;
  note(text: string): void;
}

/** Reads the logs that there are, one after the other in the order in which the pods were made. */
export async function readLogs(
  client: KubeClient,
  state: RunState,
  selection: LogSelection,
  sink: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = state.job.metadata;
  const { items } = await client.list<RunPod>(pods, { namespace, labelSelector: podSelector(state.job), signal });
  const chosen = choosePods(inOrder(items, state.graph), selection);
  for (const missing of missingPods(state, items, selection)) sink.note(missing);
  const runs = childRuns(state, selection);
  if (chosen.length + runs.length === 0 && (state.record === undefined || items.length === 0))
    sink.note(`The run ${name} has no pods`);
  for (const note of runs) sink.note(note);
  for (const pod of chosen) await readOne(client, pod, selection, sink, signal, false);
}

/** Follows the logs of all pods there are and of those that start until the run is over. */
export async function followLogs(
  client: KubeClient,
  state: RunState,
  selection: LogSelection,
  sink: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = state.job.metadata;
  const stop = new AbortController();
  const reading = new Map<string, Promise<void>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const start = (pod: RunPod): void => {
    const { uid = '' } = pod.metadata;
    if (reading.has(uid) || !isChosen(pod, selection)) return;
    const done = readOne(client, pod, selection, sink, signal, true);
    reading.set(uid, done);
    done.catch(failed.reject);
  };
  let synced = false;
  const podWatch: Reflector<RunPod> = new Reflector<RunPod>(client, pods, {
    namespace,
    labelSelector: podSelector(state.job),
    onChange: (pod) => synced && start(pod),
    onSynced: () => {
      synced = true;
      const there = [...podWatch.values()];
      choosePods(inOrder(there, state.graph), selection).forEach(start);
      for (const missing of missingPods(state, there, selection)) sink.note(missing);
      for (const note of childRuns(state, selection)) sink.note(note);
    },
  });
  podWatch.start(AbortSignal.any([signal, stop.signal]));
  try {
    await podWatch.synced();
    await Promise.race([followRun(client, state.job, { signal }), failed.promise]);
    await Promise.all(reading.values());
  } finally {
    stop.abort();
  }
}

/** The pods that a selection means, in the order given: without a number, the last attempt of each step. */
export function choosePods(all: readonly RunPod[], selection: LogSelection): RunPod[] {
  const chosen = all.filter((pod) => isChosen(pod, selection));
  if (selection.allAttempts || selection.attempt !== undefined) return chosen;
  const last = new Map(chosen.map((pod) => [stepOf(pod), attemptOf(pod)]));
  for (const pod of chosen) last.set(stepOf(pod), Math.max(attemptOf(pod), last.get(stepOf(pod)) ?? 0));
  const lastOnes = chosen.filter((pod) => attemptOf(pod) === last.get(stepOf(pod)));
  // The pods of a single task's Job, and those of one index, are tries that are told apart by time alone.
  const newest = new Map(lastOnes.map((pod) => [unitOf(pod), pod]));
  return lastOnes.filter((pod) => isWholeStep(pod) || newest.get(unitOf(pod)) === pod);
}

const isWholeStep = (pod: RunPod) => stepOf(pod) !== undefined && unitOf(pod) === stepOf(pod);

/** What to say of attempts that ran and whose pods are no more. */
export function missingPods(
  { job, graph, record }: RunState,
  all: readonly RunPod[],
  selection: LogSelection,
): string[] {
  const there = new Set(all.map((pod) => `${stepOf(pod)} ${attemptOf(pod)}`));
  return (graph ? taskSteps(graph) : [])
    .filter(({ name }) => selection.step === undefined || name === selection.step)
    .flatMap((node) => {
      const { name, runAs = 'Pod' } = node;
      const attempts = record?.steps.get(name)?.attempts ?? [];
      const wanted = attempts.filter(({ number }) => selection.attempt === undefined || number === selection.attempt);
      return (selection.allAttempts || selection.attempt !== undefined ? wanted : wanted.slice(-1))
        .filter(({ number, startedAt }) => startedAt !== undefined && !there.has(`${name} ${number}`))
        .map(({ number }) => {
          const object = attemptNameOf(job.metadata, node, number);
          return `[${name}] the pod of attempt ${number} is gone, and its log with it (${runAs === 'Job' ? 'job' : 'pod'} ${object})`;
        });
    });
}

/** Where the logs of steps are that are runs of their own. */
export function childRuns({ job, graph, record }: RunState, { step, attempt, allAttempts }: LogSelection): string[] {
  const steps = (graph?.steps ?? []).filter(
    ({ kind, name }) => kind === 'run' && (step === undefined || name === step),
  );
  return steps.flatMap((node) => {
    const { name } = node;
    const there =
      'cluster' in node && node.cluster !== undefined ? flagsElsewhere('', node.cluster, job.metadata.namespace) : '';
    const attempts = record?.steps.get(name)?.attempts ?? [];
    const wanted = attempts.filter(({ number }) => attempt === undefined || number === attempt);
    return (allAttempts ? wanted : wanted.slice(-1)).map(({ number }) => {
      const run = attemptNameOf(job.metadata, node, number);
      return `[${name}] is a run of its own: cdk8s-workflows logs ${run}${there}`;
    });
  });
}

function isChosen(pod: RunPod, selection: LogSelection): boolean {
  const { attempt } = selection;
  return isOfStep(pod, selection) && (attempt === undefined || attemptOf(pod) === attempt);
}

function isOfStep(pod: RunPod, { step, ofItems }: LogSelection): boolean {
  const name = stepOf(pod);
  if (step === undefined || name === step || unitOf(pod) === step) return true;
  return ofItems === true && name !== undefined && parseItemName(name)?.map === step;
}

async function readOne(
  client: KubeClient,
  pod: RunPod,
  selection: LogSelection,
  sink: LogSink,
  signal: AbortSignal,
  follow: boolean,
): Promise<void> {
  const unit = unitOf(pod);
  const title = unit === undefined ? pod.metadata.name : attemptOf(pod) > 1 ? `${unit} #${attemptOf(pod)}` : unit;
  const { tailLines, sinceSeconds } = selection;
  const onLine = (line: string): void => sink.line(title, line);
  let end: PodLogEnd;
  try {
    end = await readPodLog(client, pod, { follow, signal, tailLines, sinceSeconds, onLine });
  } catch (error) {
    // A node that is lost must not keep the logs of the others back.
    if (!(error instanceof KubeError || error instanceof ConnectionError)) throw error;
    return sink.note(`[${title}] ${error.message}`);
  }
  if (end === 'not-started') sink.note(`[${title}] has not started, so there is no log (${pod.metadata.name})`);
  if (end === 'gone') sink.note(`[${title}] the pod ${pod.metadata.name} is gone, and its log with it`);
}
