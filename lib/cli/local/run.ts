import { availableParallelism } from 'node:os';
import type { PlanManifest, WorkflowManifests } from '../../graph/bundle.ts';
import { taskSteps } from '../../graph/graph.ts';
import type { CacheMode } from '../../graph/labels.ts';
import type { RunPolicy } from '../../graph/run-policy.ts';
import type { LocalRun } from '../../local/run-directory.ts';
import { localLimits } from '../../local/attempt-plan.ts';
import { localTemplateProblems, unresolvedTemplate } from '../../local/local-template.ts';
import type { RunOverride } from '../../pods/run-override.ts';
import type { PodTemplate, PodTemplateOverride } from '../../pods/template.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { InvalidError, show, suggest } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';
import { otherRuns } from './other-runs.ts';
import type { SelectedWorkflow } from '../app/select-workflow.ts';

/** What a run on this machine needs beside the workflow. */
export interface LocalRunSettings {
  readonly name: string;
  readonly inputs: JsonObject;
  readonly plan?: PlanManifest;
  readonly parallelism?: number;
  readonly cache?: CacheMode;
  /** What was said of it on the command line. */
  readonly policy?: RunPolicy;
  readonly workingDirectory: string;
  /** What was said of its pods on the command line. */
  readonly runOverride?: RunOverride;
}

/**
 * Puts a run together from manifests: the templates, what changes them, and the ConfigMaps that they refer to.
 *
 * @throws InvalidError when an override contradicts the policy of the cluster that it was synthesized for
 */
export function localRun(selected: SelectedWorkflow, settings: LocalRunSettings): LocalRun {
  const { workflow, objects, elsewhere } = selected;
  const { workflows, runs } = otherRuns(selected);
  const all = [workflow, ...workflows];
  const { name, inputs, plan, workingDirectory, runOverride } = settings;
  const podOverride = plan?.podOverride as PodTemplateOverride | undefined;
  const layers = {
    run: name,
    ...(plan && { plan: plan.name }),
    ...(podOverride && { podOverride }),
    ...(runOverride && { runOverride }),
  };
  const templates = Object.fromEntries(all.flatMap((each) => [...each.templates])) as Record<string, object> as Record<
    string,
    PodTemplate
  >;
  const policy = { ...plan?.policy, ...settings.policy };
  const run: LocalRun = {
    name,
    graph: workflow.graph,
    templates,
    policies: Object.fromEntries(all.flatMap((each) => [...each.policies])),
    layers,
    configMaps: configMapsOf(
      [...elsewhere, ...objects],
      JSON.stringify([templates, podOverride, runOverride, runs.plans]),
    ),
    inputs,
    ...(workflows.length > 0 && { others: runs }),
    // A laptop is not idle while steps wait for a network: a few at once even on one core.
    parallelism: settings.parallelism ?? plan?.parallelism ?? Math.max(4, availableParallelism()),
    ...(plan?.timeoutSeconds !== undefined && { timeoutSeconds: plan.timeoutSeconds }),
    cache: settings.cache ?? plan?.cache,
    ...(Object.keys(policy).length > 0 && { policy }),
    workingDirectory,
  };
  const problems = localTemplateProblems(run);
  if (problems.length > 0) throw new InvalidError(`Cannot run ${workflow.workflow}`, problems);
  return run;
}

function configMapsOf(objects: readonly JsonObject[], references: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  for (const { kind, metadata, data } of objects) {
    const name = isJsonObject(metadata) ? metadata.name : undefined;
    if (
      kind === 'ConfigMap' &&
      typeof name === 'string' &&
      isJsonObject(data) &&
      references.includes(JSON.stringify(name))
    )
      found[name] = data as Record<string, string>;
  }
  return found;
}

/**
 * The plan of a name.
 *
 * @throws UsageError when the workflow has none of that name
 */
export function planNamed(workflow: WorkflowManifests, name: string): PlanManifest {
  const plan = workflow.plans.find((each) => each.name === name);
  if (plan !== undefined) return plan;
  const names = workflow.plans.map((each) => each.name);
  const hint = names.length === 0 ? 'it has no plans here' : (suggest(name, names) ?? `it has ${names.length}`);
  throw new UsageError(`workflow ${workflow.workflow} has no plan ${show(name)}; ${hint}`);
}

/** What of the run's pods has no meaning on this machine, in words, with the steps that it concerns. */
export function localWarnings(run: LocalRun): string[] {
  const steps = new Map<string, string[]>();
  const others = Object.values(run.others?.graphs ?? {}).filter(({ workflow }) => workflow !== run.graph.workflow);
  for (const graph of [run.graph, ...others])
    for (const { name } of taskSteps(graph))
      for (const limit of localLimits(unresolvedTemplate({ ...run, graph }, name)!)) {
        const step = graph === run.graph ? name : `${graph.workflow}/${name}`;
        steps.set(limit, [...(steps.get(limit) ?? []), step]);
      }
  return [...steps].map(([limit, names]) => {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `${limit} on this machine (${names.slice(0, 3).join(', ')}${more})`;
  });
}
