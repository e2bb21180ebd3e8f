import { isJsonObject, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { fieldPath, type Place } from './field-path.ts';
import { kindProblem, kindType, structType, type StructType } from './kinds.ts';
import { scalarMisfit, type Misfit } from './scalars.ts';
import type { FieldType } from './type-expression.ts';

/** Something that the API server would refuse or drop. */
export interface FieldProblem extends Problem {
  /** Whether the rest can still be read as what its type says: true for a field too many, false for a wrong value. */
  readonly readable: boolean;
}

export interface ValidateOptions {
  /**
   * Fields that the pinned Kubernetes does not know and the clusters do: `Container.newField`, `Container.*`, or `*`.
   * @default none
   */
  readonly allowFields?: ReadonlySet<string>;
}

/** What is wrong with a manifest, by the types of Kubernetes. One of a kind that is not Kubernetes' own is passed over. */
export function validateManifest(manifest: JsonObject, options: ValidateOptions = {}): readonly FieldProblem[] {
  const { apiVersion, kind } = manifest;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
  const type = kindType(apiVersion, kind);
  if (type !== undefined) return new Walk(options, false).run(manifest, type);
  const unknown = kindProblem(apiVersion, kind);
  return unknown === undefined ? [] : [{ ...unknown, readable: false }];
}

/**
 * What is wrong with part of a pod template that is to be merged over another: nothing is required, `null` removes,
 * and the directives of a strategic merge patch may be there.
 */
export function validatePartialTemplate(part: unknown, options: ValidateOptions = {}): readonly FieldProblem[] {
  return new Walk(options, true).run(part, structType('PodTemplateSpec'));
}

/** The same of part of a Job. */
export function validatePartialJob(part: unknown, options: ValidateOptions = {}): readonly FieldProblem[] {
  return new Walk(options, true).run(part, structType('JobTemplateSpec'));
}

// apimachinery/pkg/util/strategicpatch/patch.go
const DIRECTIVE = /^\$(patch|retainKeys|(deleteFromPrimitiveList|setElementOrder)\/.+)$/;

class Walk {
  readonly #problems: FieldProblem[] = [];
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #partial: boolean;
  #secret = false;

  constructor({ allowFields }: ValidateOptions, partial: boolean) {
    this.#allowed = allowFields;
    this.#partial = partial;
  }

  run(value: unknown, type: StructType): readonly FieldProblem[] {
    this.#secret = type.name === 'Secret';
    this.#struct(value, type, undefined);
    return this.#problems;
  }

  #value(value: unknown, type: FieldType, place: Place): void {
    if (type.is === 'scalar') {
      const misfit = scalarMisfit(type.scalar, value);
      if (misfit !== undefined) this.#misfit(misfit, value, place);
    } else if (type.is === 'struct') this.#struct(value, structType(type.name), place);
    else if (type.is === 'list') this.#list(value, type.of, type.key, place);
    else this.#map(value, type.of, place);
  }

  #struct(value: unknown, type: StructType, place: Place | undefined): void {
    if (!isJsonObject(value)) return this.#misfit({ must: `be an object (${type.name})` }, value, place);
    for (const field in value) {
      const inner = value[field];
      const fieldType = type.fields.get(field);
      if (fieldType === undefined) this.#unknown(field, type, place);
      // The API server reads null as not set, and a merge as remove.
      else if (inner !== null && inner !== undefined) this.#value(inner, fieldType, { above: place, step: field });
    }
    if (this.#partial) return;
    for (const field of type.required)
      if (value[field] === undefined || value[field] === null)
        this.#add({ above: place, step: field }, 'is missing', `every ${type.name} needs it`, false);
  }

  #list(value: unknown, type: FieldType, key: string | undefined, place: Place): void {
    if (!Array.isArray(value)) return this.#misfit({ must: 'be a list' }, value, place);
    for (const [index, item] of value.entries()) this.#value(item, type, { above: place, step: { index, item, key } });
  }

  #map(value: unknown, type: FieldType, place: Place): void {
    if (!isJsonObject(value)) return this.#misfit({ must: 'be an object' }, value, place);
    for (const key in value)
      if (!(this.#partial && (value[key] === null || DIRECTIVE.test(key))))
        this.#value(value[key], type, { above: place, step: key });
  }

  #unknown(field: string, { name, fields }: StructType, place: Place | undefined): void {
    if (this.#partial && DIRECTIVE.test(field)) return;
    if (
      this.#allowed !== undefined &&
      [`${name}.${field}`, `${name}.*`, '*'].some((entry) => this.#allowed!.has(entry))
    )
      return;
    const fix =
      suggest(field, fields.keys()) ?? `remove it, or allow ${show(`${name}.${field}`)} if your clusters know it`;
    this.#add({ above: place, step: field }, `is no field of ${name}`, fix, true);
  }

  #misfit({ must, fix }: Misfit, value: unknown, place: Place | undefined): void {
    const shown = this.#secret ? `this ${value === null ? 'null' : typeof value}` : show(value);
    this.#add(place, `must ${must}, not ${shown}`, fix, false);
  }

  #add(place: Place | undefined, message: string, fix: string | undefined, readable: boolean): void {
    this.#problems.push({ path: fieldPath(place), message, ...(fix !== undefined && { fix }), readable });
  }
}
