import { loadTargets, type LoadedTarget } from '../cluster/apply-directories.ts';
import { applyReport, type AppliedTarget } from '../cluster/apply-view.ts';
import type { ApplyCommandOptions } from '../commands/apply.ts';
import { confirm } from '../terminal/confirm.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { applyCluster } from '../../fleet/apply-cluster.ts';
import { applyFailure } from '../../fleet/apply-failure.ts';
import { isApplied } from '../../fleet/apply-result.ts';
import { KubeClient } from '../../kube/client.ts';

/** Applies each target's manifests to its cluster, all clusters at the same time. */
export async function apply(
  context: CliContext,
  argument: string | undefined,
  options: ApplyCommandOptions,
): Promise<void> {
  const { dryRun = false, namespace } = options;
  const targets = await loadTargets(context.cwd, { argument, context: options.context, namespace });
  if (!dryRun && options.yes !== true && !(await confirm(context, question(targets), '--yes or --dry-run'))) {
    context.err.line('Nothing was applied.');
    throw new ExitError(exitCodes.failed);
  }
  const progress = new Progress(context, targets);
  const results = await interruptible((signal) =>
    Promise.all(targets.map((target) => applyTarget(target, options, progress, signal))),
  ).finally(() => progress.end());
  if (options.output === 'json') context.out.json({ dryRun, clusters: results });
  else {
    const { out, env } = context;
    out.write(applyReport(results, out.colors, phaseStyle(out.colors, env), dryRun));
  }
  if (!results.every(isApplied)) throw new ExitError(exitCodes.failed);
}

async function applyTarget(
  target: LoadedTarget,
  options: ApplyCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<AppliedTarget> {
  const { cluster, directory, manifests, namespace } = target;
  let client: KubeClient | undefined;
  try {
    client = await KubeClient.fromKubeconfig({
      kubeconfig: options.kubeconfig,
      context: target.context,
      namespace,
      // A cluster that is gone is told within seconds: people wait, and so does the report on the other clusters.
      retry: { maxElapsedMs: 8_000 },
    });
    const result = await applyCluster(client, manifests, {
      dryRun: options.dryRun,
      force: options.forceConflicts,
      signal,
      onProgress: (done) => progress.set(target, done),
    });
    return { cluster, context: client.context, directory, ...result };
  } catch (error) {
    signal.throwIfAborted();
    return {
      cluster,
      context: client?.context ?? target.context ?? '',
      directory,
      objects: [],
      failure: applyFailure(error),
    };
  } finally {
    await client?.close();
  }
}

function question(targets: readonly LoadedTarget[]): string {
  const lines = targets.map(({ cluster, context, namespace, directory, manifests }) => {
    const where = context === undefined ? 'the current context' : `the context ${context}`;
    const into = namespace === undefined ? '' : `, namespace ${namespace}`;
    return `${cluster ?? directory}: ${manifests.length} ${manifests.length === 1 ? 'object' : 'objects'} to ${where}${into}`;
  });
  return lines.length === 1 ? `Apply ${lines[0]}?` : `${lines.map((line) => `  ${line}\n`).join('')}Apply?`;
}

/** A line for each cluster on a terminal, while it lasts. */
class Progress {
  readonly #block: LiveBlock;
  readonly #done: Map<LoadedTarget, number>;

  constructor({ err }: CliContext, targets: readonly LoadedTarget[]) {
    this.#block = new LiveBlock(err);
    this.#done = new Map(targets.map((target) => [target, 0]));
    this.#draw();
  }

  set(target: LoadedTarget, done: number): void {
    this.#done.set(target, done);
    this.#draw();
  }

  end(): void {
    this.#block.clear();
  }

  #draw(): void {
    this.#block.draw(
      [...this.#done].map(
        ([target, done]) => `${target.cluster ?? target.directory}: ${done}/${target.manifests.length}`,
      ),
    );
  }
}
