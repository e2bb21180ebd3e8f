import { readFileSync } from 'node:fs';
import type { Decision } from '../engine/advance.ts';
import { decodeRecord, encodeRun, encodeStep } from '../engine/codec.ts';
import type { RunRecord } from '../engine/record.ts';
import { isJsonObject } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import type { RunDirectory } from './run-directory.ts';

/** The record of a run as a file: one JSON document that is replaced whole. A step is encoded when it changed, not each time. */
export class RecordFile {
  readonly #directory: RunDirectory;
  #run = '';
  readonly #steps = new Map<string, string>();

  constructor(directory: RunDirectory, record?: RunRecord) {
    this.#directory = directory;
    if (record === undefined) return;
    this.#run = encodeRun(record.run);
    for (const [name, step] of record.steps) this.#steps.set(name, encodeStep(step));
  }

  /**
   * The record that is kept, or nothing when the run was never written.
   *
   * @throws InvalidError when the file was edited into something else
   */
  static read(directory: RunDirectory): RunRecord | undefined {
    const file = directory.recordFile;
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const problems: Problem[] = [];
    const document = parse(text, problems);
    if (isJsonObject(document) && isJsonObject(document.steps)) {
      const steps = Object.entries(document.steps).map(([name, step]) => [name, JSON.stringify(step)] as const);
      const decoded = decodeRecord({ run: JSON.stringify(document.run ?? null), steps: Object.fromEntries(steps) });
      if ('record' in decoded) return decoded.record;
      problems.push(...decoded.problems);
    } else if (problems.length === 0) problems.push({ path: '', message: 'must be an object with run and steps' });
    throw new InvalidError(file, problems);
  }

  /** Takes in what was decided and writes the file, if anything of the record changed. */
  save({ run, steps }: Decision): void {
    if (run === undefined && steps.size === 0) return;
    if (run !== undefined) this.#run = encodeRun(run);
    for (const [name, step] of steps) this.#steps.set(name, encodeStep(step));
    const lines = [...this.#steps].map(([name, step]) => `  ${JSON.stringify(name)}: ${step}`);
    this.#directory.replace(
      this.#directory.recordFile,
      `{"run": ${this.#run},\n"steps": {\n${lines.join(',\n')}\n}}\n`,
    );
  }
}

function parse(text: string, problems: Problem[]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    problems.push({ path: '', message: `is not JSON: ${(error as Error).message}` });
    return undefined;
  }
}
