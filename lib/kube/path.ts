import type { Resource } from './resources.ts';

/** Values of a query string; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Which object, or with no `name` which collection, of a resource. */
export interface Target {
  readonly namespace?: string;
  readonly name?: string;
  /** `status`, `log`, `scale`, ... */
  readonly subresource?: string;
}

/**
 * The URL path of an object or a collection.
 *
 * @throws TypeError for a name that would change the path's meaning: an empty one turns
 *   "delete this object" into "delete all of them".
 */
export function pathOf(of: Resource, target: Target = {}): string {
  const root = of.group === '' ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  const scope = of.namespaced && target.namespace !== undefined ? `/namespaces/${segment(target.namespace)}` : '';
  const name = target.name === undefined ? '' : `/${segment(target.name)}`;
  const subresource = target.subresource === undefined ? '' : `/${target.subresource}`;
  return `${root}${scope}/${of.plural}${name}${subresource}`;
}

/** The query string with its question mark, or nothing. */
export function queryOf(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

function segment(text: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/') || text.includes('%')) {
    throw new TypeError(`${JSON.stringify(text)} cannot be the name of an object or a namespace`);
  }
  return encodeURIComponent(text);
}
