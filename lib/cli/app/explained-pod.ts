import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  EXPLAIN_DIRECTORY,
  EXPLAIN_OVERRIDE,
  EXPLAIN_PLAN,
  explanationFile,
  singleTaskFile,
  type ExplainedValue,
  type Explanation,
  type Refusal,
} from '../../pods/explanation.ts';
import { hasPod, taskSteps } from '../../graph/graph.ts';
import { rulesOf } from '../../graph/step-kinds.ts';
import type { LaunchedStep } from '../../runs/prepare-run.ts';
import { InvalidError, show, suggest } from '../../values/problems.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { checkOverride, type GivenOverride } from '../pods/given-override.ts';
import { findApp, type AppSource } from './app.ts';
import { readOutput, type OutputTree } from './output-tree.ts';
import { selectWorkflow, type SelectedWorkflow } from './select-workflow.ts';
import { selectSingleTask } from './single-tasks.ts';
import { parseStepName } from './step-name.ts';
import { displayPath, synthesize } from './synthesize.ts';
import { withTemporaryDirectory } from './temporary-directory.ts';

/** Where pods are looked for. */
export interface PodSelection {
  readonly app: string;
  readonly cluster?: string;
  /** A launch plan whose changes count too. */
  readonly plan?: string;
  /** What a launch would change. */
  readonly launch?: GivenOverride;
}

/** A step's pod, or that of a single task, and where its fields come from. */
export interface ExplainedPod extends Explanation {
  readonly name: string;
  /** Left out when the app has no fleet. */
  readonly cluster?: string;
  readonly plan?: string;
  /** Of a step: where it is, and the name of its PodTemplate. */
  readonly workflow?: string;
  readonly step?: string;
  readonly podTemplate?: string;
  /** Of a single task: the kind of the object that has its pod. */
  readonly kind?: string;
}

/** A pod that was found in what an app synthesized. */
interface Found extends Omit<ExplainedPod, keyof Explanation> {
  /** Where its explanation is. */
  readonly file: string;
  /** Other clusters, which have another one. */
  readonly differsOn: readonly string[];
  /** By what names a launch may change it and what is beside it. */
  readonly steps: readonly LaunchedStep[];
}

/**
 * Synthesizes an app and gives some of its pods, each named `<workflow>/<step>` or as the plan, Job or Pod of a single task.
 *
 * @throws UsageError when the app, a workflow, step, plan, single task or cluster is none
 * @throws InvalidError when the pods cannot be changed as a launch would
 * @throws FailedError when the app fails
 */
export async function explainPods(
  names: readonly string[],
  { app, cluster, plan, launch }: PodSelection,
  context: CliContext,
): Promise<readonly ExplainedPod[]> {
  const source = await findApp(app, context);
  if (source.kind === 'manifests')
    throw new UsageError(`${app} holds manifests, which do not tell who wrote what; give the app that made them`);
  return withTemporaryDirectory(join(tmpdir(), 'cdk8s-workflows-'), async (directory) => {
    const written = join(directory, 'explanations');
    const override = launch && checkOverride(launch, undefined);
    const asking = {
      [EXPLAIN_DIRECTORY]: written,
      [EXPLAIN_PLAN]: plan,
      ...(override?.problems.length === 0 && { [EXPLAIN_OVERRIDE]: JSON.stringify(override.override ?? {}) }),
    };
    await synthesize(source, join(directory, 'out'), { ...context, env: { ...context.env, ...asking } });
    const tree = await readOutput(join(directory, 'out'));
    return Promise.all(
      names.map(async (name) => {
        const find = name.includes('/') ? findStep : findSingleTask;
        const { file, differsOn, steps, ...found } = find(name, { cluster, plan }, tree);
        if (launch !== undefined) checkLaunch(name, launch, found, steps);
        if (cluster === undefined && plan === undefined && differsOn.length > 0)
          context.err.line(
            `${name} is shown as cluster ${found.cluster} gets it; ${found.workflow === undefined ? 'it' : 'the workflow'} differs on ${differsOn.join(', ')} (--cluster picks one).`,
          );
        const explanation = await read(join(written, explanationFile(found.cluster, file, plan)), name);
        return { ...found, ...seenFrom(context.cwd, source, explanation) };
      }),
    );
  });
}

