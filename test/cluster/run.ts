import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Runs a command to its end and returns what it printed.
 *
 * @throws Error when it fails, with the command and what it said
 */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await execute(command, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr ?? '';
    throw new Error(`${command} ${args.join(' ')} failed: ${said}`, { cause });
  }
}
