import { inputVariable } from '../values/environment.ts';
import type { Json, JsonObject } from '../values/json.ts';
import { checkValues, parseValue, type Checked, type ObjectSchema } from '../values/schema.ts';
import { show, suggest, type Problem } from '../values/problems.ts';

const FIXED = 'leave it out, or launch another plan';

/** Inputs that somebody gives to a run. */
export interface GivenInputs {
  readonly values: JsonObject;
  /** Text whose type the schema decides; over the values. @default none */
  readonly texts?: Readonly<Record<string, string>>;
  /** What could not be read. @default nothing */
  readonly problems?: readonly Problem[];
  /** How a message names the place where an input is given, such as `--input site` or `inputs.site`. */
  readonly at: (input: string) => string;
}

/** What a plan says about its inputs. */
export interface PlanInputs {
  readonly schema: ObjectSchema;
  /** Default and fixed values. */
  readonly values: JsonObject;
  /** Names that a launch cannot change. */
  readonly fixed: readonly string[];
}

/** The inputs that were given, texts as the schema wants them. */
export function typedInputs({ properties }: ObjectSchema, { values, texts = {} }: GivenInputs): JsonObject {
  const typed = Object.entries(texts).map(([name, text]): [string, Json] => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return [name, property === undefined ? text : parseValue(property, text)];
  });
  return { ...values, ...Object.fromEntries(typed) };
}

type Change = [name: string, value: Json];

/** The inputs of a new run: the plan's values, over them those given. All that is wrong at once. */
export function mergeInputs(plan: PlanInputs, given: GivenInputs): Checked {
  const { schema } = plan;
  const problems = [...(given.problems ?? [])];
  const changes = typedInputs(schema, given);
  const [fixed, allowed] = [true, false].map((is) =>
    Object.entries(changes).filter(([name]) => plan.fixed.includes(name) === is),
  ) as [Change[], Change[]];
  for (const [name] of fixed)
    problems.push({ path: given.at(name), message: `is fixed to ${show(plan.values[name])} by the plan`, fix: FIXED });
  const changed = Object.fromEntries(allowed);
  const checked = checkValues(schema, { ...plan.values, ...changed }, 'refuse');
  if (!checked.ok) problems.push(...checked.problems.map((problem) => whereGiven(problem, changed, given)));
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
  const names = new Set([...Object.keys(given.values), ...Object.keys(given.texts ?? {})]);
  const known = variables.map(inputOf);
  return [
    ...(given.problems ?? []),
    ...[...names].flatMap((name): Problem[] => {
      const path = given.at(name);
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

/** A problem of the schema check, said of the place that can mend it. */
function whereGiven(problem: Problem, changes: JsonObject, { at }: GivenInputs): Problem {
  const name = problem.path.split('.')[0]!;
  const path = at(name) + problem.path.slice(name.length);
  if (Object.hasOwn(changes, name) || problem.message === 'is missing') return { ...problem, path };
  return {
    ...problem,
    path: `input ${problem.path} of the plan`,
    fix: problem.fix ?? `correct the plan, or give ${at(name)}`,
  };
}
