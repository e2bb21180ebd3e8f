import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** How a program is started. */
export interface ComponentOptions {
  /** Name in error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes; a restart appends. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * One long-running program of a cluster. The kernel ends it when this process ends, however that happens, so an
 * aborted test run leaves nothing behind.
 */
export class Component {
  readonly #options: ComponentOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: ComponentOptions) {
    this.#options = options;
  }

  /** The id of the running process. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#options.name} is not running`);
    return pid;
  }

  /** Resolves when the process has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** The file that has its output. */
  get logFile(): string {
    return this.#options.logFile;
  }

  start(): void {
    if (this.#child) throw new Error(`${this.#options.name} is running already`);
    const { command, args, logFile, env } = this.#options;
    const log = openSync(logFile, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', log, log],
      env: env ?? process.env,
    });
    closeSync(log);
    this.#child = child;
    this.#stopping = false;
    this.#ended = new Promise((resolve) => {
      const ended = (): void => {
        if (this.#child === child && this.#stopping) this.#child = undefined;
        resolve();
      };
      child.once('exit', ended);
      child.once('error', ended);
    });
  }

  /** Ends the process: asks with `signal`, and insists after five seconds. Does nothing if it is not running. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#stopping = true;
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill(signal);
      // A process that was paused would keep the request until it is continued.
      child.kill('SIGCONT');
      const insist = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await this.#ended;
      clearTimeout(insist);
    }
    this.#child = undefined;
  }

  /** Stops the process without its knowing, as a machine that hangs. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** Lets a paused process go on. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Rejects with the last lines of its log if the process ends without having been asked to; never resolves. */
  async diedEarly(): Promise<never> {
    await this.#ended;
    if (this.#stopping) return new Promise<never>(() => {});
    const code = this.#child?.exitCode ?? this.#child?.signalCode ?? 'not started';
    throw new Error(`${this.#options.name} ended early (${code}):\n${await this.lastLines()}`);
  }

  /** The end of its log, for error messages. */
  async lastLines(count = 20): Promise<string> {
    const text = await readFile(this.#options.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-count).join('\n');
  }
}

/**
 * Waits until `ready` says yes, asking every 50 ms.
 *
 * @throws Error when one of `components` ends early or after `timeoutMs`, with the last lines of their logs.
 */
export async function waitUntil(
  what: string,
  ready: () => Promise<boolean>,
  components: readonly Component[],
  timeoutMs = 60_000,
): Promise<void> {
  let over = false;
  const poll = async (): Promise<void> => {
    const end = Date.now() + timeoutMs;
    while (!over) {
      if (await ready().catch(() => false)) return;
      if (Date.now() > end) {
        const logs = await Promise.all(components.map(async (c) => `${c.logFile}:\n${await c.lastLines()}`));
        throw new Error(`${what} did not happen in ${timeoutMs} ms\n${logs.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  try {
    await Promise.race([poll(), ...components.map((component) => component.diedEarly())]);
  } finally {
    over = true;
  }
}
