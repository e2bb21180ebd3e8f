import { findWorkflows, type WorkflowManifests } from '../../graph/bundle.ts';
import type { JsonObject } from '../../values/json.ts';
import { InvalidError, show, suggest } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';
import { outputOf, type OutputTree } from './output-tree.ts';

/** A workflow as one cluster has it. */
export interface SelectedWorkflow {
  readonly workflow: WorkflowManifests;
  /** Left out when the app has no fleet. */
  readonly cluster?: string;
  /** All that was synthesized for that cluster. */
  readonly objects: readonly JsonObject[];
  /** All that was synthesized for the other clusters. */
  readonly elsewhere: readonly JsonObject[];
  /** Clusters that have another version of it. */
  readonly differsOn: readonly string[];
}

/** What the user said about the workflow meant. */
export interface WorkflowSelection {
  /** May be left out when there is only one. */
  readonly workflow?: string;
  /** The first that has the workflow, and the plan if one is named, when left out. */
  readonly cluster?: string;
  /** A plan that is to be used. */
  readonly plan?: string;
}

/**
 * The workflow meant among all that were synthesized.
 *
 * @throws UsageError when there is none, or more than one fits
 * @throws InvalidError when manifests of workflows cannot be used
 */
export function selectWorkflow(tree: OutputTree, { workflow, cluster, plan }: WorkflowSelection): SelectedWorkflow {
  const candidates = outputOf(tree, cluster).map(({ name, files }) => {
    const objects = files.flatMap((file) => file.objects);
    return { name, objects, found: findWorkflows(objects) };
  });
  const names = [...new Set(candidates.flatMap(({ found }) => found.workflows.map((each) => each.workflow)))].sort();
  const problems = candidates.flatMap(({ found }) => found.problems);
  const wanted = workflow ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined && names.length > 0) throw new UsageError(`name the workflow: ${names.join(', ')}`);
  const fitting = candidates.filter(({ found }) => found.workflows.some((each) => each.workflow === wanted));
  const hasPlan = ({ found }: (typeof candidates)[number]) =>
    found.workflows.some((each) => each.workflow === wanted && each.plans.some(({ name }) => name === plan));
  const first = fitting.find(hasPlan) ?? fitting[0];
  if (first === undefined && problems.length > 0) throw new InvalidError('Manifests of workflows', problems);
  if (first === undefined) throw new UsageError(notFound(workflow, names));
  const same = first.found.workflows.filter((each) => each.workflow === wanted);
  if (same.length > 1)
    throw new UsageError(
      `${same.length} workflows are named ${show(wanted)}: ${same.map(inWords).join(', ')}; rename all but one`,
    );
  // Only what is wrong with this workflow keeps it from running.
  const own = first.found.problems.filter(({ path }) => path.startsWith(`ConfigMap ${same[0]!.graphName}:`));
  if (own.length > 0) throw new InvalidError(`Manifests of workflow ${wanted}`, own);
  const graphName = same[0]!.graphName;
  const differsOn = fitting
    .filter(({ found }) => !found.workflows.some((each) => each.graphName === graphName))
    .flatMap(({ name }) => name ?? []);
  return {
    workflow: same[0]!,
    ...(first.name !== undefined && { cluster: first.name }),
    objects: first.objects,
    elsewhere: tree.clusters
      .filter(({ name }) => name !== first.name)
      .flatMap(({ files }) => files.flatMap((file) => file.objects)),
    differsOn,
  };
}

function notFound(workflow: string | undefined, names: readonly string[]): string {
  if (names.length === 0) return 'there is no workflow in it';
  return `there is no workflow ${show(workflow)}; ${suggest(workflow ?? '', names) ?? `there are ${names.length}`}`;
}

const inWords = ({ graphName, namespace }: WorkflowManifests) =>
  namespace === undefined ? graphName : `${graphName} in namespace ${namespace}`;
