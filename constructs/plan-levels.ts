import { composeJobOverrides, composeOverrides } from '../lib/pods/compose.ts';
import type { JobOverride } from '../lib/pods/job-template.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';

/** Who says something of a plan, from the lowest to the highest. */
export type LevelName = 'fleet' | 'workflow' | 'group' | 'plan';

/** What one of them says. */
export interface Level<S extends object> {
  readonly name: LevelName;
  readonly settings: S;
}

/** What holds when all have spoken. */
export interface Effective<S extends object> {
  readonly settings: S;
  /** Who said it, by field; of the maps by `field.key`. Of overrides all who said something. */
  readonly origins: ReadonlyMap<string, readonly LevelName[]>;
  readonly problems: readonly Problem[];
}

/** Settings that are merged key by key; of all others the highest one holds. */
const MAPS: ReadonlySet<string> = new Set(['annotations', 'env', 'fixedInputs', 'inputs', 'labels']);

const COMPOSED: Readonly<Record<string, (lower: object, higher: object) => object>> = {
  podTemplate: (lower, higher) => composeOverrides(lower as PodTemplateOverride, higher as PodTemplateOverride),
  job: (lower, higher) => composeJobOverrides(lower as JobOverride, higher as JobOverride),
};

/** Puts levels together, the lowest first. `undefined` says nothing. */
export function effective<S extends object>(levels: readonly Level<S>[]): Effective<S> {
  const settings: Record<string, unknown> = {};
  const origins = new Map<string, readonly LevelName[]>();
  const problems: Problem[] = [];
  for (const { name, settings: said } of levels)
    for (const [field, value] of Object.entries(said)) {
      if (value === undefined) continue;
      const before = settings[field];
      if (MAPS.has(field)) {
        settings[field] = { ...(before as object | undefined), ...(value as object) };
        for (const key of Object.keys(value as object)) origins.set(`${field}.${key}`, [name]);
      } else if (typeof before === 'object' && before !== null && COMPOSED[field] !== undefined) {
        settings[field] = composedOr(problems, field, before, value as object);
        origins.set(field, [...new Set([...(origins.get(field) ?? []), name])]);
      } else {
        settings[field] = value;
        origins.set(field, [name]);
      }
    }
  return { settings: settings as S, origins, problems };
}

function composedOr(problems: Problem[], field: string, lower: object, higher: object): object {
  try {
    return COMPOSED[field]!(lower, higher);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    problems.push(...error.problems.map((problem) => ({ ...problem, path: `${field}.${problem.path}` })));
    return higher;
  }
}
