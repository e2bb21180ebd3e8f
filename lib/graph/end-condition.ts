import type { EndCondition, Ending } from './graph.ts';

/** What a condition asks of the end of one step: that it is so, or that it is not. */
export interface Mention {
  readonly step: string;
  readonly ended: Ending;
  readonly negated: boolean;
}

/** Every step that a condition speaks of, as often as it does. */
export function* mentions(condition: EndCondition, negated = false): Generator<Mention> {
  if ('step' in condition) yield { ...condition, negated };
  else if ('not' in condition) yield* mentions(condition.not, !negated);
  else for (const part of partsOf(condition)) yield* mentions(part, negated);
}

/** `any(succeeded(load), not(failed(check)))` */
export function conditionText(condition: EndCondition): string {
  if ('step' in condition) return `${condition.ended}(${condition.step})`;
  if ('not' in condition) return `not(${conditionText(condition.not)})`;
  return `${'all' in condition ? 'all' : 'any'}(${partsOf(condition).map(conditionText).join(', ')})`;
}

/**
 * Whether a condition holds by the ends that are known, or nothing while those do not decide it. `all` of nothing
 * holds, `any` of nothing does not.
 */
export function evaluateEnds(
  condition: EndCondition,
  endOf: (step: string) => Exclude<Ending, 'finished'> | undefined,
): boolean | undefined {
  if ('step' in condition) {
    const end = endOf(condition.step);
    return end === undefined ? undefined : endsAs(end, condition.ended);
  }
  if ('not' in condition) {
    const inner = evaluateEnds(condition.not, endOf);
    return inner === undefined ? undefined : !inner;
  }
  const parts = partsOf(condition).map((part) => evaluateEnds(part, endOf));
  const deciding = 'any' in condition;
  if (parts.includes(deciding)) return deciding;
  return parts.includes(undefined) ? undefined : !deciding;
}

/** Whether a step that ended so ended as asked. */
export function endsAs(end: Exclude<Ending, 'finished'>, asked: Ending): boolean {
  return asked === 'finished' || asked === end;
}

function partsOf(condition: Extract<EndCondition, { readonly all: unknown } | { readonly any: unknown }>) {
  return 'all' in condition ? condition.all : condition.any;
}
