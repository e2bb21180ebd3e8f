import type { CliContext } from './context.ts';
import { grantHint } from './grant-hint.ts';

/** The exit codes of every command. */
export const exitCodes = {
  ok: 0,
  /** What was asked for failed: a run failed, a cluster refused. */
  failed: 1,
  /** The question was wrong: unknown option, bad inputs, no such workflow. Nothing was done. */
  usage: 2,
  /** Ended by Ctrl-C, as shells report it: 128 + SIGINT. */
  interrupted: 130,
} as const;

/** A command was called in a way that cannot work. Shown with a pointer to its help; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked for could not be done. Shown as its message alone; exit code 1. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}

/** Ends the command with an exit code; everything there is to say was said. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Errors by name whose message says all that a user needs. By name, so that no command loads what it does not use. */
const exitCodeByName: Readonly<Record<string, number>> = {
  UsageError: exitCodes.usage,
  InvalidError: exitCodes.usage,
  FailedError: exitCodes.failed,
  WorkflowsError: exitCodes.failed,
  KubeError: exitCodes.failed,
  ConnectionError: exitCodes.failed,
  KubeconfigError: exitCodes.usage,
};

/** Shows an error on stderr and gives the exit code for it. */
export function reportError(
  error: unknown,
  context: CliContext,
  options: { debug: boolean; command?: string },
): number {
  if (error instanceof ExitError) return error.exitCode;
  const { err } = context;
  const known = error instanceof Error ? exitCodeByName[error.name] : undefined;
  const message = error instanceof Error ? error.message || error.name : String(error);
  err.line(`${err.colors.red('error:')} ${message}`);
  const hint = grantHint(message);
  if (hint !== undefined) err.line(hint);
  if (error instanceof UsageError) err.line(`See ${err.colors.bold(`${options.command ?? context.program} --help`)}`);
  if (options.debug && error instanceof Error) err.line(err.colors.dim(stackOf(error)));
  else if (known === undefined && !isSystemError(error))
    err.line('This was not foreseen; --debug shows where it happened.');
  return known ?? exitCodes.failed;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** An error's stack and those of its causes. */
function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
