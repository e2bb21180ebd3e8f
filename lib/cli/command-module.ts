import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** Where a command stands in the help. */
export const commandGroups = ['Write workflows', 'Run and watch', 'Operate'] as const;
export type CommandGroup = (typeof commandGroups)[number];

/**
 * One command of the CLI: a file of its own in `commands/`, and a line in `commands/index.ts`.
 *
 * Files in `commands/` and `actions/` import this folder's as `../../cli/<file>.ts`: the lint rule on import directions goes by folder names.
 * Every module is loaded on every start, so it declares arguments and options only; what it does is imported by the action:
 *
 * ```ts
 * export const runsCommand: CommandModule = {
 *   name: 'runs',
 *   group: 'Run and watch',
 *   summary: 'list runs',
 *   configure(command, context) {
 *     command.action(async (options) => (await import('../actions/runs.ts')).runs(context, options));
 *   },
 * };
 * ```
 */
export interface CommandModule {
  readonly name: string;
  /** Left out, the command works but help and completion do not show it. */
  readonly group?: CommandGroup;
  /** A line for the list of commands: lower case, no full stop. */
  readonly summary: string;
  /** Declares arguments, options and the action on a command that has its name and summary already. */
  configure(command: Command, context: CliContext): void;
  /**
   * Values for an argument that the shell is completing. Must be quick and print nothing.
   * Nothing means: complete file names.
   */
  complete?(request: CompletionRequest, context: CliContext): Promise<readonly string[] | undefined>;
}

/** What the shell asks to complete. */
export interface CompletionRequest {
  /** The command's arguments before the one that is completed, without options. */
  readonly before: readonly string[];
  /** The option whose value is completed, such as `--plan`; left out for an argument. */
  readonly option?: string;
  /** What was typed of it. */
  readonly partial: string;
}
