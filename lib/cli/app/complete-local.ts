import { resolve } from 'node:path';
import { findWorkflows, type WorkflowManifests } from '../../graph/bundle.ts';
import { RunDirectory } from '../../local/run-directory.ts';
import { findApp } from './app.ts';
import type { CompletionRequest } from '../command-module.ts';
import type { CliContext } from '../context.ts';
import { readOutput, type OutputTree } from './output-tree.ts';

/** Completion for commands over an app: `<app> [workflow]` and their options. It reads what the last synth wrote and runs nothing. */
export async function completeLocal(
  { before, option }: CompletionRequest,
  context: CliContext,
): Promise<readonly string[] | undefined> {
  if (option === '--resume') return RunDirectory.names(resolve(context.cwd, '.workflows', 'runs'));
  if (option === undefined ? before.length === 0 : !NAMED.has(option)) return undefined;
  if (option === undefined && before.length > 1) return [];
  const tree = await lastOutput(before[0] ?? '.', context);
  const workflows = tree.clusters.flatMap(
    ({ files }) => findWorkflows(files.flatMap(({ objects }) => objects)).workflows,
  );
  const chosen = before[1] === undefined ? workflows : workflows.filter(({ workflow }) => workflow === before[1]);
  switch (option) {
    case undefined:
      return unique(workflows.map(({ workflow }) => workflow));
    case '--plan':
      return unique(chosen.flatMap(({ plans }) => plans.map(({ name }) => name)));
    case '--cluster':
      return tree.clusters.flatMap(({ name }) => name ?? []);
    default:
      return unique(chosen.flatMap(inputNames));
  }
}

/** Options whose values are names in the app. */
const NAMED = new Set(['--plan', '--cluster', '--input']);

/** What the last synth of an app wrote. */
export async function lastOutput(app: string, context: CliContext): Promise<OutputTree> {
  const source = await findApp(app, context);
  return readOutput(source.kind === 'app' ? resolve(source.directory, source.output) : source.directory);
}

const inputNames = ({ graph }: WorkflowManifests) => Object.keys(graph.inputs.properties).map((name) => `${name}=`);

export const unique = (names: readonly string[]) => [...new Set(names)].sort();
