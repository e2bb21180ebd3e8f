import { plural, switchReport, switchTable, type PlanSwitch } from '../cluster/fleet/failover-view.ts';
import { clustersOf, problemOf, type FleetCluster } from '../cluster/fleet/fleet-clusters.ts';
import { PlanSights } from '../cluster/fleet/plan-sights.ts';
import { clusterNamed, readFleet } from '../cluster/read-placement.ts';
import type { FailoverOptions } from '../commands/failover.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError, FailedError, UsageError } from '../errors.ts';
import { confirm } from '../terminal/confirm.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { clusterUid } from '../../fleet/preflight/check-server.ts';
import { failbackMove, failoverMove } from '../../fleet/failover/failover-moves.ts';
import { backupsOf, plansBackedBy, unknownPlans } from '../../fleet/failover/failover-plans.ts';
import type { FailoverRecord } from '../../fleet/failover/failover-record.ts';
import { failBack, failOver, type HandOverOptions } from '../../fleet/failover/hand-over.ts';
import { inParallel } from '../../fleet/in-parallel.ts';
import { whoAmI } from '../../kube/who-am-i.ts';
import { InvalidError } from '../../values/problems.ts';

const AT_ONCE = 8;

/** Switches plans from the cluster that they belong on to a backup. */
export async function failover(
  context: CliContext,
  home: string,
  options: FailoverOptions & { readonly to: string },
): Promise<void> {
  const { to: backup, force = false } = options;
  const fleet = await readFleet(context.cwd, 'failover');
  const { placement } = fleet;
  const named = (name: string, argument: string): FleetCluster => ({ ...clusterNamed(fleet, name, argument), name });
  if (home === backup) throw new UsageError(`--to: ${backup} is the cluster itself`);
  const clusters = [named(home, '<cluster>'), named(backup, '--to')];
  const backed = plansBackedBy(placement, home, backup);
  const chosen = chosenOf(backed, options);
  if (chosen.length === 0) {
    const backups = backupsOf(placement, home);
    const has =
      backups.length === 0 ? 'its plans have no backups' : `the backups of its plans are ${backups.join(', ')}`;
    throw new FailedError(`No plan that belongs on ${home} has ${backup} among its backups; ${has}`);
  }
  clusters.push(...[...new Set(chosen.flatMap((plan) => plan.others))].map((name) => named(name, 'placement.json')));
  await interruptible(async (signal) => {
    await using sights = await PlanSights.read(clusters, placement, options, signal);
    await refuseSameCluster(sights, home, backup, signal);
    const plans = chosen.map(({ plan, others: names }): PlanSwitch => {
      const sight = {
        plan,
        home: sights.of(home, plan),
        backup: sights.of(backup, plan),
        others: Object.fromEntries(names.map((name) => [name, sights.of(name, plan)])),
      };
      return { ...failoverMove(sight, { home, backup, force }), homeCluster: home, backupCluster: backup };
    });
    const by = sights.client(backup);
    const record: FailoverRecord = {
      from: home,
      to: backup,
      at: new Date().toISOString(),
      by: (by && (await whoAmI(by, signal).catch(() => undefined))) ?? 'unknown',
    };
    await switchPlans(context, sights, plans, options, signal, (plan, how) =>
      failOver(plan, sights.side(home, plan.plan), sights.side(backup, plan.plan)!, record, how),
    );
  });
}

/** Switches plans back to the cluster that they belong on, by what failover noted. */
export async function failback(context: CliContext, home: string, options: FailoverOptions): Promise<void> {
  const { force = false } = options;
  const fleet = await readFleet(context.cwd, 'failback');
  clusterNamed(fleet, home, '<cluster>');
  await interruptible(async (signal) => {
    await using sights = await PlanSights.read(clustersOf(fleet), fleet.placement, options, signal);
    const switched = [...sights.switchedFrom(home)].map(([plan, backup]) => ({ plan, backup }));
    const chosen = chosenOf(switched, options);
    const plans = chosen.map(({ plan, backup }): PlanSwitch => {
      const sight = { plan, home: sights.of(home, plan), backup: sights.of(backup, plan), others: {} };
      return { ...failbackMove(sight, { home, backup, force }), homeCluster: home, backupCluster: backup };
    });
    await switchPlans(context, sights, plans, options, signal, (plan, how) =>
      failBack(plan, sights.side(home, plan.plan)!, sights.side(plan.backupCluster, plan.plan), how),
    );
  });
}

