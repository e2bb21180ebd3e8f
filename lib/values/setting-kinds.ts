import { isJsonObject } from './json.ts';
import { show, suggest, type Problem } from './problems.ts';

/** What a setting must be, as far as it can be told without the others. */
export interface Kind {
  /** As it stands in a sentence: `must be <what>`. */
  readonly what: string;
  readonly fits: (value: unknown) => boolean;
}

/** For what is checked where it is used. */
export const any: Kind = { what: 'anything', fits: () => true };
export const text: Kind = { what: 'text', fits: (value) => typeof value === 'string' };
export const yesOrNo: Kind = { what: 'true or false', fits: (value) => typeof value === 'boolean' };
export const map: Kind = { what: 'a map by name', fits: isJsonObject };

/** A map of which the words say more. */
export function mapOf(what: string): Kind {
  return { ...map, what };
}

export function atLeast(least: number): Kind {
  return {
    what: `a whole number of at least ${least}`,
    fits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
  };
}

export function oneOf(...values: readonly string[]): Kind {
  return {
    what: values.map((value) => `'${value}'`).join(' or '),
    fits: (value) => values.includes(value as string),
  };
}

export function either(one: Kind, other: Kind): Kind {
  return { what: `${one.what}, or ${other.what}`, fits: (value) => one.fits(value) || other.fits(value) };
}

/** What plans may say of runs that overlap, as constructs and programs write it. */
export const concurrency = either(oneOf('Allow', 'Forbid', 'Replace'), mapOf('{ queue: <number> }'));

/**
 * The settings that there are, without those that are something else, and what is wrong. The compiler sees most of it, but not a misspelt
 * name in what a function returns, nothing of what was read from a file, and it is not there in JavaScript.
 *
 * @param inWords how a value is shown
 */
export function rightSettings<S extends object>(
  said: S,
  kinds: Readonly<Record<string, Kind>>,
  inWords: (value: unknown) => string = show,
): { readonly settings: S; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const settings = Object.entries(said).filter(([path, value]) => {
    if (value === undefined) return false;
    const kind = Object.hasOwn(kinds, path) ? kinds[path] : undefined;
    if (kind?.fits(value)) return true;
    problems.push(
      kind === undefined
        ? { path, message: 'there is no such setting', fix: suggest(path, Object.keys(kinds)) ?? 'take it out' }
        : { path, message: `must be ${kind.what}, not ${inWords(value)}` },
    );
    return false;
  });
  return { settings: Object.fromEntries(settings) as S, problems };
}
