import { endsAs } from '../graph/end-condition.ts';
import type { EndCondition, Ending } from '../graph/graph.ts';

/** A part of a condition, and what is left to decide it. */
interface Part {
  readonly parent: Part | undefined;
  readonly kind: 'ended' | 'all' | 'any' | 'not';
  readonly ended?: Ending;
  /** Parts that are not decided. */
  open: number;
  value: boolean | undefined;
}

/**
 * A condition on the ends of steps, told one end at a time. An end costs what it decides, not the size of the condition:
 * one on a thousand steps is told a thousand ends.
 */
export class EndsWatch {
  readonly #root: Part;
  readonly #byStep = new Map<string, Part[]>();

  constructor(condition: EndCondition) {
    const empty: Part[] = [];
    this.#root = this.#part(condition, undefined, empty);
    for (const part of empty) this.#decide(part, part.kind === 'all');
  }

  /** Whether the condition holds; nothing while that is not decided. */
  get holds(): boolean | undefined {
    return this.#root.value;
  }

  /** A step has ended. */
  tell(step: string, end: Exclude<Ending, 'finished'>): void {
    const parts = this.#byStep.get(step) ?? [];
    this.#byStep.delete(step);
    for (const part of parts) this.#decide(part, endsAs(end, part.ended!));
  }

  #part(condition: EndCondition, parent: Part | undefined, empty: Part[]): Part {
    if ('step' in condition) {
      const part: Part = { parent, kind: 'ended', ended: condition.ended, open: 0, value: undefined };
      const parts = this.#byStep.get(condition.step);
      if (parts === undefined) this.#byStep.set(condition.step, [part]);
      else parts.push(part);
      return part;
    }
    const [kind, inner] =
      'not' in condition
        ? (['not', [condition.not]] as const)
        : 'all' in condition
          ? (['all', condition.all] as const)
          : (['any', condition.any] as const);
    const part: Part = { parent, kind, open: inner.length, value: undefined };
    if (inner.length === 0) empty.push(part);
    for (const one of inner) this.#part(one, part, empty);
    return part;
  }

  #decide(part: Part, value: boolean): void {
    if (part.value !== undefined) return;
    part.value = value;
    if (part.parent !== undefined) this.#decided(part.parent, value);
  }

  #decided(part: Part, value: boolean): void {
    part.open -= 1;
    if (part.kind === 'not') this.#decide(part, !value);
    else if (value === (part.kind === 'any')) this.#decide(part, value);
    else if (part.open === 0) this.#decide(part, part.kind === 'all');
  }
}
