import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { kickoffText } from '../../graph/kickoff.ts';
import type { PlanManifest } from '../../graph/bundle.ts';
import type { JsonObject } from '../../values/json.ts';
import { InvalidError, type Problem } from '../../values/problems.ts';
import type { ObjectSchema } from '../../values/schema.ts';
import { mergeInputs, parseInputFile, parseInputOptions, type GivenInputs } from '../cluster/launch-inputs.ts';

/** How inputs are given to `run`. */
export interface InputOptions {
  readonly input?: readonly string[];
  readonly inputFile?: string;
}

/** Reads what was given, so that a mistake in it is told before an app is synthesized. */
export async function readGivenInputs(cwd: string, { input = [], inputFile }: InputOptions): Promise<GivenInputs> {
  const { texts, problems } = parseInputOptions(input);
  if (inputFile === undefined) return { texts, file: {}, problems };
  const { parseDocument } = await import('yaml');
  const document = parseDocument(await readFile(resolve(cwd, inputFile), 'utf8'));
  const path = `--input-file ${inputFile}`;
  const broken: Problem[] = document.errors.map(({ message }) => ({
    path,
    message: `is neither JSON nor YAML: ${message.split('\n')[0]!.replace(/:$/, '')}`,
  }));
  const read = broken.length > 0 ? { file: {}, problems: broken } : parseInputFile(document.toJS() ?? {}, inputFile);
  return { texts, file: read.file, problems: [...problems, ...read.problems] };
}

/**
 * The inputs of a run on this machine: the plan's, over them those given; checked, with defaults filled in.
 *
 * @throws InvalidError with all that is wrong with them
 */
export function localInputs(
  workflow: string,
  schema: ObjectSchema,
  given: GivenInputs,
  plan: PlanManifest | undefined,
): JsonObject {
  const now = kickoffText(Date.now());
  const kickoff = Object.fromEntries((plan?.kickoffInputs ?? []).map((name) => [name, now]));
  const values = { ...kickoff, ...plan?.inputs };
  const checked = mergeInputs({ schema, values, fixed: plan?.fixedInputs ?? [] }, given);
  if (checked.ok) return checked.values;
  throw new InvalidError(
    `Inputs of ${plan === undefined ? `workflow ${workflow}` : `plan ${plan.name}`}`,
    checked.problems,
  );
}
