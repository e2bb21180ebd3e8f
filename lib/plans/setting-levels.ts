import { annotations } from '../graph/labels.ts';
import { composeJobOverrides, composeOverrides } from '../pods/compose.ts';
import type { JobOverride } from '../pods/job-template.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import { canonicalJson } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';

/** Who says something of a plan, from the lowest to the highest. */
export type LevelName = 'fleet' | 'workflow' | 'group' | 'plan' | 'run';

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
const MAPS: ReadonlySet<string> = new Set(['annotations', 'env', 'fixedInputs', 'inputs', 'labels', 'notifications']);

const COMPOSED: Readonly<Record<string, (lower: object, higher: object) => object>> = {
  podTemplate: (lower, higher) => composeOverrides(lower as PodTemplateOverride, higher as PodTemplateOverride),
  job: (lower, higher) => composeJobOverrides(lower as JobOverride, higher as JobOverride),
};

/** Puts levels together, the lowest first. `undefined` says nothing. */
export function mergeLevels<S extends object>(levels: readonly Level<S>[]): Effective<S> {
  const settings: Record<string, unknown> = {};
  const origins = new Map<string, readonly LevelName[]>();
  const problems: Problem[] = [];
  for (const { name, settings: said } of levels) {
    takeOffDefaults(settings, origins, (said as { readonly fixedInputs?: object }).fixedInputs ?? {});
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
  }
  if (settings.driver) takeOffDefaultPriority(settings, origins);
  return { settings: settings as S, origins, problems };
}

/** Who set which setting, for `describe` to tell, but for what the plan alone set. */
export function originNote(origins: Effective<object>['origins']): Readonly<Record<string, string>> {
  const said = [...origins]
    .map(([field, levels]) => [field, levels.join('+')] as const)
    .filter(([, by]) => by !== 'plan');
  if (said.length === 0) return {};
  return { [annotations.settingOrigins]: canonicalJson(Object.fromEntries(said)) };
}

/** What is fixed by one level is no default of a lower one any more. */
function takeOffDefaults(settings: Record<string, unknown>, origins: Map<string, unknown>, fixed: object): void {
  const inputs = Object.entries(settings.inputs ?? {});
  if (inputs.length > 0) settings.inputs = Object.fromEntries(inputs.filter(([name]) => !Object.hasOwn(fixed, name)));
  for (const name of Object.keys(fixed)) origins.delete(`inputs.${name}`);
}

/** A driver knows of no other run: what fleet or workflow say of these is for the others. */
function takeOffDefaultPriority(settings: Record<string, unknown>, origins: Map<string, readonly LevelName[]>): void {
  if (!['fleet', 'workflow'].includes(origins.get('priority')?.[0] ?? '')) return;
  delete settings.priority;
  origins.delete('priority');
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
