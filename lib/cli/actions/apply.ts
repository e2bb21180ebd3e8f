import { applyHolder } from '../cluster/apply/apply-holder.ts';
import { loadTargets } from '../cluster/apply/apply-directories.ts';
import { heldLines, planText, switchedLines } from '../cluster/apply/apply-plan-view.ts';
import { checkCanaryGroups } from '../cluster/apply/canary-groups.ts';
import { orphanLines } from '../cluster/apply/orphan-lines.ts';
import { prepareAll, withEach } from '../cluster/apply/apply-progress.ts';
import { ApplySession } from '../cluster/apply/apply-session.ts';
import { KnownClusters } from '../cluster/apply/known-clusters.ts';
import { applyReport, type AppliedTarget } from '../cluster/apply/apply-view.ts';
import { tellFindings } from '../cluster/apply/tell-findings.ts';
import type { ApplyCommandOptions } from '../commands/apply.ts';
import { confirm } from '../terminal/confirm.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError, UsageError } from '../errors.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { writingFailure } from '../../fleet/preflight/check-result.ts';
import { sameClusterTwice } from '../../fleet/same-cluster.ts';
import { isApplied } from '../../fleet/apply/apply-result.ts';
import { firstOf } from '../../values/first-of.ts';
import { isDone, stagesOf } from '../../fleet/apply/apply-stages.ts';

/** How long `--wait` waits when nobody says. */
const WAIT_SECONDS = 300;

/** Plans every target, asks, and applies; all clusters at the same time. */
export async function apply(
  context: CliContext,
  argument: string | undefined,
  options: ApplyCommandOptions,
): Promise<void> {
  if (options.timeout !== undefined && !options.wait) throw new UsageError('--timeout needs --wait');
  const targets = await loadTargets(context.cwd, argument, options);
  checkCanaryGroups(targets, options.canary);
  const known = new KnownClusters(context.cwd);
  const sessions = targets.map((target) => new ApplySession(target, options, known));
  try {
    await prepareAll(context, sessions);
    await check(context, sessions);
    await ask(context, sessions, options);
    report(context, await execute(context, sessions, options), options);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Tells what is left as it is, shows the plan and asks, unless nothing would be written or the answer was given. */
async function ask(
  context: CliContext,
  sessions: readonly ApplySession[],
  options: ApplyCommandOptions,
): Promise<void> {
  const { dryRun, yes } = options;
  const { colors } = context.err;
  const notes = [
    ...switchedLines(sessions, colors),
    ...heldLines(sessions, colors, context.program),
    ...orphanLines(sessions, options, colors),
  ];
  for (const line of notes) context.err.line(line);
  if (dryRun || yes || sessions.every(({ plan }) => isDone(plan))) return;
  context.err.write(planText(sessions, context.err.colors));
  if (await confirm(context, 'Apply?', '--yes or --dry-run')) return;
  context.err.line('Nothing was applied.');
  throw new ExitError(exitCodes.failed);
}

function report(
  context: CliContext,
  results: readonly AppliedTarget[],
  { dryRun = false, output }: ApplyCommandOptions,
): void {
  if (output === 'json') context.out.json({ dryRun, clusters: results });
  else {
    const { out, env } = context;
    out.write(applyReport(results, out.colors, phaseStyle(out.colors, env), dryRun));
  }
  if (!results.every(isApplied)) throw new ExitError(exitCodes.failed);
}

/** Looks at the clusters that something is to be written to: what forbids that is in their plans afterwards, the rest is told. */
async function check(context: CliContext, sessions: readonly ApplySession[]): Promise<void> {
  await withEach(context, sessions, async (session, progress, signal) => {
    progress.set(session.title, 'checking');
    await Promise.all([session.check(signal), session.findOrphans(signal)]);
    progress.set(session.title, 'checked');
  });
  const seen = sessions.map((session) => ({
    session,
    cluster: session.title,
    namespace: session.namespace,
    checks: session.checks,
  }));
  for (const { session, cluster, checks } of sameClusterTwice(seen)) {
    const failure = writingFailure(checks);
    if (failure !== undefined) session.forbid(failure);
    else tellFindings(context, cluster, checks);
  }
}

async function execute(
  context: CliContext,
  sessions: readonly ApplySession[],
  { dryRun = false, wait = false, timeout = WAIT_SECONDS }: ApplyCommandOptions,
): Promise<readonly AppliedTarget[]> {
  const holder = applyHolder();
  return withEach(context, sessions, (session, progress, signal) => {
    const { title } = session;
    const all = stagesOf(session.plan).flat().length;
    return session.apply({
      dryRun,
      holder,
      signal,
      onProgress: (done) => progress.set(title, `${done}/${all}`),
      ...(wait && { readyWithinMs: timeout * 1000 }),
      onNotReady: (names) => progress.set(title, `waits for ${firstOf(names)} to be ready`),
      onWaiting: (other) => progress.set(title, `waits for ${other}, which may have been interrupted`),
    });
  });
}