/** The clusters that plans were switched away from without a look at them. */
function unseenOf(plans: readonly PlanSwitch[]): ReadonlySet<string> {
  return new Set(
    plans
      .filter(({ done }) => done)
      .flatMap(({ home, backup, homeCluster, backupCluster }) => [
        ...(home === 'unreachable' ? [homeCluster] : []),
        ...(backup === 'unreachable' ? [backupCluster] : []),
      ]),
  );
}

/** Those that `--plan` names; all when it names none. */
function chosenOf<T extends { readonly plan: string }>(
  plans: readonly T[],
  { plan: named }: FailoverOptions,
): readonly T[] {
  if (named === undefined) return plans;
  const known = plans.map(({ plan }) => plan);
  const problems = unknownPlans(named, known);
  if (problems.length > 0) throw new InvalidError('Nothing was switched', problems);
  return plans.filter(({ plan }) => named.includes(plan));
}

/** Two names of one place would make a plan suspend itself. */
async function refuseSameCluster(sights: PlanSights, a: string, b: string, signal: AbortSignal): Promise<void> {
  const [one, other] = [sights.client(a), sights.client(b)];
  if (one === undefined || other === undefined || one.namespace !== other.namespace) return;
  const [left, right] = await Promise.all([clusterUid(one, signal), clusterUid(other, signal)]);
  if (left !== undefined && left === right)
    throw new FailedError(
      `The contexts of ${a} and ${b} lead to the same namespace of the same cluster; correct the kubeconfig`,
    );
}

/** Shows what is to be done, asks, does it, and tells. */
async function switchPlans(
  context: CliContext,
  sights: PlanSights,
  plans: readonly PlanSwitch[],
  options: FailoverOptions,
  signal: AbortSignal,
  write: (plan: PlanSwitch, how: HandOverOptions) => Promise<void>,
): Promise<void> {
  const { out, err, env } = context;
  const { dryRun = false, output, yes = false } = options;
  const json = output === 'json';
  for (const { cluster, problem } of sights.unreachable)
    err.line(`${err.colors.yellow('warning:')} ${cluster}: ${problem}`);
  const open = plans.filter(({ verdict }) => verdict === 'switch');
  if (!json && plans.length > 0) (open.length > 0 && !yes && !dryRun ? err : out).write(switchTable(plans, out.colors));
  if (
    open.length > 0 &&
    !yes &&
    !dryRun &&
    !(await confirm(context, `Switch ${plural(open.length)}?`, '--yes or --dry-run'))
  ) {
    err.line('Nothing was switched.');
    throw new ExitError(exitCodes.failed);
  }
  const results = await inParallel(plans, AT_ONCE, async (plan): Promise<PlanSwitch> => {
    if (plan.verdict !== 'switch') return plan;
    try {
      const now = Date.now();
      // What one of the two clusters would refuse is known before anything is written to the other.
      await write(plan, { now, dryRun: true, signal });
      if (!dryRun) await write(plan, { now, signal });
      return { ...plan, done: true };
    } catch (error) {
      signal.throwIfAborted();
      return { ...plan, done: false, problem: problemOf(error) };
    }
  });
  if (json) out.json({ dryRun, plans: results, unreachable: sights.unreachable });
  else if (plans.length === 0) err.line('No plan is to be switched.');
  else out.write(switchReport(results, { colors: out.colors, phases: phaseStyle(out.colors, env), dryRun }));
  for (const cluster of unseenOf(results))
    err.line(
      `${err.colors.yellow('warning:')} ${cluster} may go on to start these plans; run this command again as soon as it is back`,
    );
  if (results.some(({ verdict, problem }) => verdict === 'refused' || problem !== undefined))
    throw new ExitError(exitCodes.failed);
}
