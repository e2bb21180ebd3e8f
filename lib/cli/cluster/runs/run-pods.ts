import type { Graph } from '../../../graph/graph.ts';
import { labels } from '../../../graph/labels.ts';
import { INDEX_ANNOTATION } from '../../../pods/indexed-template.ts';
import { MAIN_CONTAINER } from '../../../pods/template.ts';
import type { RunJob, RunPod } from '../../../runs/run-objects.ts';
import { hasGraph } from '../../../runs/run-summary.ts';

/** Selects the pods of a run's steps, or of its one task. */
export function podSelector(job: RunJob): string {
  const { name } = job.metadata;
  return hasGraph(job) ? `${labels.run}=${name},${labels.step}` : `batch.kubernetes.io/job-name=${name}`;
}

/** The step that a pod ran; nothing for a pod of a single task. */
export function stepOf({ metadata }: RunPod): string | undefined {
  return metadata.labels?.[labels.step];
}

/** The name of what a pod ran: its step; of an Indexed Job, which has several pods, the step with the index. */
export function unitOf(pod: RunPod): string | undefined {
  const index = indexOf(pod);
  const step = stepOf(pod);
  return step === undefined || index === undefined ? step : `${step}-${index}`;
}

/** The index of a pod of an Indexed Job. */
function indexOf({ metadata }: RunPod): string | undefined {
  return metadata.labels?.[INDEX_ANNOTATION];
}

/** Which attempt it is, from 1. */
export function attemptOf({ metadata }: RunPod): number {
  return Number(metadata.labels?.[labels.attempt] ?? 1);
}

/** The container whose log is the step's log. */
export function mainContainer({ spec }: RunPod): string | undefined {
  return (spec.containers.find(({ name }) => name === MAIN_CONTAINER) ?? spec.containers[0])?.name;
}

/** Whether a pod's container wrote, or may have written, a log; and whether it is over. */
export function containerState(pod: RunPod): 'waiting' | 'running' | 'over' {
  const name = mainContainer(pod);
  const state = pod.status?.containerStatuses?.find((status) => status.name === name)?.state;
  if (state?.terminated !== undefined) return 'over';
  if (state?.running !== undefined) return 'running';
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? 'over' : 'waiting';
}

/** Pods in the order in which they were made; those of the same second in the order of the graph and of their indexes. */
export function inOrder(all: readonly RunPod[], graph: Graph | undefined): RunPod[] {
  const places = new Map(graph?.steps.map(({ name }, index) => [name, index]));
  const place = (pod: RunPod): number => places.get(stepOf(pod) ?? '') ?? 0;
  const created = ({ metadata }: RunPod): string => metadata.creationTimestamp ?? '';
  return all.toSorted(
    (a, b) =>
      created(a).localeCompare(created(b)) ||
      place(a) - place(b) ||
      attemptOf(a) - attemptOf(b) ||
      Number(indexOf(a) ?? 0) - Number(indexOf(b) ?? 0),
  );
}
