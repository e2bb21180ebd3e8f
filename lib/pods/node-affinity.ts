import { isDeepStrictEqual } from 'node:util';
import type { V1NodeSelectorRequirement } from '@kubernetes/client-node/dist/gen/models/V1NodeSelectorRequirement.js';
import type { V1NodeSelectorTerm } from '@kubernetes/client-node/dist/gen/models/V1NodeSelectorTerm.js';

/**
 * The terms that match where one of each side matches: terms of one list are alternatives, so two lists are AND-ed by
 * their cross product. A term that already asks for all that one of the other side's does stays as it is, which makes
 * doing it again change nothing. Terms that no node can match are left out; empty ones match none by Kubernetes' rules.
 */
export function conjoinTerms(
  inherited: readonly V1NodeSelectorTerm[],
  required: readonly V1NodeSelectorTerm[],
): V1NodeSelectorTerm[] {
  const conjoined: V1NodeSelectorTerm[] = [];
  const alternatives = required.filter((term) => !isEmpty(term));
  for (const term of inherited.filter((candidate) => !isEmpty(candidate))) {
    const crossed = alternatives.some((alternative) => implies(term, alternative))
      ? [term]
      : alternatives.map((alternative) => both(term, alternative));
    for (const candidate of crossed)
      if (canMatch(candidate) && !conjoined.some((other) => isDeepStrictEqual(other, candidate)))
        conjoined.push(candidate);
  }
  return conjoined;
}

/** Whether a term asks for everything that another one asks for. */
export function implies(term: V1NodeSelectorTerm, other: V1NodeSelectorTerm): boolean {
  const has = (mine: V1NodeSelectorRequirement[] = [], theirs: V1NodeSelectorRequirement[] = []) =>
    theirs.every((requirement) => mine.some((own) => isDeepStrictEqual(own, requirement)));
  return has(term.matchExpressions, other.matchExpressions) && has(term.matchFields, other.matchFields);
}

/** Whether some node could match a term, on its own and with the labels that a node selector asks for. */
export function canMatch(term: V1NodeSelectorTerm, nodeSelector: Readonly<Record<string, string>> = {}): boolean {
  const selected = Object.entries(nodeSelector).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  return (
    byKey([...(term.matchExpressions ?? []), ...selected]).every(someValue) &&
    byKey(term.matchFields ?? []).every(someValue)
  );
}

/** Terms as messages show them: `zone In x, y or gpu Exists`. */
export function termsText(terms: unknown): string {
  const requirement = ({ key, operator, values = [] }: V1NodeSelectorRequirement) =>
    [key, operator, values.join(', ')].join(' ').trimEnd();
  return (terms as readonly V1NodeSelectorTerm[])
    .map(({ matchExpressions = [], matchFields = [] }) =>
      [...matchExpressions, ...matchFields].map(requirement).join(' and '),
    )
    .map((text) => (text === '' ? 'an empty term' : text))
    .join(' or ');
}

function isEmpty({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): boolean {
  return matchExpressions.length === 0 && matchFields.length === 0;
}

function both(a: V1NodeSelectorTerm, b: V1NodeSelectorTerm): V1NodeSelectorTerm {
  const joined = (left: V1NodeSelectorRequirement[] = [], right: V1NodeSelectorRequirement[] = []) => [
    ...left,
    ...right.filter((requirement) => !left.some((own) => isDeepStrictEqual(own, requirement))),
  ];
  const matchExpressions = joined(a.matchExpressions, b.matchExpressions);
  const matchFields = joined(a.matchFields, b.matchFields);
  return {
    ...(matchExpressions.length > 0 && { matchExpressions }),
    ...(matchFields.length > 0 && { matchFields }),
  };
}

function byKey(requirements: readonly V1NodeSelectorRequirement[]): readonly (readonly V1NodeSelectorRequirement[])[] {
  return [...Map.groupBy(requirements, ({ key }) => key).values()];
}

/** Whether one value of a label, or its absence, satisfies all requirements on it. (component-helpers/nodeaffinity, labels.Requirement) */
function someValue(requirements: readonly V1NodeSelectorRequirement[]): boolean {
  const asks = (operator: string) => requirements.filter((requirement) => requirement.operator === operator);
  const absent = asks('DoesNotExist').length > 0;
  const present = requirements.some(({ operator }) => ['In', 'Exists', 'Gt', 'Lt'].includes(operator));
  if (absent) return !present;
  const above = Math.max(...asks('Gt').map(({ values }) => Number(values?.[0])));
  const below = Math.min(...asks('Lt').map(({ values }) => Number(values?.[0])));
  const excluded = new Set(asks('NotIn').flatMap(({ values }) => values ?? []));
  const fits = (value: string) => {
    const inRange = (above === -Infinity || Number(value) > above) && (below === Infinity || Number(value) < below);
    return inRange && !excluded.has(value);
  };
  const [first, ...others] = asks('In').map(({ values }) => values ?? []);
  if (first !== undefined) return first.some((value) => others.every((list) => list.includes(value)) && fits(value));
  return above === -Infinity || below === Infinity || above + 1 < below;
}
