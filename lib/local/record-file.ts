import { readFileSync } from 'node:fs';
import type { Decision } from '../engine/advance.ts';
import { decodeRecord, encodeRecord, encodeRun, encodeStep } from '../engine/codec.ts';
import { encodeItems } from '../engine/item-codec.ts';
import type { RunRecord } from '../engine/record.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import type { RunDirectory } from './run-directory.ts';

/** The record of a run as a file: one JSON document that is replaced whole. A step is encoded when it changed, not each time. */
export class RecordFile {
  readonly #directory: RunDirectory;
  #run = '';
  readonly #steps: Map<string, string> = new Map();
  readonly #items: Map<string, string> = new Map();

  constructor(directory: RunDirectory, record?: RunRecord) {
    this.#directory = directory;
    if (record === undefined) return;
    const { run, steps, items = {} } = encodeRecord(record);
    this.#run = run;
    this.#steps = new Map(Object.entries(steps));
    this.#items = new Map(Object.entries(items));
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
      const items = isJsonObject(document.items) ? document.items : {};
      const run = JSON.stringify(document.run ?? null);
      const decoded = decodeRecord({ run, steps: texts(document.steps), items: texts(items) });
      if ('record' in decoded) return decoded.record;
      problems.push(...decoded.problems);
    } else if (problems.length === 0) problems.push({ path: '', message: 'must be an object with run and steps' });
    throw new InvalidError(file, problems);
  }

  /** Takes in what was decided and writes the file, if anything of the record changed. */
  save({ run, steps, items = new Map() }: Decision): void {
    if (run === undefined && steps.size === 0 && items.size === 0) return;
    if (run !== undefined) this.#run = encodeRun(run);
    for (const [name, step] of steps) this.#steps.set(name, encodeStep(step));
    for (const [key, block] of items) this.#items.set(key, encodeItems(block));
    const itemsText = this.#items.size === 0 ? '' : `,\n"items": ${linesOf(this.#items)}`;
    this.#directory.replace(
      this.#directory.recordFile,
      `{"run": ${this.#run},\n"steps": ${linesOf(this.#steps)}${itemsText}}\n`,
    );
  }
}

/** A JSON object with a line for each of its fields. */
function linesOf(fields: ReadonlyMap<string, string>): string {
  const lines = [...fields].map(([name, text]) => `  ${JSON.stringify(name)}: ${text}`);
  return `{\n${lines.join(',\n')}\n}`;
}

function texts(fields: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
}

function parse(text: string, problems: Problem[]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    problems.push({ path: '', message: `is not JSON: ${(error as Error).message}` });
    return undefined;
  }
}
