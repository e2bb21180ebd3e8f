import { execFile } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** How a program ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program on the source as it stands, without colours. */
export function run(command: string, args: readonly string[], cwd = root): Promise<Ended> {
  const env = { ...process.env, NODE_OPTIONS: '--conditions=source', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(command, [...args], { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

/** Runs a command of ours as a process. */
export function cli(args: readonly string[], cwd?: string): Promise<Ended> {
  return run(process.execPath, [join(root, 'lib/cli/bin.ts'), ...args], cwd);
}
