import type { IConstruct } from 'constructs';
import { mergeLevels, type Effective, type Level } from '../lib/plans/setting-levels.ts';
import { clusterContext } from './cluster.ts';
import type { RunDefaults } from './launch-plan-settings.ts';
import { rightSettings } from './setting-kinds.ts';
import type { AnyWorkflow } from './workflow.ts';

/** Puts together what levels say, the lowest first, but for what is no setting or has no value of one. */
export function effective<S extends object>(levels: readonly Level<S>[]): Effective<S> {
  const checked = levels.map(({ name, settings }) => ({ name, ...rightSettings(settings) }));
  const merged = mergeLevels(checked);
  return { ...merged, problems: [...checked.flatMap(({ problems }) => problems), ...merged.problems] };
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
