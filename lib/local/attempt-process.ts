import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { AttemptState } from '../engine/advance.ts';
import type { Instant } from '../engine/record.ts';
import { show } from '../values/problems.ts';
import { lastLine, readOutputsFile } from './attempt-files.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import { signalGroup } from './process-group.ts';
import type { ProcessIdentity, ProcessTable } from './process-table.ts';

/** What an attempt's process is started with beside its plan. */
export interface AttemptSetting {
  readonly workingDirectory: string;
  readonly logFile: string;
  readonly outputsFile: string;
  readonly table: ProcessTable;
  readonly now: () => Instant;
  /** Called as soon as the process exists, before anything else is done. */
  readonly onIdentity: (identity: ProcessIdentity) => void;
  /** Called with `running`, and once with how it ended. */
  readonly onState: (state: AttemptState) => void;
}

/**
 * One attempt as a child process that leads a group of its own, so that Ctrl-C in the terminal reaches only us and ending it ends
 * all that it started. Its output goes to its log by the file's own descriptor: not a byte is lost if this process dies.
 */
export class AttemptProcess {
  readonly #setting: AttemptSetting;
  readonly #plan: AttemptPlan;
  #child: ChildProcess | undefined;
  #startedAt: Instant | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(plan: AttemptPlan, setting: AttemptSetting) {
    this.#plan = plan;
    this.#setting = setting;
  }

  start(): void {
    const { logFile, outputsFile, workingDirectory, table, now, onIdentity, onState } = this.#setting;
    const { command, args, env } = this.#plan;
    writeFileSync(outputsFile, '');
    const log = openSync(logFile, 'a');
    try {
      const child = spawn(command, args, { cwd: workingDirectory, env, detached: true, stdio: ['ignore', log, log] });
      this.#child = child;
      child.once('error', (error) => this.#cannotStart(error));
      child.once('exit', (code, signal) => this.#exited(code, signal));
      if (child.pid === undefined) return;
      onIdentity(table.identify(child.pid) ?? { pid: child.pid, startedAt: '', boot: '' });
      this.#startedAt = now();
      onState({ kind: 'running', startedAt: this.#startedAt });
    } catch (error) {
      this.#cannotStart(error as Error);
    } finally {
      closeSync(log);
    }
  }

  /** Asks the group to end, and kills it when the grace time is over. */
  stop(): void {
    if (this.#over || this.#child?.pid === undefined || this.#killTimer !== undefined) return;
    signalGroup(this.#child.pid, 'SIGTERM');
    this.#killTimer = setTimeout(() => this.kill(), this.#plan.graceMs);
  }

  /** Ends the group at once. */
  kill(): void {
    if (!this.#over && this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    // In a pod nothing outlives the container's first process.
    signalGroup(this.#child!.pid!, 'SIGKILL');
    const { logFile, outputsFile, now } = this.#setting;
    const times = { startedAt: this.#startedAt, finishedAt: now() };
    if (code === 0) {
      const outputs = readOutputsFile(outputsFile);
      return this.#end({ kind: 'succeeded', ...times, ...(outputs && { outputs }) });
    }
    const exitCode = code ?? 128 + constants.signals[signal!];
    const said = lastLine(logFile);
    const end = signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
    const message = said === undefined ? end : `${end}: ${said}`;
    this.#end({ kind: 'failed', ...times, failure: 'user', reason: 'ExitCode', message, exitCode });
  }

  #cannotStart(error: NodeJS.ErrnoException): void {
    // Out of processes or descriptors: another moment may be better. All else is as it is.
    const passing = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(error.code ?? '');
    this.#end({
      kind: 'failed',
      finishedAt: this.#setting.now(),
      failure: passing ? 'system' : 'permanent',
      reason: 'StartError',
      message: `cannot run ${show(this.#plan.command)}: ${startProblem(error)}`,
    });
  }

  #end(state: AttemptState): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#killTimer);
    this.#setting.onState(state);
  }
}

function startProblem(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'not found on this machine; install it, or run the workflow on a cluster';
  if (error.code === 'EACCES') return 'it may not be executed';
  if (error.code === 'E2BIG') return 'its arguments and environment are larger than this machine allows';
  return error.message;
}
