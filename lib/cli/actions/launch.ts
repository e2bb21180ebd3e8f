import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { controllerWarning } from '../cluster/controller-seen.ts';
import { checkLaunch } from '../cluster/launch/launch-preflight.ts';
import { groupPlans } from '../cluster/plans/list-plans.ts';
import { findPlanFor } from '../cluster/launch/plan-elsewhere.ts';
import { readLaunch } from '../cluster/launch/prepare-launch.ts';
import { launchedText, printLaunched } from '../cluster/launch/print-launched.ts';
import { waitForRun } from '../cluster/runs/wait-for-run.ts';
import type { LaunchOptions } from '../commands/launch.ts';
import type { CliContext } from '../context.ts';
import { ExitError, exitCodes, UsageError } from '../errors.ts';
import { grantHints } from '../grant-hint.ts';
import { inParallel } from '../../fleet/in-parallel.ts';
import type { KubeClient } from '../../kube/client.ts';
import { WorkflowsError } from '../../runs/errors.ts';
import { isManaged, prepareRun, type PreparedRun } from '../../runs/prepare-run.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { startRun, type StartOptions } from '../../runs/start-run.ts';
import { InvalidError } from '../../values/problems.ts';
import { sharedProblems, type NamedProblem } from '../../values/shared-problems.ts';

const REQUESTS_AT_ONCE = 8;

/** Creates a run of a plan, and waits for it when asked to. */
export async function launch(context: CliContext, planName: string, options: LaunchOptions): Promise<void> {
  if (options.timeout !== undefined && !options.watch && !options.wait)
    throw new UsageError('--timeout needs --watch or --wait');
  const given = await readLaunch(context, options);
  await withCluster(options, async (client) => {
    const { cluster } = options;
    const plan =
      cluster === undefined
        ? await findPlan(client, planName)
        : await findPlanFor(client, planName, { cluster, cwd: context.cwd });
    const [warning, prepared] = await Promise.all([controllerMissing(client, [plan]), prepareRun(client, plan, given)]);
    warn(context, warning);
    if (cluster !== undefined) await checkLaunch(context, client, cluster, prepared.job(plan.metadata.name));
    const { job, created } = await startRun(client, plan, prepared.job, startOptions(options, prepared));
    const where = cluster === undefined ? '' : ` on ${cluster}`;
    if (options.dryRun || !(options.watch || options.wait))
      return printLaunched(context, job, { ...options, created }, where);
    if (options.output === undefined) context.err.line(`${launchedText(job, created)}${where}`);
    await waitForRun(context, client, job, options);
  });
}

/** Starts a run of every plan of a group; none before all of them were checked. */
export async function launchGroup(context: CliContext, group: string, options: LaunchOptions): Promise<void> {
  const { out, err, program } = context;
  for (const option of ['name', 'watch', 'wait', 'timeout'] as const)
    if (options[option] !== undefined)
      throw new UsageError(`--${option} is for one run; ${program} status --group ${group} shows those of a group`);
  const given = await readLaunch(context, options);
  await withCluster(options, async (client) => {
    const plans = await groupPlans(client, group);
    const graphs = new Map();
    const problems: NamedProblem[] = [];
    const [warning, prepared] = await Promise.all([
      controllerMissing(client, plans),
      inParallel(plans, REQUESTS_AT_ONCE, (plan) =>
        prepareRun(client, plan, given, graphs).catch(async (error: unknown) => {
          problems.push(...problemsOf(error, plan));
        }),
      ),
    ]);
    if (problems.length > 0)
      throw new InvalidError(`Nothing of group ${group} was launched`, [...sharedProblems(problems, plans.length)]);
    warn(context, warning);
    const failures: string[] = [];
    const all = await inParallel([...plans.entries()], REQUESTS_AT_ONCE, async ([index, plan]) => {
      try {
        const ready = prepared[index] as PreparedRun;
        return await startRun(client, plan, ready.job, startOptions(options, ready));
      } catch (error) {
        const { message } = error as Error;
        failures.push(message);
        err.line(`${err.colors.red('error:')} ${plan.metadata.name}: ${message}`);
        return undefined;
      }
    });
    const started = all.filter((each) => each !== undefined);
    if (options.output === 'json') out.json(started.map(({ job }) => job));
    else for (const { job, created } of started) await printLaunched(context, job, { ...options, created });
    for (const hint of grantHints(failures)) err.line(hint);
    if (started.length < plans.length) throw new ExitError(exitCodes.failed);
  });
}

function startOptions({ name, idempotencyKey: key, dryRun }: LaunchOptions, { request }: PreparedRun): StartOptions {
  return { name, dryRun, ...(key !== undefined && { keyed: { key, request } }) };
}

/** What an error says of a plan; one that says something else is thrown. */
export function problemsOf(error: unknown, { metadata: { name } }: PlanCronJob): readonly NamedProblem[] {
  if (error instanceof InvalidError) return error.problems.map((problem) => ({ name, problem }));
  if (error instanceof WorkflowsError) return [{ name, problem: { path: '', message: error.message } }];
  throw error;
}

async function controllerMissing(client: KubeClient, plans: readonly PlanCronJob[]): Promise<string | undefined> {
  return plans.some(isManaged) ? controllerWarning(client, Date.now()) : undefined;
}

function warn({ err }: CliContext, warning: string | undefined): void {
  if (warning !== undefined) err.line(`${err.colors.yellow('warning:')} ${warning}`);
}
