import { inputVariable } from '../../values/environment.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { checkValues, parseValue, type Checked, type ObjectSchema } from '../../values/schema.ts';
import { show, suggest, type Problem } from '../../values/problems.ts';

const FIXED = 'leave it out, or launch another plan';

/** Inputs as they were given to `launch`. */
export interface GivenInputs {
  /** Of `--input name=text`: text whose type the schema decides. */
  readonly texts: Readonly<Record<string, string>>;
  /** Of `--input-file`. */
  readonly file: JsonObject;
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

/** What a plan says about its inputs. */
export interface PlanInputs {
  readonly schema: ObjectSchema;
  /** Default and fixed values. */
  readonly values: JsonObject;
  /** Names that a launch cannot change. */
  readonly fixed: readonly string[];
}

/** Splits `name=text` options. A text may hold any further `=`. */
export function parseInputOptions(options: readonly string[]): Pick<GivenInputs, 'texts' | 'problems'> {
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
  return { texts, problems };
}

/** The content of `--input-file`: an object of inputs by name. */
export function parseInputFile(content: unknown, file: string): Pick<GivenInputs, 'file' | 'problems'> {
  if (isJsonObject(content)) return { file: content, problems: [] };
  const message = `must hold an object of inputs by name, not ${show(content)}`;
  return { file: {}, problems: [{ path: `--input-file ${file}`, message }] };
}

/** The inputs of a new run: the plan's values, over them the file's, over them the options'. All that is wrong at once. */
export function mergeInputs(plan: PlanInputs, given: GivenInputs): Checked {
  const { schema } = plan;
  const problems = [...given.problems];
  const typed = Object.entries(given.texts).map(([name, text]): [string, Json] => {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    return [name, property === undefined ? text : parseValue(property, text)];
  });
  const changes: JsonObject = { ...given.file, ...Object.fromEntries(typed) };
  const allowed: Record<string, Json> = {};
  for (const [name, value] of Object.entries(changes)) {
    if (!plan.fixed.includes(name)) allowed[name] = value;
    else {
      const message = `is fixed to ${show(plan.values[name])} by the plan`;
      problems.push({ path: optionOf(name, given), message, fix: FIXED });
    }
  }
  const checked = checkValues(schema, { ...plan.values, ...allowed }, 'refuse');
  if (!checked.ok) problems.push(...checked.problems.map((problem) => atOption(problem, allowed, given)));
  return checked.ok && problems.length === 0 ? checked : { ok: false, problems };
}

/**
 * What is wrong with changes to the inputs of a single task. Its plan has no schema: the names must be those of its `INPUT_`
 * variables, and the texts go as they are.
 */
export function taskInputProblems(
  variables: readonly string[],
  fixed: readonly string[],
  given: GivenInputs,
): readonly Problem[] {
  const names = new Set([...Object.keys(given.file), ...Object.keys(given.texts)]);
  const known = variables.map(inputOf);
  return [
    ...given.problems,
    ...[...names].flatMap((name): Problem[] => {
      const path = optionOf(name, given);
      if (fixed.includes(name)) return [{ path, message: 'is fixed by the plan', fix: FIXED }];
      if (variables.includes(inputVariable(name))) return [];
      return [{ path, message: 'is not known', fix: suggest(name, known) ?? 'this plan has no inputs; leave it out' }];
    }),
  ];
}

/** `INPUT_MODEL_URI` is `modelUri`: the inverse of {@link inputVariable} for names in camel case. */
function inputOf(variable: string): string {
  const words = variable.slice('INPUT_'.length).toLowerCase();
  return words.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function optionOf(name: string, { texts, file }: GivenInputs): string {
  return !Object.hasOwn(texts, name) && Object.hasOwn(file, name) ? `--input-file ${name}` : `--input ${name}`;
}

/** A problem of the schema check, said of the option that can mend it. */
function atOption(problem: Problem, changes: JsonObject, given: GivenInputs): Problem {
  const name = problem.path.split('.')[0]!;
  const option = optionOf(name, given) + problem.path.slice(name.length);
  if (Object.hasOwn(changes, name) || problem.message === 'is missing') return { ...problem, path: option };
  return {
    ...problem,
    path: `input ${problem.path} of the plan`,
    fix: problem.fix ?? `correct the plan, or give --input ${name}`,
  };
}
