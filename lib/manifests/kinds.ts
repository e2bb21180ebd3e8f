import { show, suggest, type Problem } from '../values/problems.ts';
import generated from './kinds.gen.json' with { type: 'json' };
import { parseType, type FieldType } from './type-expression.ts';

/** A type of Kubernetes with fields of its own. */
export interface StructType {
  /** As Kubernetes calls it, such as `Container`. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldType>;
  readonly required: readonly string[];
}

const kinds = generated.kinds as Readonly<Record<string, Readonly<Record<string, string>>>>;
const types = generated.types as Readonly<Record<string, Readonly<Record<string, string>>>>;
const parsed = new Map<string, StructType>();

/** The version of Kubernetes that the types are taken from. */
export const KUBERNETES_VERSION: string = generated.kubernetes;

/** The type of a kind; nothing for one that is not Kubernetes' own or whose version is not stable. */
export function kindType(apiVersion: string, kind: string): StructType | undefined {
  const name = kinds[apiVersion]?.[kind];
  return name === undefined ? undefined : structType(name);
}

/** A type by its name in kinds.gen.json. Types are read when they are first met: most manifests need a few of them. */
export function structType(name: string): StructType {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const entries = Object.entries(types[name]!);
  const type: StructType = {
    name: name.split(':')[0]!,
    fields: new Map(entries.map(([field, text]) => [field, parseType(text.replace(/!$/, ''))])),
    required: entries.filter(([, text]) => text.endsWith('!')).map(([field]) => field),
  };
  parsed.set(name, type);
  return type;
}

/**
 * A kind that cannot exist, or nothing. Only groups without a dot are Kubernetes' alone (a CustomResourceDefinition
 * must have one: apiextensions/validation), so only there is an unknown kind surely a mistake.
 */
export function kindProblem(apiVersion: string, kind: string): Problem | undefined {
  if (apiVersion.split('/').slice(0, -1).join('').includes('.')) return undefined;
  if (kinds[apiVersion]?.[kind] !== undefined) return undefined;
  const served = Object.keys(kinds).filter((version) => kinds[version]![kind] !== undefined);
  if (served.length > 0)
    return {
      path: 'apiVersion',
      message: `there is no ${kind} in ${show(apiVersion)}`,
      fix: `write ${show(served[0])}`,
    };
  const fix = suggest(kind, Object.keys(kinds[apiVersion] ?? {}));
  return fix?.startsWith('did you mean')
    ? { path: 'kind', message: `${show(kind)} is no kind of ${apiVersion}`, fix }
    : undefined;
}
