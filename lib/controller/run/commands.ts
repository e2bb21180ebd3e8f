import type { Command, Decision, Observation } from '../../engine/advance.ts';
import { findTask, graphStepName } from '../../graph/items.ts';
import { resultKey } from '../../pods/deciding-part.ts';
import type { Attempts, AttemptsOptions } from '../attempts/attempts.ts';

/** Carries out what the engine says, in its order: at once, or where it asks for that, once the record is written. */
export class Commands {
  readonly #options: AttemptsOptions;
  readonly #attempts: Attempts;
  readonly #written: () => Promise<boolean>;
  readonly #held: Command[] = [];
  readonly #keeps = new Set<Promise<void>>();
  /** How many decisions wait for the record. */
  #writes = 0;

  /** @param written resolves to true when all that was decided is written in the record, to false when it cannot be */
  constructor(options: AttemptsOptions, attempts: Attempts, written: () => Promise<boolean>) {
    this.#options = options;
    this.#attempts = attempts;
    this.#written = written;
  }

  /** To be called when the record has been told of the decision. */
  do({ commands, writeFirst }: Decision): void {
    if (writeFirst) void this.#afterWrite();
    this.#held.push(...commands);
    this.#go();
  }

  /** Resolves when what is being kept is kept, or is not to be. */
  async kept(): Promise<void> {
    await Promise.all(this.#keeps);
  }

  async #afterWrite(): Promise<void> {
    this.#writes += 1;
    if (!(await this.#written())) return;
    this.#writes -= 1;
    this.#go();
  }

  #go(): void {
    if (this.#writes === 0) for (const command of this.#held.splice(0)) this.#carryOut(command);
  }

  #carryOut(command: Command): void {
    if (command.kind === 'start') this.#attempts.start(command.step, command.attempt, command);
    else if (command.kind === 'stop') this.#attempts.stop(command.step, command.attempt, command.reason);
    else if (command.kind === 'keep') this.#keep(command);
    else void this.#lookUp(command);
  }

  #keep(command: Command & { readonly kind: 'keep' }): void {
    const { context, signal } = this.#options;
    const keep = context.results.keep(this.#namespace, { ...command, ...this.#placeOf(command) }, signal);
    this.#keeps.add(keep);
    void keep.finally(() => this.#keeps.delete(keep));
  }

  async #lookUp(command: Command & { readonly kind: 'lookup' }): Promise<void> {
    const { context, observe, signal } = this.#options;
    const { key } = this.#placeOf(command);
    const found = await context.results.find(this.#namespace, key, signal).catch(() => undefined);
    if (!signal.aborted) observe([{ step: command.step, found } satisfies Observation]);
  }

  get #namespace(): string {
    return this.#options.run().metadata.namespace!;
  }

  #placeOf({ step, key }: { readonly step: string; readonly key: string }) {
    const { topology, layers } = this.#options;
    return {
      key: resultKey(key, graphStepName(topology, step), layers),
      task: findTask(topology, step)!.task,
    };
  }
}
