import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { graphOfPlan, versionsOf, type PlanVersion } from '../cluster/plan-versions.ts';
import type { RollbackOptions } from '../commands/rollback.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { HAND_MANAGER } from '../../fleet/field-managers.ts';
import { annotations, CONTROLLER_NAME, labels } from '../../graph/labels.ts';
import { neededBy } from '../../graph/old-versions.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { configMaps, cronJobs, podTemplates, type Resource } from '../../kube/resources.ts';
import { fixedInputs } from '../../runs/plan-inputs.ts';
import { mergeInputs } from '../../runs/run-inputs.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { inputsOf } from '../../runs/run-summary.ts';
import { InvalidError, suggest, type Problem } from '../../values/problems.ts';

/** Makes a plan start its runs with an earlier version of its workflow. Runs that there are keep theirs. */
export async function rollback(context: CliContext, planName: string, options: RollbackOptions): Promise<void> {
  const { out, err, program } = context;
  await withCluster(options, async (client) => {
    const plan = await findPlan(client, planName);
    const { name, namespace } = plan.metadata;
    const versions = await versionsOf(client, plan);
    const target = targetOf(plan, versions, options.to);
    if (target.current) return out.line(`plan ${name} is at version ${target.version} already`);
    const problems = await problemsOf(client, plan, target);
    if (problems.length > 0) throw new InvalidError(`Cannot roll back ${name} to ${target.version}`, problems);
    const patch = patchTo(plan, target);
    await client.patch(cronJobs, name, patch, {
      type: 'merge',
      namespace,
      dryRun: options.dryRun,
      fieldManager: HAND_MANAGER,
    });
    const from = versions.find(({ current }) => current)?.version ?? 'a version that is gone';
    out.line(`plan ${name} rolled back from ${from} to ${target.version}${options.dryRun ? ' (dry run)' : ''}`);
    if (!options.dryRun)
      err.line(`The next apply reports this as a conflict; ${program} apply --force-conflicts goes forward again.`);
  });
}

/** The version that was asked for: by its name or the beginning of it, else the newest one before the current. */
function targetOf(plan: PlanCronJob, versions: readonly PlanVersion[], to: string | undefined): PlanVersion {
  const { name } = plan.metadata;
  const known = versions.map(({ version }) => version);
  if (to !== undefined) {
    const exact = versions.find(({ version, name: graph }) => version === to || graph === to);
    const matching = exact ? [exact] : versions.filter(({ version }) => version.startsWith(to));
    if (matching.length === 1) return matching[0]!;
    if (matching.length > 1)
      throw new UsageError(
        `--to ${to} may be ${matching.map(({ version }) => version).join(' or ')}; write more of it`,
      );
    throw new UsageError(`--to ${to}: ${name} has no such version; ${suggest(to, known) ?? 'none is kept'}`);
  }
  const at = versions.findIndex(({ current }) => current);
  if (at < 0)
    throw new FailedError(`The version that ${name} names is not on the cluster; say which one to take with --to`);
  const before = versions[at + 1];
  if (before === undefined)
    throw new FailedError(`There is no version of ${name} before the current one, ${known[at]}`);
  return before;
}

/** What keeps runs of the plan from being of this version. */
async function problemsOf(
  client: KubeClient,
  plan: PlanCronJob,
  { name, graph }: PlanVersion,
): Promise<readonly Problem[]> {
  if (graph === undefined) return [{ path: `ConfigMap ${name}`, message: 'holds no graph that can be read' }];
  const values = inputsOf(plan.spec.jobTemplate.metadata);
  const merged = mergeInputs(
    { schema: { ...graph.inputs, required: [] }, values, fixed: fixedInputs(plan) },
    { values: {}, at: (input) => `--input ${input}` },
  );
  const { templates, graphs } = neededBy(graph);
  const missing = await Promise.all([
    ...templates.map((template) => missingProblem(client, plan, podTemplates, template)),
    ...graphs.map((child) => missingProblem(client, plan, configMaps, child)),
  ]);
  return [...(merged.ok ? [] : merged.problems), ...missing.flat()];
}

async function missingProblem(
  client: KubeClient,
  { metadata: { namespace } }: PlanCronJob,
  of: Resource,
  name: string,
): Promise<readonly Problem[]> {
  try {
    await client.get(of, name, { namespace });
    return [];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return [{ path: `${of.kind} ${name}`, message: 'is gone', fix: 'apply that version again from its source' }];
  }
}

/** What of a plan names its version. With the plan's own version, so that what somebody else has just written is not undone. */
function patchTo(plan: PlanCronJob, { name, version, graph }: PlanVersion): object {
  const { workflow } = graphOfPlan(plan);
  const named = { [labels.workflow]: workflow, [labels.version]: version };
  const managed = plan.spec.jobTemplate.spec.managedBy === CONTROLLER_NAME;
  return {
    metadata: { resourceVersion: plan.metadata.resourceVersion, labels: named },
    spec: {
      jobTemplate: {
        metadata: { labels: named, annotations: { [annotations.graph]: name } },
        // The Job of a driver counts its one pod.
        ...(managed && { spec: { completions: graph!.steps.length } }),
      },
    },
  };
}
