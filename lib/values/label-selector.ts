import { labelValueProblem, qualifiedNameProblem } from './names.ts';
import { show, suggest, type Problem } from './problems.ts';

/**
 * Which labels something must have, as Kubernetes means it: everything that is said must hold, and nothing said holds of
 * all. (apimachinery/pkg/apis/meta/v1/helpers.go, LabelSelectorAsSelector)
 */
export interface LabelSelector {
  /** Labels with their values. @default none */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** What else holds of labels. @default nothing */
  readonly matchExpressions?: readonly LabelExpression[];
}

/** `NotIn` holds also of what does not have the label. */
export type LabelExpression =
  | { readonly key: string; readonly operator: 'In' | 'NotIn'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'Exists' | 'DoesNotExist'; readonly values?: never };

export type Labels = Readonly<Record<string, string>>;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** All that a selector says, each by itself. */
export function requirementsOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly LabelExpression[] {
  const equal = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] }));
  return [...equal, ...matchExpressions];
}

/** Whether one requirement holds of labels. */
export function holds({ key, operator, values }: LabelExpression, labels: Labels = {}): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  return requirementsOf(selector).every((requirement) => holds(requirement, labels));
}

/** A selector as `kubectl -l` takes it, such as `tier=prod,region in (eu,us),!gpu`; empty when it says nothing. */
export function selectorText(selector: LabelSelector): string {
  return requirementsOf(selector).map(requirementText).join(',');
}

function requirementText({ key, operator, values }: LabelExpression): string {
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`;
  }
}

/** What the API server would refuse of a selector. */
export function* selectorProblems(selector: LabelSelector, path: string): Generator<Problem> {
  yield* labelsProblems(selector.matchLabels ?? {}, `${path}.matchLabels`);
  for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    if (!operators.includes(operator))
      yield {
        path: `${at}.operator`,
        message: `${show(operator)} is no operator`,
        fix: suggest(operator, operators),
      };
    if (operator.endsWith('In') && (values ?? []).length === 0)
      yield { path: `${at}.values`, message: `is empty, and ${operator} needs one at least` };
    if (['Exists', 'DoesNotExist'].includes(operator) && values !== undefined)
      yield { path: `${at}.values`, message: `must be left out: ${operator} asks for no value` };
    yield* labelProblems(key, values ?? [], at);
  }
}

/** What the API server would refuse of labels. */
export function* labelsProblems(labels: Labels, path: string): Generator<Problem> {
  for (const [key, value] of Object.entries(labels)) yield* labelProblems(key, [value], `${path}.${key}`);
}

function* labelProblems(key: string, values: readonly string[], path: string): Generator<Problem> {
  const wrongKey = qualifiedNameProblem(key);
  if (wrongKey !== undefined) yield { path, message: `the key ${show(key)} ${wrongKey}` };
  for (const value of values) {
    const wrong = labelValueProblem(value);
    if (wrong !== undefined) yield { path, message: `${show(value)} ${wrong}` };
  }
}
