import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandModule, CompletionRequest } from '../command-module.ts';
import type { CliContext } from '../context.ts';
import { parseCanary, type Canary } from '../../fleet/canary.ts';
import { parsePruneLimit, type PruneLimit } from '../../fleet/prune/prune-limit.ts';
import { addKubeconfigOptions, addOutputOption, type KubeconfigOptions } from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';

/** What {@link addTargetOptions} gives to the action. */
export interface TargetCommandOptions extends KubeconfigOptions {
  readonly applyset?: string;
  /** `false` with `--no-prune`. */
  readonly prune?: boolean;
  readonly canary?: Canary;
  readonly forceConflicts?: boolean;
  readonly allowInsecure?: boolean;
}

/** Options of `apply`. */
export interface ApplyCommandOptions extends TargetCommandOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly pruneLimit?: PruneLimit;
  readonly yesDelete?: boolean;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout?: number;
  readonly output?: 'json';
}

/** What to apply where, for every command that compares a directory with its cluster. */
export function addTargetOptions(command: Command): Command {
  return addKubeconfigOptions(
    command.argument('[directory|cluster]', 'all clusters of the fleet, or the whole output, when left out'),
  )
    .option('--applyset <name>', "the inventory of what was applied; the fleet's name when left out")
    .option('--no-prune', 'keep what left the directory')
    .option(
      '--canary <[group=]share>',
      'move so many of the plans of each group, or of one, to a new version, such as 10%, and hold the others',
      canary,
    )
    .option('--force-conflicts', 'take over fields that another tool or person set')
    .option('--allow-insecure', 'use a kubeconfig that does not check the server');
}

/** Completes the name of a cluster. */
export async function completeTarget(
  { before, option }: CompletionRequest,
  context: CliContext,
): Promise<readonly string[] | undefined> {
  if (before.length > 0 || option !== undefined) return undefined;
  return (await import('../cluster/read-placement.ts')).clusterNames(context.cwd);
}

function pruneLimit(text: string): PruneLimit {
  const limit = parsePruneLimit(text);
  if (limit === undefined) throw new InvalidArgumentError('must be a number such as 20, or a share such as 25%');
  return limit;
}

function canary(text: string, before: Canary = {}): Canary {
  const read = parseCanary(text);
  if (read === undefined) throw new InvalidArgumentError('must be a share such as 10%, or sites=10% of one group');
  return { ...before, [read[0]]: read[1] };
}

export const applyCommand: CommandModule = {
  name: 'apply',
  group: 'Run and watch',
  summary: 'write synthesized manifests to their clusters',
  configure(command, context) {
    addTargetOptions(command)
      .option('--dry-run', 'let the cluster check everything and write nothing')
      .option('-y, --yes', 'do not ask before writing')
      .option(
        '--prune-limit <number|share>',
        'delete at most so many objects of a cluster; 50% when left out',
        pruneLimit,
      )
      .option('--yes-delete', 'delete more than that')
      .addOption(new Option('--wait', 'wait until what is in the directory is ready').conflicts('dryRun'))
      .option('--timeout <duration>', 'with --wait: give up after 90s, 10m, 1h30m; 5m when left out', parseSeconds);
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Objects are written by server-side apply with the field manager "cdk8s-workflows", in the order in which they need each other.
A field that somebody else set to another value is a conflict and is reported, not overwritten. Objects that name no namespace
go to --namespace, else to the namespace in placement.json, else to the context's.

What was applied is listed in an inventory, an ApplySet, by the name of the fleet or of --applyset. What has left the directory
since is deleted last, before --wait waits, unless anything could not be applied. Old versions of workflows stay, as runs may use them, and the runs
of a plan that is deleted go on. Applying again finishes what was interrupted.

With --canary the plans whose names have the lowest hashes go first; a larger share adds to them. The others are held: they go on to start
runs as before, also after other applies, until promote or a larger share lets them go.

Examples:
  ${context.program} apply                    every cluster of the fleet
  ${context.program} apply test --dry-run     only the cluster "test", without writing
  ${context.program} apply dist --yes -n etl  a directory, without asking
`,
      )
      .action(async (argument: string | undefined, options: ApplyCommandOptions) =>
        (await import('../actions/apply.ts')).apply(context, argument, options),
      );
  },
  complete: completeTarget,
};
