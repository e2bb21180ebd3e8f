import type { ExplainedField } from '../../pods/explanation.ts';
import { placeText } from '../../pods/origins.ts';
import { show, suggest } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';

/**
 * The fields at or below a path, or the one that it leads into. Keys need no brackets:
 * `spec.containers.main.image` is as good as `spec.containers[main].image`.
 *
 * @throws UsageError when nothing is set there
 */
export function selectFields(
  fields: readonly ExplainedField[],
  path: string,
  subject: string,
): readonly ExplainedField[] {
  const wanted = dotted(path);
  const found = fields.filter((field) => isWithin(dotted(field.path), wanted) || isWithin(wanted, dotted(field.path)));
  if (found.length > 0) return found;
  const { known, rest, names } = besides(fields, wanted);
  const near = suggest(rest, names);
  const where = known === '' ? '' : ` in ${known}`;
  throw new UsageError(`the pod of ${subject} sets no ${show(rest)}${where}${near === undefined ? '' : `; ${near}`}`);
}

/** The part of a path that leads somewhere, the part that does not, and what could stand in its place. */
function besides(fields: readonly ExplainedField[], wanted: string) {
  const places = fields.flatMap(({ place }) => place.map((_, end) => place.slice(0, end + 1)));
  const known = places
    .filter((place) => isWithin(wanted, dotted(placeText(place))))
    .reduce<(typeof places)[number]>((a, b) => (b.length > a.length ? b : a), []);
  const text = placeText(known);
  const next = places.filter((place) => place.length === known.length + 1 && placeText(place.slice(0, -1)) === text);
  return {
    known: text,
    rest: wanted.slice(text === '' ? 0 : dotted(text).length + 1),
    names: new Set(next.map((place) => dotted(placeText(place.slice(-1))).replace(/^\./, ''))),
  };
}

/** Whether a path is another or leads further into it. */
function isWithin(path: string, other: string): boolean {
  return other === '' || path === other || path.startsWith(`${other}.`);
}

function dotted(path: string): string {
  return path.replace(/^\./, '').replace(/\[([^\]]*)\]/g, '.$1');
}
