import { decodeRecord } from '../engine/codec.ts';
import { readRecordData } from '../engine/record-data.ts';
import type { RunRecord } from '../engine/record.ts';
import { decodeGraph } from '../graph/config-map.ts';
import type { Graph } from '../graph/graph.ts';
import { annotations } from '../graph/labels.ts';
import { RECORD_RUN_KEY, recordName } from '../graph/object-names.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { configMaps } from '../kube/resources.ts';
import { formatProblem, type Problem } from '../values/problems.ts';
import type { ConfigMapObject, RunJob } from './run-objects.ts';

/** A run with all that is kept of it. */
export interface RunState {
  readonly job: RunJob;
  /** Left out for a single task, and when it is gone or not readable. */
  readonly graph?: Graph;
  /** Left out until the run was taken by a controller. */
  readonly record?: RunRecord;
  /** What should be there and is not, or cannot be read. */
  readonly notes: readonly string[];
}

/** Reads a run's graph and record. */
export async function readRunState(client: KubeClient, job: RunJob, signal?: AbortSignal): Promise<RunState> {
  const { name, namespace, annotations: given } = job.metadata;
  const graphName = given?.[annotations.graph];
  if (graphName === undefined) return { job, notes: [] };
  const [graphMap, recordMap] = await Promise.all(
    [graphName, recordName(name)].map((map) => readConfigMap(client, map, namespace, signal)),
  );
  const graph = graphMap && graphOf(graphMap);
  const record = recordMap && recordOf(recordMap);
  const notes = [
    ...(graphMap === undefined
      ? [`The ConfigMap ${graphName} with the run's graph is gone: its steps are not known`]
      : []),
    ...(graph?.problems === undefined ? [] : [noteOf(graphName, graph.problems)]),
    ...(record?.problems === undefined ? [] : [noteOf(recordName(name), record.problems)]),
  ];
  return { job, graph: graph?.graph, record: record?.record, notes };
}

/** The graph of a plan or run in its ConfigMap, or what is wrong with it. */
export function graphOf(configMap: ConfigMapObject): { graph?: Graph; problems?: readonly Problem[] } {
  return decodeGraph(configMap);
}

/** The record in its ConfigMap, or what is wrong with it; nothing before the run's own state was written. */
export function recordOf({ data = {} }: ConfigMapObject): { record?: RunRecord; problems?: readonly Problem[] } {
  return data[RECORD_RUN_KEY] === undefined ? {} : decodeRecord(readRecordData(data));
}

/** A ConfigMap, or nothing when it does not exist. */
export async function readConfigMap(
  client: KubeClient,
  name: string,
  namespace: string | undefined,
  signal?: AbortSignal,
): Promise<ConfigMapObject | undefined> {
  try {
    return await client.get<ConfigMapObject>(configMaps, name, { namespace, signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function noteOf(configMap: string, problems: readonly Problem[]): string {
  return `The ConfigMap ${configMap} cannot be read: ${problems.map(formatProblem).join('; ')}`;
}
