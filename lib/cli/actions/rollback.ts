import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { groupPlans } from '../cluster/plans/list-plans.ts';
import { movePlans } from '../cluster/plans/move-plans.ts';
import { graphOfPlan, versionsOf, type PlanVersion } from '../cluster/plans/plan-versions.ts';
import { versionBefore, versionNamed } from '../cluster/plans/rollback-target.ts';
import { VersionParts } from '../cluster/plans/version-parts.ts';
import type { RollbackOptions } from '../commands/rollback.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { HAND_MANAGER } from '../../fleet/apply/field-managers.ts';
import { plannedGraph, previousOf, rolledBack } from '../../fleet/held-plan.ts';
import { writePlan } from '../../fleet/apply/write-plan.ts';
import { annotations, CONTROLLER_NAME, labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { cronJobs } from '../../kube/resources.ts';
import { fixedInputs } from '../../runs/plan-inputs.ts';
import { mergeInputs } from '../../runs/run-inputs.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { inputsOf } from '../../runs/run-summary.ts';
import type { Problem } from '../../values/problems.ts';

/**
 * Makes a plan, or every plan of a group that is on a newer version, start its runs with an earlier version of its workflow, and holds it
 * there. Runs that there are keep theirs.
 */
export async function rollback(
  context: CliContext,
  name: string | undefined,
  { group, to, dryRun, ...options }: RollbackOptions,
): Promise<void> {
  const { out, err, program } = context;
  if ((name === undefined) === (group === undefined)) throw new UsageError('name a plan, or give --group');
  await withCluster(options, async (client) => {
    const plans = group === undefined ? [await findPlan(client, name!)] : await groupPlans(client, group);
    const [first] = plans as [PlanCronJob];
    const subject = group === undefined ? first.metadata.name : `the group ${group}`;
    const versions = await versionsOf(client, first);
    const target = to === undefined ? versionBefore(subject, plans, versions) : versionNamed(subject, versions, to);
    const moved = plans.filter((plan) => graphOfPlan(plan).name !== target.name);
    if (moved.length === 0)
      return out.line(`${group === undefined ? 'plan ' : ''}${subject} is at version ${target.version} already`);
    const parts = new VersionParts(client);
    await movePlans(context, moved, {
      what: `roll back ${subject} to ${target.version}`,
      problemsOf: (plan) => problemsOf(parts, plan, target),
      move: (plan) => move(client, plan, target, dryRun),
      line: (plan) =>
        `plan ${plan.metadata.name} rolled back from ${currentOf(plan, versions)} to ${target.version}${dryRun ? ' (dry run)' : ''}`,
    });
    if (dryRun) return;
    err.line(
      moved.every((plan) => heldAt(plan, target) !== undefined)
        ? `apply leaves it at this version; ${program} promote goes forward again.`
        : `The next apply reports this as a conflict; ${program} apply --force-conflicts goes forward again.`,
    );
  });
}

function currentOf(plan: PlanCronJob, versions: readonly PlanVersion[]): string {
  const { name } = graphOfPlan(plan);
  return versions.find((version) => version.name === name)?.version ?? 'a version that is gone';
}

function heldAt(plan: PlanCronJob, { name, version, graph }: PlanVersion) {
  return rolledBack(plan, { graph: name, version, steps: graph!.steps.length });
}

/** A plan that was applied by something else has no manifest to be held from: it is changed by hand. */
async function move(
  client: KubeClient,
  plan: PlanCronJob,
  target: PlanVersion,
  dryRun: boolean | undefined,
): Promise<void> {
  const held = heldAt(plan, target);
  if (held !== undefined) return void (await writePlan(client, held, plan, { dryRun, force: true }));
  const { name, namespace } = plan.metadata;
  const options = { type: 'merge', namespace, dryRun, fieldManager: HAND_MANAGER } as const;
  await client.patch(cronJobs, name, patchTo(plan, target), options);
}

/** What keeps runs of the plan from being of this version. */
async function problemsOf(
  parts: VersionParts,
  plan: PlanCronJob,
  { name, graph }: PlanVersion,
): Promise<readonly Problem[]> {
  if (graph === undefined) return [{ path: `ConfigMap ${name}`, message: 'holds no graph that can be read' }];
  const gone = await parts.problems(graph, plan.metadata.namespace);
  const previous = previousOf(plan);
  // It gets back what it had with that version.
  if (previous !== undefined && plannedGraph(previous) === name) return gone;
  const values = inputsOf(plan.spec.jobTemplate.metadata);
  const merged = mergeInputs(
    { schema: { ...graph.inputs, required: [] }, values, fixed: fixedInputs(plan) },
    { values: {}, at: (input) => `--input ${input}` },
  );
  return [...(merged.ok ? [] : merged.problems), ...gone];
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
