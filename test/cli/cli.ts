import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createContext } from '../../lib/cli/context.ts';
import { main } from '../../lib/cli/program.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a command line did. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly program?: string;
  /** Pretend that stdout and stderr are a terminal of so many columns. */
  readonly columns?: number;
}

/** Runs a command line within this process. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts) => ({
    write: (text: string) => void (texts[name] += text),
    ...(options.columns !== undefined && { isTTY: true, columns: options.columns, rows: 40 }),
  });
  const code = await main(
    args,
    createContext({
      program: options.program ?? 'cdk8s-workflows',
      cwd: options.cwd ?? ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_OPTIONS: '--conditions=source', ...options.env },
      stdout: stream('stdout'),
      stderr: stream('stderr'),
    }),
  );
  return { code, ...texts };
}

/** A command line in a process of its own, as a user has it. */
export class CliProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<number>;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], cwd: string) {
    this.child = spawn(process.execPath, ['--conditions=source', join(ROOT, 'lib/cli/bin.ts'), ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const)
      this.child[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        for (const check of this.#waiting) check();
      });
    this.#ended = new Promise((done) =>
      this.child.once('close', (code, signal) => done(code ?? (signal === 'SIGKILL' ? 137 : 1))),
    );
  }

  /** Its exit code. */
  async end(): Promise<number> {
    return this.#ended;
  }

  /** Until it said so on stderr. */
  async said(text: string): Promise<void> {
    await new Promise<void>((done, failed) => {
      const fail = (why: string) => failed(new Error(`${why} ${JSON.stringify(text)}:\n${this.stderr}`));
      const timer = setTimeout(() => fail('it did not say'), 20_000);
      void this.#ended.then((code) => fail(`it ended with ${code} before it said`));
      const check = () => {
        if (!this.stderr.includes(text)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        done();
      };
      this.#waiting.add(check);
      check();
    });
  }
}