type Where = Pick<PodSelection, 'cluster' | 'plan'>;

function findStep(name: string, { cluster, plan }: Where, tree: OutputTree): Found {
  const { workflow, step } = parseStepName(name);
  const selected = selectWorkflow(tree, { workflow, cluster, plan });
  if (plan !== undefined) checkPlan(plan, selected, tree);
  const podTemplate = templateOf(step, selected);
  return {
    name,
    workflow,
    step,
    ...(selected.cluster !== undefined && { cluster: selected.cluster }),
    ...(plan !== undefined && { plan }),
    podTemplate,
    file: podTemplate,
    differsOn: selected.differsOn,
    steps: taskSteps(selected.workflow.graph),
  };
}

function findSingleTask(name: string, { cluster, plan }: Where, tree: OutputTree): Found {
  const { kind, task, differsOn, ...selected } = selectSingleTask(tree, name, cluster);
  if (plan !== undefined) throw new UsageError(`--plan goes with a step; ${show(name)} is a single task`);
  return {
    name,
    kind,
    ...(selected.cluster !== undefined && { cluster: selected.cluster }),
    file: singleTaskFile(kind, name),
    differsOn,
    steps: [{ name: task, runAs: 'Job' }],
  };
}

function checkLaunch(
  name: string,
  launch: GivenOverride,
  { kind }: Pick<ExplainedPod, 'kind'>,
  steps: readonly LaunchedStep[],
): void {
  if (kind !== undefined && kind !== 'CronJob')
    throw new UsageError(`--override and --set are for a launch, and nothing launches the ${kind} ${show(name)}`);
  const { problems } = checkOverride(launch, steps);
  if (problems.length > 0) throw new InvalidError(`Cannot launch ${name} so`, problems);
}

function templateOf(step: string, { workflow: { workflow, graph } }: SelectedWorkflow): string {
  const found = graph.steps.find(({ name }) => name === step);
  if (found !== undefined && hasPod(found)) return found.template;
  if (found !== undefined)
    throw new UsageError(
      `step ${show(step)} of workflow ${show(workflow)} has no pod: ${rulesOf(found).describe(found)}`,
    );
  const names = graph.steps.map(({ name }) => name);
  throw new UsageError(
    `workflow ${show(workflow)} has no step ${show(step)}; ${suggest(step, names) ?? `there are ${names.length}`}`,
  );
}

function checkPlan(plan: string, { workflow: { workflow, plans }, cluster }: SelectedWorkflow, tree: OutputTree): void {
  const names = plans.map(({ name }) => name);
  if (names.includes(plan)) return;
  const missing = `workflow ${show(workflow)} has no launch plan ${show(plan)}`;
  const anywhere = selectWorkflow(tree, { workflow, plan });
  if (anywhere.workflow.plans.some(({ name }) => name === plan))
    throw new UsageError(`${missing} on cluster ${show(cluster)}; it is on ${anywhere.cluster}`);
  const near = suggest(plan, names);
  throw new UsageError(`${missing}${near === undefined ? '' : `; ${near}`}`);
}

async function read(file: string, subject: string): Promise<Explanation> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined)
    throw new FailedError(
      `the app did not tell where the pod of ${subject} comes from: the cdk8s-workflows that it imports is another version than this one`,
    );
  const told = JSON.parse(text) as Explanation | Refusal;
  if ('problems' in told) throw new InvalidError(`Cannot launch ${subject} so`, told.problems);
  return told;
}

/** Apps name files from the directory that they run in; whoever reads that is in another. */
function seenFrom(cwd: string, { directory }: AppSource, explanation: Explanation): Explanation {
  const moved = <T extends ExplainedValue>(value: T): T => {
    const [, file, line] = /^(.*):(\d+)$/.exec(value.at ?? '') ?? [];
    return file === undefined ? value : { ...value, at: `${displayPath(cwd, resolve(directory, file))}:${line}` };
  };
  const fields = explanation.fields.map((field) => ({ ...moved(field), replaced: field.replaced.map(moved) }));
  return { ...explanation, fields };
}
