import type { Pod } from './pod.ts';

/** How a simulated pod goes. What is left out is decided by the pod's annotations, then by the default. */
export interface PodBehaviour {
  /**
   * Milliseconds that the pod stays Pending on its node.
   * @default 0
   */
  readonly startMs?: number;
  /**
   * Milliseconds that its containers run. With 0 the pod ends without ever being seen Running.
   * @default 0
   */
  readonly runMs?: number;
  /**
   * Exit code of the main container; all others end with 0.
   * @default 0
   */
  readonly exitCode?: number;
  /**
   * Why the main container ended, e.g. `OOMKilled`.
   * @default 'Completed' or 'Error', by the exit code
   */
  readonly reason?: string;
  /** Termination message of the main container; an object is written as JSON. */
  readonly outputs?: string | object;
  /** What the log API answers for the main container. */
  readonly log?: string;
  /**
   * Milliseconds between the request to end and the end, at most the grace period.
   * @default 0
   */
  readonly terminationMs?: number;
  /** The phase in which the pod stays for good: it never starts, never ends, or ignores its deletion. */
  readonly stuck?: 'Pending' | 'Running' | 'Terminating';
}

/** Decides how a pod goes, each time its containers start. */
export type Behaviour = (pod: Pod) => PodBehaviour | undefined | Promise<PodBehaviour | undefined>;

/** What the annotations that steer a simulated pod start with. */
export const annotationPrefix = 'sim.cdk8s-workflows.dev/';

/** What a pod's own annotations say: `run-ms`, `start-ms`, `termination-ms`, `exit-code`, `reason`, `outputs`, `log`, `stuck`. */
function annotatedBehaviour(pod: Pod): PodBehaviour {
  const text = (name: string): string | undefined => pod.metadata.annotations?.[`${annotationPrefix}${name}`];
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value !== undefined && !/^\d+$/.test(value))
      throw new Error(`${annotationPrefix}${name}: ${value} is no number`);
    return value === undefined ? undefined : Number(value);
  };
  return {
    startMs: number('start-ms'),
    runMs: number('run-ms'),
    exitCode: number('exit-code'),
    reason: text('reason'),
    outputs: text('outputs'),
    log: text('log'),
    terminationMs: number('termination-ms'),
    stuck: stuckIn(text('stuck')),
  };
}

/** The behaviour of a pod: the annotations', with what the hook sets put over it. */
export async function behaviourOf(pod: Pod, hook: Behaviour | undefined): Promise<PodBehaviour> {
  const chosen = (await hook?.(pod)) ?? {};
  const set = Object.entries(chosen).filter(([, value]) => value !== undefined);
  return { ...annotatedBehaviour(pod), ...(Object.fromEntries(set) as PodBehaviour) };
}

function stuckIn(value: string | undefined): PodBehaviour['stuck'] {
  switch (value) {
    case undefined:
    case 'false':
      return undefined;
    case 'true':
      return 'Running';
    case 'Pending':
    case 'Running':
    case 'Terminating':
      return value;
    default:
      throw new Error(`${annotationPrefix}stuck: ${value} is none of true, Pending, Running, Terminating`);
  }
}
