import { stripVTControlCharacters } from 'node:util';
import { createContext } from '../../lib/cli/context.ts';
import { main } from '../../lib/cli/program.ts';

/** What a command printed, and its exit code. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command in this process. */
export interface CliOptions {
  /** Both streams are terminals with colours. @default false */
  readonly terminal?: boolean;
  readonly cwd?: string;
}

/** Runs commands in this process against one namespace of a cluster. */
export function cliFor(kubeconfig: string, namespace: string) {
  return async (args: readonly string[], options: CliOptions = {}): Promise<CliResult> => {
    const out = { text: '', isTTY: options.terminal === true, columns: 140, rows: 40, write: append };
    const err = { ...out };
    const context = createContext({
      program: 'cdk8s-workflows',
      cwd: options.cwd,
      env: options.terminal ? { FORCE_COLOR: '1' } : {},
      stdout: out,
      stderr: err,
    });
    const cluster = ['--kubeconfig', kubeconfig, ...(namespace === '' ? [] : ['-n', namespace])];
    const code = await main([args[0]!, ...cluster, ...args.slice(1)], context);
    return { code, stdout: out.text, stderr: err.text };
  };
}

/** Text with what differs from run to run taken out: times, ages and names made of random letters. */
export function steady(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b\d+(\.\d+)?s\b/g, '<n>s')
    .replace(/[ \t]+/g, ' ')
    .replace(/ +$/gm, '');
}

function append(this: { text: string }, text: string): void {
  this.text += text;
}
