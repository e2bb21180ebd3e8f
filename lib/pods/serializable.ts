import { isPlainObject } from './node.ts';
import { fieldStep, pathText, type Path } from './path.ts';

/** The fields of an override that are functions, which no manifest and no annotation can carry. */
export function functionFields(override: object): readonly string[] {
  return [...functionsIn(override, undefined)].map((path) => pathText(path));
}

function* functionsIn(value: unknown, path: Path | undefined): Generator<Path> {
  if (typeof value === 'function') yield path!;
  else if (Array.isArray(value))
    for (const [place, item] of value.entries())
      yield* functionsIn(item, { parent: path, step: `[${nameOf(item, place)}]` });
  else if (isPlainObject(value))
    for (const [field, inner] of Object.entries(value))
      yield* functionsIn(inner, { parent: path, step: fieldStep(field) });
}

function nameOf(item: unknown, place: number): string {
  const name = isPlainObject(item) ? item['name'] : undefined;
  return typeof name === 'string' ? name : String(place);
}
