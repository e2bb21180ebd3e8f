import { taskSteps } from '../../graph/graph.ts';
import { findWorkflows } from '../../graph/bundle.ts';
import type { CompletionRequest } from '../command-module.ts';
import type { CliContext } from '../context.ts';
import { lastOutput, unique } from './complete-local.ts';
import { singleTasksOf } from './single-tasks.ts';

/**
 * Completion for commands over so many pods, `<workflow>/<step>` or a single task, then `[app]`. It reads what the last synth wrote and
 * runs nothing; the names come from the app in the working directory, for the shell does not know another one yet.
 */
export async function completeSteps(
  { before, option }: CompletionRequest,
  context: CliContext,
  count: number,
): Promise<readonly string[] | undefined> {
  if (option === undefined && before.length >= count) return before.length === count ? undefined : [];
  if (option !== undefined && option !== '--plan' && option !== '--cluster') return [];
  const { clusters } = await lastOutput(before[count] ?? '.', context);
  if (option === '--cluster') return unique(clusters.flatMap(({ name }) => name ?? []));
  const all = clusters.flatMap(({ files }) => findWorkflows(files.flatMap(({ objects }) => objects)).workflows);
  const workflow = before[0]?.split('/')[0];
  if (option === '--plan')
    return unique(
      all
        .filter((each) => workflow === undefined || each.workflow === workflow)
        .flatMap(({ plans }) => plans.map(({ name }) => name)),
    );
  const tasks = clusters.flatMap(({ files }) => singleTasksOf(files.flatMap(({ objects }) => objects)));
  const steps = all.flatMap(({ graph }) => taskSteps(graph).map(({ name }) => `${graph.workflow}/${name}`));
  return unique([...steps, ...tasks.map(({ name }) => name)]);
}
