import { basename } from 'node:path';
import { Output, type TextStream } from './terminal/output.ts';

/** All that a command takes from the process that it runs in; tests give their own. */
export interface CliContext {
  /** How the user calls this program: `cdk8s-workflows` or `kubectl workflows`. */
  readonly program: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: Output;
  /** Progress, warnings and errors. */
  readonly err: Output;
}

/** What {@link createContext} takes in place of the process' own. */
export interface ContextOverrides {
  readonly program?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdout?: TextStream;
  readonly stderr?: TextStream;
}

/** The context of this process. */
export function createContext(overrides: ContextOverrides = {}): CliContext {
  const env = overrides.env ?? process.env;
  return {
    program: overrides.program ?? programName(process.argv[1] ?? ''),
    cwd: overrides.cwd ?? process.cwd(),
    env,
    out: new Output(overrides.stdout ?? process.stdout, env),
    err: new Output(overrides.stderr ?? process.stderr, env),
  };
}

/** kubectl runs the executable `kubectl-workflows` (on Windows with an ending) for `kubectl workflows`. */
export function programName(executable: string): string {
  return /^kubectl-workflows(\.\w+)?$/.test(basename(executable)) ? 'kubectl workflows' : 'cdk8s-workflows';
}
