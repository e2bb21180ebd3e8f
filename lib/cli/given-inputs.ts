import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { GivenInputs } from '../runs/run-inputs.ts';
import { isJsonObject, type JsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';

/** How inputs are given to a command. */
export interface InputOptions {
  readonly input?: readonly string[];
  readonly inputFile?: string;
}

/** Reads what was given, so that a mistake in it is told before an app is synthesized, or a cluster asked. */
export async function readGivenInputs(cwd: string, { input = [], inputFile }: InputOptions): Promise<GivenInputs> {
  if (inputFile === undefined) return optionInputs(input);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(await readFile(resolve(cwd, inputFile), 'utf8'));
  const path = `--input-file ${inputFile}`;
  const broken: Problem[] = document.errors.map(({ message }) => ({
    path,
    message: `is neither JSON nor YAML: ${message.split('\n')[0]!.replace(/:$/, '')}`,
  }));
  if (broken.length > 0) return optionInputs(input, { values: {}, problems: broken });
  return optionInputs(input, parseInputFile(document.toJS() ?? {}, inputFile));
}

/** What `--input-file` holds. */
export interface FileInputs {
  readonly values: JsonObject;
  readonly problems: readonly Problem[];
}

/** The content of `--input-file`: an object of inputs by name. */
export function parseInputFile(content: unknown, file: string): FileInputs {
  if (isJsonObject(content)) return { values: content, problems: [] };
  const message = `must hold an object of inputs by name, not ${show(content)}`;
  return { values: {}, problems: [{ path: `--input-file ${file}`, message }] };
}

/** Splits `name=text` options, which go over what a file holds. A text may hold any further `=`. */
export function optionInputs(
  options: readonly string[],
  file: FileInputs = { values: {}, problems: [] },
): Required<GivenInputs> {
  const texts: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const option of options) {
    const at = option.indexOf('=');
    const name = option.slice(0, Math.max(at, 0)).trim();
    if (name === '')
      problems.push({ path: `--input ${option}`, message: 'has no name', fix: 'write --input name=value' });
    else if (Object.hasOwn(texts, name))
      problems.push({ path: `--input ${name}`, message: 'is given twice', fix: 'give it once' });
    else texts[name] = option.slice(at + 1);
  }
  return {
    values: file.values,
    texts,
    problems: [...problems, ...file.problems],
    at: (name) =>
      !Object.hasOwn(texts, name) && Object.hasOwn(file.values, name) ? `--input-file ${name}` : `--input ${name}`,
  };
}
