import { noticeFields, type NoticeField, type NoticeInput, type NotificationTo } from '../lib/graph/notifications.ts';
import { launchProblems } from '../lib/plans/notification-receivers.ts';
import type { Json } from '../lib/values/json.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';
import { namespaceOf } from './cluster.ts';
import type { NotifiedFrom, TargetParts } from './notification-target.ts';
import type { Launchable } from './plan-reference.ts';

/** A field of what is told, for an input of a run that is launched. */
export class NoticeValue<T extends string | number> {
  declare readonly valueType?: T;
  /** @internal */
  readonly field: NoticeField;

  /** @internal */
  constructor(field: NoticeField) {
    this.field = field;
  }

  /** As problems show it. */
  toJSON(): string {
    return `<${this.field}>`;
  }
}

/** All fields of what is told. */
export type NoticeValues = {
  readonly [Field in NoticeField]: NoticeValue<Field extends 'failures' ? number : string>;
};

/** The fields of what is told, as inputs of a plan that {@link NotificationTarget.launch} launches. Those that a run does not have are empty. */
export const notice = Object.fromEntries(
  noticeFields.map((field) => [field, new NoticeValue(field)]),
) as unknown as NoticeValues;

/** Values for the inputs of a plan that a notification launches; it has values of its own for those that are left out. */
export type NoticeInputs<I extends Shape> = {
  readonly [Name in keyof ValuesIn<I>]?:
    | ValuesIn<I>[Name]
    | (string extends ValuesIn<I>[Name] ? NoticeValue<string> : never)
    | (number extends ValuesIn<I>[Name] ? NoticeValue<number> : never);
};

/** A launch plan that gets a run for each event. */
export class LaunchTarget implements TargetParts {
  readonly secrets = [];
  readonly #plan: Launchable;
  readonly #inputs: readonly (readonly [string, unknown])[];

  constructor(plan: Launchable, inputs: object) {
    this.#plan = plan;
    this.#inputs = Object.entries(inputs).filter(([, value]) => value !== undefined);
  }

  get wire(): Extract<NotificationTo, { readonly kind: 'launch' }> {
    const inputs = this.#inputs.map(([name, value]): [string, NoticeInput] => [
      name,
      value instanceof NoticeValue ? { field: value.field } : { value: value as Json },
    ]);
    return { kind: 'launch', plan: this.#plan.name, inputs: Object.fromEntries(inputs) };
  }

  *problems({ construct, namespace }: NotifiedFrom): Generator<Problem> {
    const { name: plan, scope, problems = [] } = this.#plan;
    yield* problems;
    const there = scope && (this.#plan.namespace ?? namespaceOf(scope));
    if (scope && (scope.node.root !== construct.node.root || there !== namespace))
      yield {
        path: 'to',
        message: `launch plan ${show(plan)} belongs to another namespace or app`,
        fix: 'name one that is beside each plan with planNamed(...)',
      };
    yield* launchProblems(this.#plan, this.wire.inputs);
  }

  warnings(): readonly Problem[] {
    return [];
  }
}
