import { loadTargets } from '../cluster/apply/apply-directories.ts';
import { prepareAll } from '../cluster/apply/apply-progress.ts';
import { ApplySession } from '../cluster/apply/apply-session.ts';
import { checkCanaryGroups } from '../cluster/apply/canary-groups.ts';
import { KnownClusters } from '../cluster/apply/known-clusters.ts';
import { diffExitCode, diffText, type DiffedTarget } from '../cluster/apply/diff-view.ts';
import type { DiffOptions } from '../commands/diff.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';

/** Shows what an apply would change, all clusters at the same time. */
export async function diff(context: CliContext, argument: string | undefined, options: DiffOptions): Promise<void> {
  const targets = await loadTargets(context.cwd, argument, options);
  checkCanaryGroups(targets, options.canary);
  // What would be too much for an apply is to be seen, too.
  const known = new KnownClusters(context.cwd);
  const sessions = targets.map((target) => new ApplySession(target, { ...options, yesDelete: true }, known));
  let results: readonly DiffedTarget[];
  try {
    await prepareAll(context, sessions);
    results = await interruptible((signal) => Promise.all(sessions.map((session) => session.diff(signal))));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
  if (options.output === 'json') context.out.json({ clusters: results });
  else context.out.write(diffText(results, context.out.colors));
  const code = diffExitCode(results);
  if (code !== exitCodes.ok) throw new ExitError(code);
}
