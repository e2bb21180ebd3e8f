import type { Gate } from '../../graph/graph.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { CliContext } from '../context.ts';

/** A shell that waits for its completion longer than this is worse than one without. */
const TIMEOUT_MS = 1500;

/** Names of runs or plans of the current context, for completion; none when the cluster does not answer at once. */
export async function completeNames(context: CliContext, kind: 'runs' | 'plans'): Promise<readonly string[]> {
  return atOnce(context, async (client, signal) => {
    const { PLAN_SELECTOR, RUN_SELECTOR } = await import('../../runs/run-kinds.ts');
    const { cronJobs, jobs } = await import('../../kube/resources.ts');
    const [of, labelSelector] = kind === 'runs' ? [jobs, RUN_SELECTOR] : [cronJobs, PLAN_SELECTOR];
    const { items } = await client.list(of, { labelSelector, signal, resourceVersion: '0' });
    return items.map(({ metadata }) => metadata.name);
  });
}

/** Names of groups of plans, for completion. */
export async function completeGroups(context: CliContext): Promise<readonly string[]> {
  return atOnce(context, async (client, signal) => (await import('./plans/list-plans.ts')).groupNames(client, signal));
}

/** Names of the steps of a run, for completion. */
export async function completeSteps(context: CliContext, run: string): Promise<readonly string[]> {
  return atOnce(context, async (client, signal) => {
    const { findRun } = await import('./cluster-session.ts');
    const { readRunState } = await import('../../runs/run-state.ts');
    const { graph } = await readRunState(client, await findRun(client, run), signal);
    return (graph?.steps ?? []).map(({ name }) => name);
  });
}

/** The versions of a plan, for completion. */
export async function completeVersions(context: CliContext, plan: string): Promise<readonly string[]> {
  return atOnce(context, async (client) => {
    const { findPlan } = await import('./cluster-session.ts');
    const { versionsOf } = await import('./plans/plan-versions.ts');
    return (await versionsOf(client, await findPlan(client, plan))).map(({ version }) => version);
  });
}

/** Names of the steps of a run that wait for somebody, for completion. */
export async function completeGates(
  context: CliContext,
  run: string,
  waitsFor: Gate['waitsFor'],
): Promise<readonly string[]> {
  return atOnce(context, async (client, signal) => {
    const { findRun } = await import('./cluster-session.ts');
    const { readRunState } = await import('../../runs/run-state.ts');
    const { graph } = await readRunState(client, await findRun(client, run), signal);
    return (graph?.steps ?? []).flatMap((step) =>
      step.kind === 'gate' && step.gate.waitsFor === waitsFor ? [step.name] : [],
    );
  });
}

async function atOnce(
  { env }: CliContext,
  ask: (client: KubeClient, signal: AbortSignal) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const { KubeClient: Client } = await import('../../kube/client.ts');
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  // Several files in KUBECONFIG are the client's own business.
  const kubeconfig = env.KUBECONFIG?.includes(':') ? undefined : env.KUBECONFIG || undefined;
  try {
    const client = await Client.fromKubeconfig({ kubeconfig, retry: { attempts: 1 } });
    return await Promise.race([ask(client, signal).finally(() => client.close()), late]);
  } catch {
    return [];
  }
}
