import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { failurePolicies, type FailurePolicy } from '../graph/graph.ts';
import type { CacheMode } from '../graph/labels.ts';
import { runPolicyProblems, type RunPolicy } from '../graph/run-policy.ts';
import { suggest } from '../values/problems.ts';
import { parseSeconds } from './terminal/seconds-option.ts';

/** Options that several commands share, spelled as kubectl spells them. */

/** How a result is printed; left out, it is a table for people. */
export type OutputFormat = 'json' | 'yaml' | 'wide' | 'name';

/** What {@link addKubeconfigOptions} gives to the action. */
export interface KubeconfigOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** What {@link addClusterOptions} gives to the action: with `cluster`, the other two are as the fleet has them. */
export interface ClusterOptions extends KubeconfigOptions {
  readonly cluster?: string;
}

/** Names a cluster of the fleet: its context and namespace are taken from placement.json, before the action begins. */
export const fleetClusterOption = new Option(
  '--cluster <name>',
  'cluster of the fleet: its context and namespace, as placement.json has them',
).conflicts('context');

/** `--cluster`, `--kubeconfig`, `--context` and `-n, --namespace`, for commands that reach one cluster. */
export function addClusterOptions(command: Command): Command {
  return addKubeconfigOptions(command.addOption(fleetClusterOption));
}

/** `--kubeconfig`, `--context` and `-n, --namespace`. */
export function addKubeconfigOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use in place of KUBECONFIG and ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig; the current one when left out')
    .option('-n, --namespace <name>', "namespace; the context's when left out");
}

/** `-A, --all-namespaces`. */
export function addAllNamespacesOption(command: Command): Command {
  return command.option('-A, --all-namespaces', 'look in every namespace');
}

/** `--all-clusters`. */
export function addAllClustersOption(command: Command): Command {
  return command.addOption(
    new Option('--all-clusters', 'look on every cluster of the fleet, as placement.json has them').conflicts([
      'context',
      'cluster',
    ]),
  );
}

/** What {@link addCacheOptions} gives to the action. */
export interface CacheOptions {
  /** `false` with `--no-cache`. */
  readonly cache?: boolean;
  readonly overwriteCache?: boolean;
}

/** `--no-cache` and `--overwrite-cache`. */
export function addCacheOptions(command: Command): Command {
  return command
    .option('--no-cache', 'run every step: take no kept result, and keep none')
    .addOption(
      new Option('--overwrite-cache', 'run every step, and keep the results in place of those before').conflicts(
        'cache',
      ),
    );
}

/** How the run uses kept results; nothing when nothing was said. */
export function cacheMode({ cache, overwriteCache }: CacheOptions): CacheMode | undefined {
  if (overwriteCache) return 'Overwrite';
  return cache === false ? 'Off' : undefined;
}

/** What {@link addRunPolicyOptions} gives to the action. */
export interface RunPolicyOptions {
  readonly failurePolicy?: FailurePolicy;
  readonly retries?: number;
  readonly artifactRoot?: string;
  /** `false` with `--no-spot`. */
  readonly spot?: boolean;
}

/** `--failure-policy`, `--retries` and `--artifact-root`, by which a run goes otherwise than its plan says. */
export function addRunPolicyOptions(command: Command): Command {
  return command
    .addOption(choiceOption('--failure-policy <policy>', 'what happens when a step has failed', failurePolicies))
    .option('--retries <number>', 'retries of steps that say nothing of them', wholeNumber(0))
    .option('--artifact-root <uri>', 'URI that begins those of what steps store elsewhere', parseArtifactRoot);
}

function parseArtifactRoot(artifactRoot: string): string {
  for (const { message } of runPolicyProblems({ artifactRoot })) throw new InvalidArgumentError(message);
  return artifactRoot;
}

/** How the run goes, as far as that was said. */
export function runPolicy({ failurePolicy, retries, artifactRoot, spot }: RunPolicyOptions): RunPolicy {
  return {
    ...(failurePolicy && { failurePolicy }),
    ...(retries !== undefined && { retries: { limit: retries } }),
    ...(spot !== undefined && { spot }),
    ...(artifactRoot !== undefined && { artifactRoot }),
  };
}

/** What {@link addStartOptions} gives to the action. */
export interface StartOptions extends CacheOptions {
  readonly name?: string;
  readonly watch?: boolean;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly output?: 'json' | 'name' | 'yaml';
}

/** What every command that starts a run on a cluster takes: its name, how it is waited for, and how it uses kept results. */
export function addStartOptions(command: Command, name: string): Command {
  command
    .option('--name <name>', name)
    .option('-w, --watch', 'show progress until the run ends; exit code 1 unless it succeeded')
    .option('--wait', 'the same without the progress')
    .option(
      '--timeout <duration>',
      'with --watch or --wait: give up after 90s, 10m, 1h30m; the run goes on',
      parseSeconds,
    )
    .option('--dry-run', 'let the cluster check the run and start nothing');
  return addCacheOptions(command);
}

/** What {@link addOverrideOptions} gives to the action. */
export interface OverrideOptions {
  readonly override?: string;
  readonly set?: readonly string[];
}

/** `--override` and `--set`, by which pods are changed when a run is started. */
export function addOverrideOptions(command: Command): Command {
  return command
    .option('--override <file>', "YAML or JSON file with what is changed of the steps' pods")
    .option(
      '--set <step.field=value>',
      'one such change; * is every step; wins over the file; may be given several times',
      collect,
    );
}

/** `-o, --output`, with the formats that the command knows. */
export function addOutputOption(
  command: Command,
  formats: readonly OutputFormat[] = ['json', 'yaml', 'wide', 'name'],
): Command {
  return command.addOption(choiceOption('-o, --output <format>', 'how to print the result', formats));
}

/** An option that takes one of a few words; a near miss gets a suggestion. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser((value: string) => oneOf(choices, value));
}

/** The same for an option that may be given several times. */
export function choicesOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description)
    .choices(choices)
    .argParser((value: string, before: readonly string[] | undefined) => collect(oneOf(choices, value), before));
}

/** The same for an argument, such as `<shell>`. */
export function choiceArgument(name: string, description: string, choices: readonly string[]): Argument {
  return new Argument(name, description).choices(choices).argParser((value: string) => oneOf(choices, value));
}

function oneOf(choices: readonly string[], value: string): string {
  if (choices.includes(value)) return value;
  throw new InvalidArgumentError(suggest(value, choices) ?? `known are ${choices.join(', ')}`);
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Parses a whole number, of at least `min` if that is given. */
export function wholeNumber(min = -Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
    const least = Number.isFinite(min) ? ` of at least ${min}` : '';
    throw new InvalidArgumentError(`must be a whole number${least}`);
  };
}
