import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  EXPLAIN_DIRECTORY,
  EXPLAIN_PLAN,
  explanationFile,
  type ExplainedValue,
  type Explanation,
} from '../../pods/explanation.ts';
import { show, suggest } from '../../values/problems.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { findApp, type AppSource } from './app.ts';
import { readOutput, type OutputTree } from './output-tree.ts';
import { selectWorkflow, type SelectedWorkflow } from './select-workflow.ts';
import { parseStepName } from './step-name.ts';
import { displayPath, synthesize } from './synthesize.ts';
import { withTemporaryDirectory } from './temporary-directory.ts';

/** Where steps are looked for. */
export interface StepSelection {
  readonly app: string;
  readonly cluster?: string;
  /** A launch plan whose changes count too. */
  readonly plan?: string;
}

/** A step's pod, and where its fields come from. */
export interface ExplainedStep extends Explanation {
  readonly workflow: string;
  readonly step: string;
  /** Left out when the app has no fleet. */
  readonly cluster?: string;
  readonly plan?: string;
  /** Name of the PodTemplate. */
  readonly podTemplate: string;
}

/**
 * Synthesizes an app and gives the pods of some of its steps, each named `<workflow>/<step>`.
 *
 * @throws UsageError when the app, a workflow, step, plan or cluster is none
 * @throws FailedError when the app fails
 */
export async function explainSteps(
  names: readonly string[],
  { app, cluster, plan }: StepSelection,
  context: CliContext,
): Promise<readonly ExplainedStep[]> {
  const steps = names.map(parseStepName);
  const source = await findApp(app, context);
  if (source.kind === 'manifests')
    throw new UsageError(`${app} holds manifests, which do not tell who wrote what; give the app that made them`);
  return withTemporaryDirectory(join(tmpdir(), 'cdk8s-workflows-'), async (directory) => {
    const written = join(directory, 'explanations');
    const asking = { [EXPLAIN_DIRECTORY]: written, [EXPLAIN_PLAN]: plan };
    await synthesize(source, join(directory, 'out'), { ...context, env: { ...context.env, ...asking } });
    const tree = await readOutput(join(directory, 'out'));
    return Promise.all(
      steps.map(async ({ workflow, step }) => {
        const selected = selectWorkflow(tree, { workflow, cluster, plan });
        if (plan !== undefined) checkPlan(plan, selected, tree);
        if (cluster === undefined && plan === undefined && selected.differsOn.length > 0)
          context.err.line(
            `${workflow}/${step} is shown as cluster ${selected.cluster} gets it; the workflow differs on ${selected.differsOn.join(', ')} (--cluster picks one).`,
          );
        const podTemplate = templateOf(step, selected);
        const file = join(written, explanationFile(selected.cluster, podTemplate, plan));
        const explanation = await read(file, `${workflow}/${step}`);
        const of = {
          workflow,
          step,
          ...(selected.cluster !== undefined && { cluster: selected.cluster }),
          ...(plan !== undefined && { plan }),
        };
        return { ...of, podTemplate, ...seenFrom(context.cwd, source, explanation) };
      }),
    );
  });
}

function templateOf(step: string, { workflow: { workflow, graph } }: SelectedWorkflow): string {
  const found = graph.steps.find(({ name }) => name === step);
  if (found !== undefined) return found.template;
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
  return JSON.parse(text) as Explanation;
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
