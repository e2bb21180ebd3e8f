import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { isDeepStrictEqual } from 'node:util';
import { Schedule } from '../lib/plans/schedule.ts';
import { planNameOf } from '../lib/values/key-names.ts';
import { dnsLabelProblem, labelValueProblem } from '../lib/values/names.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { sharedProblems } from '../lib/values/shared-problems.ts';
import { shiftCron, spreadOffset } from '../lib/values/spread.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';
import { groupKeys, type GroupKey, type GroupKeys } from './group-keys.ts';
import { checkLaunched, type Launched, type LaunchPlanSettings } from './launch-plan-settings.ts';
import { LaunchPlan } from './launch-plan.ts';
import { claimName } from './names.ts';
import { Grantable } from './grantable.ts';
import { PlanGrants } from './plan-grants.ts';
import { reportProblems } from './problems.ts';
import { isDuration, rightSettings } from './setting-kinds.ts';
import { warnAtSynth } from './warnings.ts';

/** What one plan of a group has in another way than the others. */
export type PlanOverride<I extends Shape> = LaunchPlanSettings<I>;

/** A plan of a group, as a function of overrides gets it. */
export interface KeyedPlan<I extends Shape> {
  readonly key: string;
  /** What the key gives to inputs. */
  readonly inputs: Partial<ValuesIn<I>>;
}

/** Settings of a group: those of a launch plan hold for each of its plans. */
export interface LaunchPlanGroupSettings<I extends Shape> extends Omit<LaunchPlanSettings<I>, 'name'> {
  /** Name of the group: the label `cdk8s-workflows.dev/group` of its plans and their runs. @default the construct's id */
  readonly name?: string;
  /** What the name of each plan begins with: it is `<prefix>-<key>`. @default the name of the workflow or task */
  readonly prefix?: string;
  /** Combinations that there is no plan for: those with all of these values. One that matches nothing is an error. @default none */
  readonly exclude?: readonly Partial<ValuesIn<I>>[];
  /**
   * What single plans have in another way, by their keys or as a function of the key: it goes over what is said for the group, field
   * by field, and maps (`labels`, `annotations`, `inputs`, `fixedInputs`, pod templates) are merged. A key that there is not is an error.
   * @default nothing
   */
  readonly overrides?:
    Readonly<Record<string, PlanOverride<I>>> | ((plan: KeyedPlan<I>) => PlanOverride<I> | undefined);
  /**
   * The window that the schedule is spread over, in whole minutes up to a day: each plan fires so much later as a hash of its key says, and another
   * key moves nobody. A schedule of one plan's own stays as it is.
   * @default all fire at the same time
   */
  readonly spread?: Duration;
}

export type LaunchPlanGroupProps<I extends Shape, R extends object = object> = LaunchPlanGroupSettings<NoInfer<I>> &
  GroupKeys<NoInfer<I>> &
  Launched<I, R>;

/**
 * A launch plan for every key of a list: another key is one line. The inputs that the key gives are fixed, so that no launch runs one site's plan for another site.
 *
 * A plan's name is `<workflow>-<key>`, the key in lower case, without accents and with `-` for all that is no letter or digit. A
 * name of more than 52 characters has the key cut off, then the workflow's name, and ends in a hash. Two keys of one name are an error.
 *
 * @example
 * new LaunchPlanGroup(this, 'sites', {
 *   workflow: etl,
 *   over: { site: ['site-a', 'site-b', 'site-c'] },
 *   schedule: Schedule.cron('0 *\/6 * * *'),
 *   spread: Duration.minutes(30),
 *   overrides: { 'site-c': { suspended: true } },
 * });
 */
export class LaunchPlanGroup<I extends Shape, R extends object = object> extends Grantable {
  readonly name: string;
  /** Its plans by their keys, on every cluster; `placedHere` tells those of the cluster that is being synthesized. */
  readonly plans: ReadonlyMap<string, LaunchPlan<I, R>>;
  /** @internal */
  protected override readonly grants: PlanGrants;

