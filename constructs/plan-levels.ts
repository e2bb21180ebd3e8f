import type { IConstruct } from 'constructs';
import { composeJobOverrides, composeOverrides } from '../lib/pods/compose.ts';
import type { JobOverride } from '../lib/pods/job-template.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { annotations } from '../lib/graph/labels.ts';
import { canonicalJson } from '../lib/values/json.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import { clusterContext } from './cluster.ts';
import type { RunDefaults } from './launch-plan-settings.ts';
import { rightSettings } from './setting-kinds.ts';
import type { AnyWorkflow } from './workflow.ts';

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
export function effective<S extends object>(levels: readonly Level<S>[]): Effective<S> {
  const settings: Record<string, unknown> = {};
  const origins = new Map<string, readonly LevelName[]>();
  const problems: Problem[] = [];
  for (const { name, settings: given } of levels) {
    const { settings: said, problems: wrong } = rightSettings(given);
    problems.push(...wrong);
    // What is fixed by one of them is no default of a lower one any more.
    for (const input of Object.keys((said as { readonly fixedInputs?: object }).fixedInputs ?? {})) {
      settings.inputs = without(settings.inputs as object | undefined, input);
      origins.delete(`inputs.${input}`);
    }
    for (const [field, value] of Object.entries(said)) {
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
  return { settings: settings as S, origins, problems };
}

/** What the fleet and the workflow say of a plan or run. */
export function defaultLevels(scope: IConstruct, workflow: AnyWorkflow): readonly Level<RunDefaults>[] {
  const { failurePolicy, ...fleet } = clusterContext(scope)?.runDefaults ?? {};
  return [
    // The graph of a workflow has the policy that its author chose.
    { name: 'fleet', settings: workflow.saysFailurePolicy ? fleet : { ...fleet, failurePolicy } },
    { name: 'workflow', settings: workflow.runDefaults },
  ];
}

/** What the fleet says of a plan over one task, whose Job knows neither steps nor a controller, and has the timeout of its task. */
export function taskDefaultLevels(scope: IConstruct): readonly Level<RunDefaults>[] {
  const {
    cache: _c,
    driver: _d,
    failurePolicy: _f,
    parallelism: _n,
    priority: _p,
    timeout: _t,
    ...settings
  } = clusterContext(scope)?.runDefaults ?? {};
  return [{ name: 'fleet', settings }];
}

/** Who set which setting, for `describe` to tell, but for what the plan alone set. */
export function originNote(origins: Effective<object>['origins']): Readonly<Record<string, string>> {
  const said = [...origins]
    .map(([field, levels]) => [field, levels.join('+')] as const)
    .filter(([, by]) => by !== 'plan');
  if (said.length === 0) return {};
  return { [annotations.settingOrigins]: canonicalJson(Object.fromEntries(said)) };
}

function without(values: object | undefined, name: string): object | undefined {
  return values && Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
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
