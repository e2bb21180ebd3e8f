import { runOverrideFieldProblems } from '../../pods/run-override-fields.ts';
import { EVERY_STEP, unknownStepProblems, withoutJobProblems, type RunOverride } from '../../pods/run-override.ts';
import type { CheckedOverride, LaunchedStep } from '../../runs/prepare-run.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { formatProblem, show, suggest, type Problem } from '../../values/problems.ts';
import { setField } from './set-field.ts';
import { parseSetOptions } from './set-option.ts';

/** What the command line says of the pods of a run. */
export interface GivenOverride {
  /** Of `--override`: the name of the file and what is in it. */
  readonly file?: { readonly name: string; readonly content: unknown };
  /** Of `--set`. */
  readonly sets: readonly string[];
  /** Reads YAML. */
  readonly parse: (text: string) => unknown;
}

/**
 * The file's parts with those of `--set` over them, checked field by field. In the file, what is for all steps stands at the top, as
 * in a pod template, and what is for one step under `steps.<step>`.
 *
 * @param steps those that there are; when nobody knows yet, any will do
 */
export function checkOverride(
  { file, sets, parse }: GivenOverride,
  steps: readonly LaunchedStep[] | undefined,
): CheckedOverride {
  const names = steps?.map(({ name }) => name);
  const { override, problems: inFile } = readFile(file, names);
  const { sets: options, problems: unreadable } = parseSetOptions(sets);
  const problems = [...inFile, ...unreadable];
  const parts: Record<string, JsonObject> = structuredClone(override);
  for (const option of options) {
    const astray = names ? unknownStepProblems({ [option.step]: {} }, names, `--set ${option.written}`) : [];
    if (astray.length > 0) {
      problems.push(...astray);
      continue;
    }
    const part = (parts[option.step] ??= {});
    problems.push(...setField(part, option, parse));
  }
  const filled = Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0));
  // Of an object or list that is set whole, only its kind was checked.
  const before = new Set(runOverrideFieldProblems(override, fieldOf).map(formatProblem));
  const whole = runOverrideFieldProblems(filled, fieldOf).filter((problem) => !before.has(formatProblem(problem)));
  problems.push(...withoutJobProblems(filled, steps ?? [], (step) => placeOfJob(step, override, file?.name)));
  problems.push(...whole.map((problem) => ({ ...problem, path: `--set ${problem.path}` })));
  return Object.keys(filled).length === 0 ? { problems } : { override: filled as RunOverride, problems };
}

type Parts = Readonly<Record<string, JsonObject>>;

function readFile(
  file: GivenOverride['file'],
  known: readonly string[] | undefined,
): { readonly override: Parts; readonly problems: readonly Problem[] } {
  if (file === undefined) return { override: {}, problems: [] };
  const path = `--override ${file.name}`;
  if (!isJsonObject(file.content))
    return {
      override: {},
      problems: [
        {
          path,
          message: `must hold part of a pod template, ${file.content === null ? 'and is empty' : `not ${show(file.content)}`}`,
        },
      ],
    };
  const problems: Problem[] = [];
  const { steps = {}, ...top } = file.content;
  const isField = (field: string) => ['metadata', 'spec', 'job'].includes(field) || field.startsWith('$');
  for (const field of Object.keys(top).filter((each) => !isField(each))) {
    const fix = suggest(field, ['metadata', 'spec', 'job', 'steps']);
    problems.push({ path: `${path}: ${field}`, message: 'is no field of a pod template', ...(fix && { fix }) });
  }
  const all = Object.fromEntries(Object.entries(top).filter(([field]) => isField(field)));
  const override: Record<string, JsonObject> = {};
  if (Object.keys(all).length > 0) override[EVERY_STEP] = all;
  if (!isJsonObject(steps)) problems.push({ path: `${path}: steps`, message: `must be an object, not ${show(steps)}` });
  else
    for (const [step, part] of Object.entries(steps)) {
      const at = `${path}: steps.${step}`;
      if (known && !known.includes(step))
        problems.push({ path: at, message: `there is no step ${show(step)}`, ...fixOf(step, known) });
      else if (isJsonObject(part)) override[step] = part;
      else problems.push({ path: at, message: `must be part of a pod template, not ${show(part)}` });
    }
  const told = runOverrideFieldProblems(override, (step, place) =>
    step === EVERY_STEP ? `${path}: ${place}` : `${path}: steps.${step}.${place}`,
  );
  return { override, problems: [...problems, ...told] };
}

function fixOf(step: string, known: readonly string[]): { readonly fix?: string } {
  if (step === EVERY_STEP) return { fix: 'what is for all steps stands at the top of the file' };
  const fix = suggest(step, known);
  return fix === undefined ? {} : { fix };
}

function placeOfJob(step: string, inFile: Parts, file: string | undefined): string {
  if (inFile[step]?.job === undefined) return `--set ${step}.job`;
  return `--override ${file}: ${step === EVERY_STEP ? 'job' : `steps.${step}.job`}`;
}

/** As `--set` names it. */
const fieldOf = (step: string, place: string) => `${step}.${place}`;
