import { loadTargets, type LoadedTarget } from '../cluster/apply/apply-directories.ts';
import { inventoryOf } from '../cluster/apply/apply-session.ts';
import { checkReport, exitCodeOf, type CheckedTarget } from '../cluster/apply/check-view.ts';
import { KnownClusters } from '../cluster/apply/known-clusters.ts';
import type { CheckOptions } from '../commands/check.ts';
import type { CliContext } from '../context.ts';
import { ExitError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { packageVersion } from '../version.ts';
import { checkNames } from '../../fleet/preflight/check-result.ts';
import { unreachable } from '../../fleet/preflight/check-server.ts';
import { notReached, preflight } from '../../fleet/preflight/preflight.ts';
import { sameClusterTwice } from '../../fleet/same-cluster.ts';
import { KubeClient } from '../../kube/client.ts';

/** A request that takes longer fails its check: somebody is waiting, and so is the report on the other clusters. */
const TIMEOUT_MS = 10_000;

/** Looks at each target's cluster, all clusters at the same time. */
export async function check(context: CliContext, argument: string | undefined, options: CheckOptions): Promise<void> {
  const { out, err, env } = context;
  const targets = await loadTargets(context.cwd, argument, options);
  const known = new KnownClusters(context.cwd);
  const progress = new LiveBlock(err);
  const waiting = new Set(targets.map(titleOf));
  const draw = (): void => progress.draw([`Checking ${[...waiting].join(', ')}`]);
  draw();
  const looked = await interruptible((signal) =>
    Promise.all(
      targets.map(async (target) => {
        const result = await checkTarget(target, known, options, signal);
        waiting.delete(titleOf(target));
        if (waiting.size > 0) draw();
        return result;
      }),
    ),
  ).finally(() => progress.clear());
  const results = sameClusterTwice(looked);
  if (options.output === 'json') out.json({ clusters: results });
  else
    out.write(checkReport(results, { colors: out.colors, phases: phaseStyle(out.colors, env), columns: out.columns }));
  const code = exitCodeOf(results, options.strict === true);
  if (code !== 0) throw new ExitError(code);
}

async function checkTarget(
  target: LoadedTarget,
  known: KnownClusters,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<CheckedTarget> {
  const { namespace, manifests } = target;
  let client: KubeClient | undefined;
  const about = () => ({
    cluster: titleOf(target),
    context: client?.context ?? target.context ?? '',
    namespace: client?.namespace ?? namespace,
  });
  try {
    client = await KubeClient.fromKubeconfig({
      kubeconfig: options.kubeconfig,
      context: target.context,
      namespace,
      timeoutMs: TIMEOUT_MS,
      retry: { attempts: 3, maxElapsedMs: 5_000 },
    });
    const checks = checkNames.filter((name) => !options.skip?.includes(name));
    // As the fleet says it, else as it was when it was applied to before.
    const uid = target.uid ?? (target.cluster === undefined ? undefined : await known.uidOf(target));
    const inventory = inventoryOf(target, client);
    const asked = { version: packageVersion(), now: Date.now(), checks, inventory, signal };
    return { ...about(), checks: await preflight(client, { namespace, uid }, manifests, asked) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...about(), checks: notReached(unreachable(error)) };
  } finally {
    await client?.close();
  }
}

function titleOf({ cluster, directory }: LoadedTarget): string {
  return cluster ?? directory;
}
