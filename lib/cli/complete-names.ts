import { cronJobs, jobs } from '../kube/resources.ts';
import { PLAN_SELECTOR, RUN_SELECTOR } from './cluster-session.ts';
import type { CliContext } from './context.ts';

/** A shell that waits for its completion longer than this is worse than one without. */
const TIMEOUT_MS = 1500;

/** Names of runs or plans of the current context, for completion; none when the cluster does not answer at once. */
export async function completeNames(_context: CliContext, kind: 'runs' | 'plans'): Promise<readonly string[]> {
  const { KubeClient } = await import('../kube/client.ts');
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const [of, labelSelector] = kind === 'runs' ? ([jobs, RUN_SELECTOR] as const) : ([cronJobs, PLAN_SELECTOR] as const);
  try {
    const client = await KubeClient.fromKubeconfig({ retry: { attempts: 1 } });
    const { items } = await client.list(of, { labelSelector, signal, resourceVersion: '0' });
    return items.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}
