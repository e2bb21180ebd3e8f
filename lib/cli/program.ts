import { Command, CommanderError } from 'commander';
import { show, suggest } from '../values/problems.ts';
import type { CommandModule } from './command-module.ts';
import { commandGroups } from './command-module.ts';
import * as registry from './commands/index.ts';
import { createContext, type CliContext } from './context.ts';
import { exitCodes, reportError, UsageError } from './errors.ts';
import { fleetClusterOption, type ClusterOptions } from './options.ts';
import { packageVersion } from './version.ts';

/** Every command, in the order of the help. */
export const commandModules: readonly CommandModule[] = Object.values(registry).sort(
  (a, b) => groupRank(a) - groupRank(b) || (a.name < b.name ? -1 : 1),
);

function groupRank({ group }: CommandModule): number {
  return group === undefined ? commandGroups.length : commandGroups.indexOf(group);
}

/** The command line as commander knows it, with every command declared. */
export function createProgram(context: CliContext, modules: readonly CommandModule[] = commandModules): Command {
  const program = new Command(context.program)
    .description('Typed workflows for Kubernetes: synthesize them, run them here or on clusters, and watch them.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show where an error happened (also DEBUG=1)')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addHelpText(
      'after',
      `\nExit codes: 0 done, 1 what was asked for failed, 2 wrong usage or bad input, 130 interrupted.`,
    )
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => context.out.colors.bold(title) })
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.err.write(text),
      outputError: () => {}, // main() shows every error
      getOutHelpWidth: () => context.out.columns,
      getOutHasColors: () => context.out.colors.isColorSupported,
    })
    .exitOverride()
    .hook('preAction', (_program, command) => useFleetCluster(command, context));
  for (const module of modules) {
    const command = program.command(module.name, { hidden: module.group === undefined }).summary(module.summary);
    command.description(`${module.summary[0]!.toUpperCase()}${module.summary.slice(1)}.`);
    if (module.group !== undefined) command.helpGroup(`${module.group}:`);
    module.configure(command, context);
  }
  return program;
}

/** With `--cluster` a command goes to the context and namespace that the fleet has for it. */
async function useFleetCluster(command: Command, { cwd }: CliContext): Promise<void> {
  const { cluster, namespace } = command.opts<ClusterOptions>();
  if (cluster === undefined || !command.options.includes(fleetClusterOption)) return;
  const { clusterNamed, readFleet } = await import('./cluster/read-placement.ts');
  const placed = clusterNamed(await readFleet(cwd), cluster);
  command.setOptionValue('context', placed.context);
  command.setOptionValue('namespace', namespace ?? placed.namespace);
}

/** Runs one command line and returns its exit code. Never throws. */
export async function main(argv: readonly string[], context: CliContext = createContext()): Promise<number> {
  ignoreClosedPipes();
  const program = createProgram(context);
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    const command = commandOf(program, argv);
    const debug = argv.includes('--debug') || Boolean(context.env.DEBUG);
    return reportError(error instanceof CommanderError ? usageError(error, program, argv) : error, context, {
      debug,
      command: command === undefined ? context.program : `${context.program} ${command.name()}`,
    });
  }
}

function commandOf(program: Command, argv: readonly string[]): Command | undefined {
  const name = argv.find((word) => !word.startsWith('-'));
  return program.commands.find((command) => command.name() === name);
}

/** Commander's complaint in the style of our own: `unknown option "--inptu"; did you mean "--input"?` */
function usageError(error: CommanderError, program: Command, argv: readonly string[]): UsageError {
  const text = error.message.replace(/^error: /, '').replace(/\n\(Did you mean.*$/s, '');
  const written = /'([^']*)'/.exec(text)?.[1] ?? '';
  const command = commandOf(program, argv) ?? program;
  const near =
    error.code === 'commander.unknownCommand'
      ? suggest(written, visible(program))
      : error.code === 'commander.unknownOption'
        ? suggestOption(written, command)
        : undefined;
  const message = text
    .replace(
      /^(?:option|command-argument) (?:'([^']*)' argument|value) '([^']*)' is invalid(?: for argument '([^']*)')?\. /,
      invalidValue,
    )
    .replace(/'([^']*)'/g, (_, quoted: string) => show(quoted));
  return new UsageError(near === undefined ? message : `${message}; ${near}`, { cause: error });
}

function invalidValue(_: string, option: string | undefined, value: string, argument: string | undefined): string {
  return `${option ?? `<${argument ?? ''}>`}: ${show(value)} is not valid; `;
}

function visible(program: Command): string[] {
  return commandModules
    .filter(({ group }) => group !== undefined)
    .map(({ name }) => name)
    .filter((name) => program.commands.some((command) => command.name() === name));
}

function suggestOption(written: string, command: Command): string | undefined {
  const options = [...command.options, ...(command.parent?.options ?? [])].filter((option) => !option.hidden);
  return suggest(written.replace(/=.*$/, ''), ['--help', ...options.map((option) => option.long ?? option.flags)]);
}

let pipesIgnored = false;

/** `cdk8s-workflows runs | head` closes our stdout early, which is no error. */
function ignoreClosedPipes(): void {
  if (pipesIgnored) return;
  pipesIgnored = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  // A terminal that was closed takes no more progress; what is to be ended in order still must be.
  process.stderr.on('error', () => {});
}
