import { launchProblems, type LaunchedPlan } from '../plans/notification-receivers.ts';
import { notificationProblems } from '../plans/notification-problems.ts';
import {
  historyProblems,
  isAbout,
  notificationNotes,
  runUrlProblems,
  withoutFilter,
  type NotifiedOf,
  type PlanNotification,
} from '../plans/plan-notifications.ts';
import { isJsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import type { PlanRegistration } from './plan-registration.ts';
import type { WorkflowType } from './types.ts';

/** Who is told of the runs of a plan that a program registers. */
export class RegisteredNotifications {
  readonly #given: PlanRegistration<WorkflowType>;
  readonly #cluster: string | undefined;
  /** Those whose filters let the plan through. */
  readonly #own: readonly (readonly [string, PlanNotification])[];
  /** Those of them that are notifications. */
  readonly #right: readonly (readonly [string, PlanNotification])[];

  constructor(given: PlanRegistration<WorkflowType>, cluster: string | undefined, whose: NotifiedOf) {
    this.#given = given;
    this.#cluster = cluster;
    const all = Object.entries(given.notifications ?? {});
    this.#own = all.filter(
      (entry): entry is [string, PlanNotification] =>
        entry[1] !== false && (!isJsonObject(entry[1]) || isAbout(entry[1] as PlanNotification, whose)),
    );
    this.#right = this.#own.filter(([, each]) => isJsonObject(each));
  }

  /** The plans that they launch. */
  get launches(): readonly string[] {
    return [...new Set(this.#right.flatMap(([, { to }]) => (to?.kind === 'launch' ? [to.plan] : [])))];
  }

  /** Annotations of each run. */
  get notes(): Readonly<Record<string, string>> {
    return notificationNotes({
      cluster: this.#cluster,
      runUrl: this.#given.runUrl,
      notifications: Object.fromEntries(this.#own.map(([name, each]) => [name, withoutFilter(each)])),
    });
  }

  *problems(): Generator<Problem> {
    for (const [name, each] of this.#own) {
      const wrong = [...notificationProblems(name, each)];
      yield* wrong;
      if (wrong.length === 0) yield* historyProblems(name, each, this.#given);
    }
    yield* runUrlProblems(this.#given.runUrl);
  }

  /**
   * What is wrong with the runs that they launch.
   *
   * @param plans those that there are, by name
   */
  *launchProblems(plans: ReadonlyMap<string, LaunchedPlan | undefined>): Generator<Problem> {
    for (const [name, { to }] of this.#right) {
      if (to?.kind !== 'launch' || !isJsonObject(to.inputs)) continue;
      const at = `notifications.${name}`;
      const plan = plans.get(to.plan);
      if (plan !== undefined)
        for (const problem of launchProblems(plan, to.inputs)) yield { ...problem, path: `${at}.${problem.path}` };
      else if (!plans.has(to.plan))
        yield { path: `${at}.to.plan`, message: `there is no launch plan ${show(to.plan)}`, fix: 'register it first' };
    }
  }
}
