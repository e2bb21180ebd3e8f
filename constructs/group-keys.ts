import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';

/** A list of values for each of some inputs of what is launched: there is a plan for every combination. */
export type Over<I extends Shape> = { readonly [Name in keyof I]?: readonly z.input<I[Name]>[] };

/** What a group has a plan for each of. */
export type GroupKeys<I extends Shape> =
  | {
      /**
       * Lists of values for inputs: there is a plan for every value, and with several lists for every combination. Its key
       * is the value as text, of several ones with `-` between them.
       */
      readonly over: Over<I>;
      readonly keys?: never;
    }
  | {
      readonly over?: never;
      /** The inputs of each plan by its key. */
      readonly keys: Readonly<Record<string, Partial<ValuesIn<I>>>>;
    };

/** One plan of a group: its key and what it gives to inputs. */
export interface GroupKey {
  readonly key: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What a group was given. */
export interface GivenKeys {
  readonly over?: Readonly<Record<string, unknown>>;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly exclude?: readonly Readonly<Record<string, unknown>>[];
}

/** What takes the inputs. */
interface Taker {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
}

/** More plans are no group that anybody meant. */
const MOST_KEYS = 10_000;

/** The keys of a group, and everything that is wrong with what was given but for the values. */
export function groupKeys(
  given: GivenKeys,
  taker: Taker,
): {
  readonly keys: readonly GroupKey[];
  readonly problems: readonly Problem[];
} {
  const problems = [...unknownInputs(given, taker)];
  const all =
    given.over === undefined ? mappedKeys(given.keys ?? {}, problems) : productKeys(given.over, taker, problems);
  const exclude = Array.isArray(given.exclude) ? given.exclude : [];
  const excluded = new Set<GroupKey>();
  for (const [index, values] of exclude.entries()) {
    const matching = all.filter(({ inputs }) => matches(inputs, values));
    for (const key of matching) excluded.add(key);
    if (matching.length === 0)
      problems.push({
        path: `exclude[${index}]`,
        message: `${show(values)} matches no key`,
        fix: 'correct it, or take it out',
      });
  }
  const keys = all.filter((key) => !excluded.has(key));
  if (keys.length === 0 && problems.length === 0)
    problems.push({
      path: given.over === undefined ? 'keys' : 'over',
      message: exclude.length > 0 ? 'is empty once exclude is taken out' : 'is empty',
      fix: 'a group has at least one plan',
    });
  return { keys, problems };
}

function* unknownInputs({ over = {}, exclude = [] }: GivenKeys, { name, inputSchema }: Taker): Generator<Problem> {
  if (!Array.isArray(exclude)) yield { path: 'exclude', message: `must be a list, not ${show(exclude)}` };
  const known = Object.keys(inputSchema.properties);
  const named: readonly [path: string, values: object][] = [
    ['over', over],
    ...[exclude].flat().map((values, index): [string, object] => [`exclude[${index}]`, values]),
  ];
  for (const [path, values] of named)
    for (const input of Object.keys(values))
      if (!known.includes(input))
        yield { path: `${path}.${input}`, message: `${show(name)} has no such input`, fix: suggest(input, known) };
}

function mappedKeys(keys: Readonly<Record<string, unknown>>, problems: Problem[]): readonly GroupKey[] {
  return Object.entries(keys).flatMap(([key, inputs]) => {
    if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs))
      return [{ key, inputs: { ...inputs } }];
    problems.push({ path: `keys.${key}`, message: `must be inputs by name, not ${show(inputs)}` });
    return [];
  });
}

function productKeys(
  over: Readonly<Record<string, unknown>>,
  { inputSchema }: Taker,
  problems: Problem[],
): readonly GroupKey[] {
  const before = problems.length;
  let combinations: readonly { readonly parts: readonly string[]; readonly inputs: GroupKey['inputs'] }[] = [
    { parts: [], inputs: {} },
  ];
  const lists = Object.entries(over).filter(([, values]) => values !== undefined);
  const many = lists.reduce((product, [, values]) => product * (Array.isArray(values) ? values.length : 1), 1);
  if (many > MOST_KEYS) {
    problems.push({
      path: 'over',
      message: `makes ${many} plans, of which a group has ${MOST_KEYS} at most`,
      fix: 'give shorter lists, or name those that you mean by `keys`',
    });
    return [];
  }
  for (const [input, values] of lists) {
    const texts = Array.isArray(values) ? textsOf(values, `over.${input}`, problems) : [];
    if (!Array.isArray(values))
      problems.push({ path: `over.${input}`, message: `must be a list, not ${show(values)}` });
    combinations = combinations.flatMap(({ parts, inputs }) =>
      texts.map((text, index) => ({
        parts: [...parts, text],
        // One that there is not was told once, and not of every plan.
        inputs: Object.hasOwn(inputSchema.properties, input)
          ? { ...inputs, [input]: (values as readonly unknown[])[index] }
          : inputs,
      })),
    );
  }
  if (problems.length > before || lists.length === 0) return [];
  return withOwnKey(
    combinations.map(({ parts, inputs }) => ({ key: parts.join('-'), inputs })),
    problems,
  );
}

/** Without those whose key another combination has already. */
function withOwnKey(keys: readonly GroupKey[], problems: Problem[]): readonly GroupKey[] {
  const taken = new Map<string, GroupKey>();
  for (const each of keys) {
    const other = taken.get(each.key);
    if (other === undefined) taken.set(each.key, each);
    else
      problems.push({
        path: `key ${show(each.key)}`,
        message: `is that of ${show(other.inputs)} and of ${show(each.inputs)}`,
        fix: 'name each plan by `keys` in place of `over`',
      });
  }
  return [...taken.values()];
}

/** The values of a list as the texts that keys are made of. */
function textsOf(values: readonly unknown[], path: string, problems: Problem[]): readonly string[] {
  const seen = new Set<string>();
  return values.map((value, index) => {
    const text = textOf(value, `${path}[${index}]`, problems);
    if (text !== undefined && seen.has(text))
      problems.push({
        path: `${path}[${index}]`,
        message: `${show(value)} is in the list already`,
        fix: 'take it out',
      });
    seen.add(text ?? '');
    return text ?? '';
  });
}

/** A value as the text that a key is made of. */
function textOf(value: unknown, path: string, problems: Problem[]): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  problems.push({
    path,
    message: `${show(value)} makes no key`,
    fix: 'give strings, numbers or booleans, or name each plan by `keys` in place of `over`',
  });
  return undefined;
}

function matches(inputs: GroupKey['inputs'], values: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(values).every(([input, value]) => isDeepStrictEqual(inputs[input], value));
}