  constructor(scope: Construct, id: string, props: LaunchPlanGroupProps<I, R>) {
    super(scope, id);
    const { name = id, prefix, over, keys: mapped, exclude, overrides, spread, workflow, task, ...settings } = props;
    this.name = name;
    checkLaunched(this, props);
    const launched = workflow ?? task;
    const problems: Problem[] = [...claimName(this, 'launch plan group', name)];
    const wrongPrefix = prefix === undefined ? undefined : dnsLabelProblem(prefix);
    if (wrongPrefix !== undefined) problems.push({ path: 'prefix', message: `${show(prefix)} ${wrongPrefix}` });
    const begin = prefix === undefined || wrongPrefix !== undefined ? launched.name : prefix;
    const wrongName = name === '' ? 'is empty' : labelValueProblem(name);
    if (wrongName !== undefined) problems.push({ path: 'name', message: `${show(name)} ${wrongName}` });
    const given = { ...(over && { over }), ...(mapped && { keys: mapped }), ...(exclude && { exclude }) };
    const { keys, problems: wrongKeys } = groupKeys(given, launched);
    problems.push(...wrongKeys);
    const schedules = [rightSettings({ schedule: settings.schedule }).settings.schedule ?? []].flat();
    const window = spread && spreadWindow(spread, schedules, problems);
    if (typeof overrides === 'object') problems.push(...unknownKeys(overrides, keys));
    const plans = new Map<string, LaunchPlan<I, R>>();
    const named = new Map<string, string>();
    for (const { key, inputs } of keys) {
      const own: PlanOverride<I> =
        (typeof overrides === 'function'
          ? overrides({ key, inputs: inputs as Partial<ValuesIn<I>> })
          : overrides && Object.hasOwn(overrides, key)
            ? overrides[key]
            : undefined) ?? {};
      problems.push(...otherInputs({ key, inputs }, own.fixedInputs));
      const plan = own.name ?? planNameOf(begin, key);
      if (plan === undefined) {
        problems.push({
          path: `key ${show(key)}`,
          message: 'has no letter or digit for a name',
          fix: 'give its plan a name in overrides',
        });
        continue;
      }
      const other = named.get(plan);
      if (other !== undefined) {
        problems.push({
          path: `key ${show(key)}`,
          message: `and the key ${show(other)} both make the plan ${show(plan)}`,
          fix: 'rename one, or give its plan a name in overrides',
        });
        continue;
      }
      named.set(plan, key);
      const schedule =
        window === undefined ? settings.schedule : schedules.map((each) => spreadSchedule(each, key, window));
      const group = { name, settings: { ...settings, schedule }, keyInputs: inputs as PlanOverride<I>['fixedInputs'] };
      plans.set(key, new LaunchPlan<I, R>(this, plan, { ...own, ...({ workflow, task } as Launched<I, R>) }, group));
    }
    this.plans = plans;
    const here = [...plans.values()].filter((plan) => plan.placedHere);
    this.grants = new PlanGrants(this, 'group', here);
    reportProblems(this, () => [...problems, ...this.#shared((plan) => plan.problems())]);
    warnAtSynth(this, () => this.#shared((plan) => plan.warnings()));
  }

  /** What is to be told of its plans: once of several. */
  #shared(tell: (plan: LaunchPlan<I, R>) => Iterable<Problem>): Iterable<Problem> {
    const plans = [...this.plans.values()];
    const told = plans.flatMap((plan) => [...tell(plan)].map((problem) => ({ name: plan.name, problem })));
    return sharedProblems(told, plans.length);
  }
}

/** What a plan fixes in another way than its key does: it would be the plan of another key by the name of this one. */
function* otherInputs({ key, inputs }: GroupKey, fixed: object = {}): Generator<Problem> {
  for (const [input, value] of Object.entries(fixed))
    if (Object.hasOwn(inputs, input) && !isDeepStrictEqual(inputs[input], value))
      yield {
        path: `overrides.${key}.fixedInputs.${input}`,
        message: `is ${show(value)}, but the key gives ${show(inputs[input])}`,
        fix: 'change the key, or leave it out',
      };
}

function* unknownKeys(overrides: object, keys: readonly GroupKey[]): Generator<Problem> {
  const known = new Set(keys.map(({ key }) => key));
  for (const key of Object.keys(overrides))
    if (!known.has(key))
      yield { path: `overrides.${key}`, message: 'there is no such key', fix: suggest(key, known) ?? 'take it out' };
}

/** The window in minutes; nothing when it cannot be used, which is told. */
function spreadWindow(spread: Duration, schedules: readonly Schedule[], problems: Problem[]): number | undefined {
  const wrong = (message: string, fix?: string) => void problems.push({ path: 'spread', message, fix });
  if (!isDuration(spread)) return wrong(`must be a Duration of cdk8s, not ${show(spread)}`);
  const minutes = spread.toMilliseconds() / 60_000;
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1440)
    return wrong(`must be whole minutes, from 1 to those of a day, not ${minutes}`, 'a cron schedule knows no seconds');
  if (schedules.length === 0) return wrong('says nothing without a schedule', 'give one, or leave it out');
  for (const schedule of schedules) {
    if (schedule.problem !== undefined) return undefined;
    if (schedule.withinMinute !== undefined)
      return wrong('says nothing of a plan that fires more often than once a minute', 'leave it out');
    const shifted = shiftCron(schedule.expression, 0, minutes);
    if ('problem' in shifted) return wrong(shifted.problem, 'take a shorter window or another schedule');
  }
  return minutes;
}

function spreadSchedule(schedule: Schedule, key: string, window: number): Schedule {
  const shifted = shiftCron(schedule.expression, spreadOffset(key, window), window);
  return 'expression' in shifted ? Schedule.cron(shifted.expression) : schedule;
}
