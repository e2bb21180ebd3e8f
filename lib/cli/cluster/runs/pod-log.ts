import type { KubeClient } from '../../../kube/client.ts';
import { isNotFound, isRetryable, KubeError } from '../../../kube/errors.ts';
import { pods } from '../../../kube/resources.ts';
import { systemClock, type Clock } from '../../../kube/clock.ts';
import type { RunPod } from '../../../runs/run-objects.ts';
import { LineSplitter, LogPosition } from './log-lines.ts';
import { containerState, mainContainer } from './run-pods.ts';

/** Which part of a log. */
export interface LogRange {
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
}

/** What {@link readPodLog} works with. */
export interface PodLogOptions extends LogRange {
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Gets every line with its timestamp in front. */
  readonly onLine: (line: string) => void;
  /** @default the machine's */
  readonly clock?: Clock;
}

/** How the reading ended. `not-started`: there is no log yet. `gone`: the pod, or its log, is no more. */
export type PodLogEnd = 'read' | 'not-started' | 'gone';

const RETRY_MS = 500;
/** Tries in a row that bring no line before the error is passed on. */
const ATTEMPTS = 20;

/**
 * Reads the log of a pod's main container. Following, it goes on until the container is over: a stream that breaks before is taken
 * up where it broke, without repeating a line.
 */
export async function readPodLog(
  client: Pick<KubeClient, 'log' | 'get'>,
  pod: RunPod,
  options: PodLogOptions,
): Promise<PodLogEnd> {
  const { follow, signal, clock = systemClock } = options;
  const position = new LogPosition();
  for (let failures = 0; ; failures++) {
    const wasOver = containerState(pod) === 'over';
    let end = await readOnce(client, pod, position, options);
    // A kubelet that was not told yet of a pod answers like one that has forgotten it.
    if (end === 'gone' && !wasOver && (await current(client, pod, signal)) !== undefined) end = 'not-started';
    if (end === 'gone') return end;
    if (end instanceof Error && (!follow || failures >= ATTEMPTS || !isRetryable(end))) throw end;
    if (!(end instanceof Error)) {
      const result = end === 'not-started' ? end : 'read';
      if (!follow || wasOver) return result;
      failures = 0;
    }
    const now = await current(client, pod, signal);
    if (now === undefined) return 'gone';
    pod = now;
    // A stream may end before its container and at the same moment: what is over is read once more, from where we are.
    if (containerState(now) !== 'over' || end instanceof Error) await clock.sleep(RETRY_MS, signal);
  }
}

/** Reads one stream to its end: how many lines were new, or why there was no end to it. */
async function readOnce(
  client: Pick<KubeClient, 'log'>,
  pod: RunPod,
  position: LogPosition,
  { follow, signal, tailLines, sinceSeconds, onLine }: PodLogOptions,
): Promise<number | 'not-started' | 'gone' | Error> {
  const sinceTime = position.resume();
  const range = sinceTime === undefined ? { tailLines, sinceSeconds } : { sinceTime };
  const splitter = new LineSplitter();
  let count = 0;
  const take = (line: string): void => {
    if (!position.take(line)) return;
    count++;
    onLine(line);
  };
  try {
    const { name, namespace = '' } = pod.metadata;
    const chunks = await client.log(namespace, name, {
      container: mainContainer(pod),
      follow,
      timestamps: true,
      signal,
      ...range,
    });
    for await (const chunk of chunks) splitter.push(chunk).forEach(take);
    splitter.end().forEach(take);
    return count;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isNotFound(error)) return 'gone';
    // "container "main" in pod "x" is waiting to start: ContainerCreating", or it has no node yet.
    if (error instanceof KubeError && error.code === 400) return 'not-started';
    // What a broken stream cut off comes whole with the next one.
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function current(client: Pick<KubeClient, 'get'>, pod: RunPod, signal: AbortSignal): Promise<RunPod | undefined> {
  const { name, namespace, uid } = pod.metadata;
  try {
    const now = await client.get<RunPod>(pods, name, { namespace, signal });
    return now.metadata.uid === uid ? now : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    // While the API server is away we go by what we know; the next stream will tell.
    if (isRetryable(error)) return pod;
    throw error;
  }
}
