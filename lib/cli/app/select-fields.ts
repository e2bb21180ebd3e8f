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
  const near = suggest(path, besides(fields, wanted));
  throw new UsageError(`the pod of ${subject} sets no ${show(path)}${near === undefined ? '' : `; ${near}`}`);
}

/** What there is one step below the part of the path that leads somewhere. */
function besides(fields: readonly ExplainedField[], wanted: string): Set<string> {
  const places = fields.flatMap(({ place }) => place.map((_, end) => place.slice(0, end + 1)));
  const depth = Math.max(
    0,
    ...places.filter((place) => isWithin(wanted, dotted(placeText(place)))).map((place) => place.length),
  );
  const known = places.filter(
    (place) => place.length === depth + 1 && isWithin(wanted, dotted(placeText(place.slice(0, depth)))),
  );
  return new Set(known.map(placeText));
}

/** Whether a path is another or leads further into it. */
function isWithin(path: string, other: string): boolean {
  return other === '' || path === other || path.startsWith(`${other}.`);
}

function dotted(path: string): string {
  return path.replace(/^\./, '').replace(/\[([^\]]*)\]/g, '.$1');
}
