import { isDeepStrictEqual } from 'node:util';
import { labels, MANAGED_BY } from '../../graph/labels.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { show, suggest } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';
import { outputOf, type OutputTree } from './output-tree.ts';

const kinds = ['CronJob', 'Job', 'Pod'] as const;

/** A task that Kubernetes runs by itself: a plan over it, or its Job or Pod. */
export interface SingleTask {
  readonly kind: (typeof kinds)[number];
  readonly name: string;
  readonly task: string;
  readonly manifest: JsonObject;
}

/** A single task as one cluster has it. */
export interface SelectedSingleTask extends SingleTask {
  /** Left out when the app has no fleet. */
  readonly cluster?: string;
  /** Clusters that have another one of its name. */
  readonly differsOn: readonly string[];
}

/** The single tasks among some objects. */
export function singleTasksOf(objects: readonly JsonObject[]): readonly SingleTask[] {
  return objects.flatMap((manifest) => {
    const { metadata } = manifest;
    const own = labelsOf(manifest);
    const kind = kinds.find((each) => each === manifest.kind);
    const [name, task] = [isJsonObject(metadata) ? metadata.name : undefined, own[labels.task]];
    if (kind === undefined || typeof name !== 'string' || typeof task !== 'string') return [];
    return own[labels.managedBy] === MANAGED_BY && !(labels.workflow in own) ? [{ kind, name, task, manifest }] : [];
  });
}

/**
 * The single task of a name among all that was synthesized.
 *
 * @throws UsageError when there is none, or more than one
 */
export function selectSingleTask(tree: OutputTree, wanted: string, cluster: string | undefined): SelectedSingleTask {
  const candidates = outputOf(tree, cluster).map(({ name, files }) => {
    const objects = files.flatMap((file) => file.objects);
    return { cluster: name, objects, tasks: singleTasksOf(objects) };
  });
  const fitting = candidates
    .map((each) => ({ ...each, tasks: each.tasks.filter(({ name }) => name === wanted) }))
    .filter(({ tasks }) => tasks.length > 0);
  const [first, ...others] = fitting;
  if (first === undefined) throw new UsageError(notFound(wanted, candidates));
  const [found, ...more] = first.tasks;
  if (more.length > 0)
    throw new UsageError(`${show(wanted)} is a ${first.tasks.map(({ kind }) => kind).join(' and a ')}; rename one`);
  return {
    ...found!,
    ...(first.cluster !== undefined && { cluster: first.cluster }),
    differsOn: others
      .filter(({ tasks }) => !isDeepStrictEqual(tasks[0]!.manifest, found!.manifest))
      .flatMap((other) => other.cluster ?? []),
  };
}

function labelsOf({ metadata }: JsonObject): JsonObject {
  return isJsonObject(metadata) && isJsonObject(metadata.labels) ? metadata.labels : {};
}

interface Candidate {
  readonly objects: readonly JsonObject[];
  readonly tasks: readonly SingleTask[];
}

function notFound(wanted: string, candidates: readonly Candidate[]): string {
  const names = [...new Set(candidates.flatMap(({ tasks }) => tasks.map(({ name }) => name)))];
  const plan = candidates
    .flatMap(({ objects }) => objects)
    .find(({ kind, metadata }) => kind === 'CronJob' && isJsonObject(metadata) && metadata.name === wanted);
  const workflow = plan && labelsOf(plan)[labels.workflow];
  if (workflow !== undefined)
    return `${show(wanted)} launches a workflow; give ${String(workflow)}/<step> --plan ${wanted}`;
  const form = `${show(wanted)} names no step and no single task`;
  const near = names.length === 0 ? undefined : suggest(wanted, names);
  return `${form}; give <workflow>/<step>${near === undefined ? '' : `, or a single task: ${near}`}`;
}
