import { isDeepStrictEqual } from 'node:util';
import type { ExplainedField, Explanation } from '../../pods/explanation.ts';
import type { PlaceStep } from '../../pods/origins.ts';
import type { Json } from '../../values/json.ts';

/** A field that two templates do not have alike, or the key of a list's item in which there is one. */
export interface FieldChange {
  /** Whether it is such a key, which both have. */
  readonly same: boolean;
  readonly path: string;
  readonly place: readonly PlaceStep[];
  /** Left out when only the second has it. */
  readonly before?: ExplainedField;
  /** Left out when only the first has it. */
  readonly after?: ExplainedField;
}

/** What differs between two templates, with fields of one map or list together. The order of lists' items is not compared. */
export function fieldChanges(first: Explanation, second: Explanation): readonly FieldChange[] {
  const root = new Branch();
  for (const [side, { fields }] of [['before', first] as const, ['after', second] as const])
    for (const field of fields) if (field.value !== undefined) root.at(field.place)[side] = field;
  return [...root.changes()];
}

class Branch {
  before: ExplainedField | undefined;
  after: ExplainedField | undefined;
  readonly #inner = new Map<string, Branch>();

  at(place: readonly PlaceStep[]): Branch {
    const [step, ...rest] = place;
    if (step === undefined) return this;
    const key = JSON.stringify(step);
    const inner = this.#inner.get(key) ?? new Branch();
    this.#inner.set(key, inner);
    return inner.at(rest);
  }

  *changes(step?: PlaceStep): Generator<FieldChange> {
    if (this.#differs) yield this.#change(false);
    const inner = [...this.#inner].flatMap(([key, branch]) => [...branch.changes(JSON.parse(key) as PlaceStep)]);
    const key = inner.length > 0 && typeof step === 'object' ? this.#key(step.item) : undefined;
    if (key !== undefined && !key.#differs) yield key.#change(true);
    yield* inner;
  }

  get #differs(): boolean {
    return !isDeepStrictEqual(this.before?.value, this.after?.value);
  }

  #change(same: boolean): FieldChange {
    const { before, after } = this;
    const { path, place } = (after ?? before)!;
    return { same, path, place, ...(before && { before }), ...(after && { after }) };
  }

  #key(id: Json): Branch | undefined {
    return [...this.#inner.values()].find(({ after }) => isDeepStrictEqual(after?.value, id));
  }
}
