import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const bin = join(import.meta.dirname, '../../lib/cli/bin.ts');

/** The command line in a process of its own, from its sources. */
export class Child {
  readonly #process: ChildProcess;
  #output = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, ['--conditions=source', bin, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = () => this.#process.kill('SIGKILL');
    process.once('exit', end);
    this.#process.once('exit', () => process.off('exit', end));
    const read = (chunk: Buffer) => {
      this.#output += chunk.toString();
      if (process.env.TEST_LOG) process.stderr.write(chunk);
    };
    this.#process.stdout?.on('data', read);
    this.#process.stderr?.on('data', read);
  }

  /** What it has written, to both streams. */
  get output(): string {
    return this.#output;
  }

  /** Its log, when that is JSON. */
  get log(): readonly { readonly message: string; readonly [field: string]: unknown }[] {
    return this.#output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  /** Its exit code, when it has ended by itself. */
  ended(): number | undefined {
    return this.#process.exitCode ?? undefined;
  }

  /** Ends it; gives its exit code, or nothing when a signal did it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return this.#process.exitCode;
    const exited = once(this.#process, 'exit');
    this.#process.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }
}

/** A controller of one namespace in a process of its own, until the test ends. */
export function controllerProcess(kubeconfig: string, namespace: string): Child {
  const child = new Child(['controller', '--kubeconfig', kubeconfig, '-n', namespace, '--no-leader-elect']);
  onTestFinished(async () => void (await child.end('SIGKILL')));
  return child;
}
