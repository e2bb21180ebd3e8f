import type { Json } from '../values/json.ts';
import { escapeExpansion, encodeValue } from '../values/environment.ts';
import { Reference, type AnyReference } from '../values/reference.ts';
import type { MergedTemplate } from './merge.ts';
import { isPlainObject } from './node.ts';
import { originChain, type Origin } from './origins.ts';
import { fieldStep, joinPath } from './path.ts';
import { fieldSchema, POD_TEMPLATE, type FieldSchema } from './pod-schema.ts';
import type { PodTemplate, PodTemplateOverride } from './template.ts';

/**
 * What becomes of a value in its place: it stays as it is, becomes text (an amount), or becomes text in which the
 * kubelet expands nothing (a variable, an argument).
 */
type HoleForm = 'value' | 'text' | 'literal text';

/** A place of a template that waits for a value. */
export class Hole {
  /** References, or lists and objects with references in them. Highest first: the first that has a value gives it. */
  readonly values: readonly unknown[];
  readonly form: HoleForm;
  /** Whether the template has a {@link PLACEHOLDERS placeholder} there, which goes when there is no value. */
  readonly held: boolean;

  constructor(values: readonly unknown[], form: HoleForm, held = false) {
    this.values = values;
    this.form = form;
    this.held = held;
  }

  /** For people: what it waits for. */
  toJSON(): Json {
    return namedReferences(this.values[0]);
  }
}

/** A template without its holes, and those. */
export interface SplitTemplate {
  readonly template: PodTemplate;
  /** Part of a template, of what waits for values alone: maps and lists as in an override, with a {@link Hole} for each value. */
  readonly holes?: unknown;
  /** Every hole by its path. */
  readonly places: readonly { readonly path: string; readonly hole: Hole }[];
}

const AT_RUN_TIME = 'at-run-time';

// What stands where the API server takes no PodTemplate without a value; never in a pod. (pkg/apis/core/validation)
const PLACEHOLDERS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ...[
    'AzureFileVolumeSource.secretName',
    'AzureFileVolumeSource.shareName',
    'CSIVolumeSource.driver',
    'ConfigMapKeySelector.key',
    'ConfigMapKeySelector.name',
    'ConfigMapVolumeSource.name',
    'Container.image',
    'HTTPGetAction.port',
    'HostPathVolumeSource.path',
    'NFSVolumeSource.path',
    'NFSVolumeSource.server',
    'PersistentVolumeClaimVolumeSource.claimName',
    'SecretKeySelector.key',
    'SecretKeySelector.name',
    'SecretVolumeSource.secretName',
    'TCPSocketAction.port',
    'VolumeMount.name',
  ].map((field): [string, Json] => [field, AT_RUN_TIME]),
  ['GRPCAction.port', 1],
  ['NodeSelector.nodeSelectorTerms', [{}]],
  ['TopologySpreadConstraint.maxSkew', 1],
  ['TopologySpreadConstraint.whenUnsatisfiable', 'DoNotSchedule'],
]);

/** A value in the form that its place asks for. */
function inForm(value: Json, form: HoleForm): Json {
  if (form === 'value' || value === null) return value;
  return form === 'text' ? encodeValue(value) : escapeExpansion(encodeValue(value));
}

/**
 * Takes the holes out of a merged template. What they replaced is back in their place, since that holds when there turns
 * out to be no value; only where Kubernetes takes no template without a value stands a placeholder.
 */
export function splitHoles({ template, origins }: MergedTemplate): SplitTemplate {
  if (!hasReference(template)) return { template, places: [] };
  const origin = new Map(origins.leaves().map((leaf) => [leaf.path, leaf.origin]));
  const places: { path: string; hole: Hole }[] = [];

  function split(value: unknown, at: Place): Part {
    if (!hasReference(value)) return { rest: value };
    if (isUnknown(value)) return splitUnknown(value, at);
    if (Array.isArray(value)) return typeof at.schema?.list === 'object' ? splitItems(value, at) : splitList(value, at);
    const rest: Record<string, unknown> = {};
    const holes: Record<string, unknown> = {};
    for (const [field, inner] of Object.entries(value as object)) {
      const part = split(inner, placeOf(at, field));
      if (part.rest !== undefined) rest[field] = part.rest;
      if (part.holes !== undefined) holes[field] = part.holes;
    }
    // Left to Kubernetes, it goes by the image; in a PodTemplate the API server has filled it in by the image there.
    if (holes['image'] !== undefined && at.schema?.type === 'Container' && !('imagePullPolicy' in (value as object)))
      holes['imagePullPolicy'] = null;
    return { rest, holes };
  }

  function splitUnknown(value: Unknown, at: Place): Part {
    const { values, below } = underneath(value, origin.get(at.path));
    const rest = below ?? placeholder(at);
    const hole = new Hole(values, at.form, below === undefined && rest !== undefined);
    places.push({ path: at.path, hole });
    return { rest, holes: hole };
  }

  /** A list that merges whole: it waits as a whole. */
  function splitList(list: readonly unknown[], at: Place): Part {
    const fill = (value: unknown, place: Place): unknown => {
      if (isUnknown(value)) {
        const hole = new Hole(valuesOf(value), place.form);
        places.push({ path: place.path, hole });
        return hole;
      }
      if (Array.isArray(value)) return value.map((item, index) => fill(item, itemOf(place, index)));
      if (!isPlainObject(value)) return value;
      return Object.fromEntries(
        Object.entries(value).map(([field, inner]) => [field, fill(inner, placeOf(place, field))]),
      );
    };
    const below = originChain(origin.get(at.path) ?? NOTHING).find((one) => !hasReference(one.value))?.value;
    return { rest: below ?? placeholder(at), holes: fill(list, at) };
  }

  function splitItems(list: readonly unknown[], at: Place): Part {
    const { key } = at.schema!.list as { readonly key: string };
    const items = list.map((item) => {
      const id = (item as Record<string, unknown>)[key];
      const part = split(item, itemOf(at, id));
      return { ...part, holes: part.holes && { [key]: id, ...part.holes } };
    });
    return {
      rest: items.map(({ rest }) => rest),
      holes: items.flatMap(({ holes }) => (holes === undefined ? [] : [holes])),
    };
  }

  const { rest, holes } = split(template, ROOT);
  return { template: rest as PodTemplate, holes, places };
}

/**
 * Puts values in the place of references, in the form that each place asks for. `undefined` leaves a field out, and a
 * variable with it; a reference may stay one. Functions of what is inherited are filled when they are called.
 *
 * @param type the Kubernetes type that it is part of
 */
export function fillReferences<T>(part: T, value: (reference: AnyReference) => unknown, type = POD_TEMPLATE): T {
  return fill(part, { ...ROOT, schema: { type } }) as T;

  function fill(inner: unknown, at: Place): unknown {
    if (inner instanceof Reference) {
      const found = value(inner as AnyReference);
      if (found === undefined || found instanceof Reference) return found;
      return hasReference(found) ? new Hole([found], at.form) : inForm(found as Json, at.form);
    }
    if (typeof inner === 'function')
      return (inherited: unknown) => fill((inner as (inherited: unknown) => unknown)(inherited), at);
    if (Array.isArray(inner)) return inner.map((item) => fill(item, itemOf(at, ''))).filter((item) => !isNothing(item));
    if (!isPlainObject(inner)) return inner;
    const filled = Object.fromEntries(
      Object.entries(inner).map(([field, nested]) => [field, fill(nested, placeOf(at, field))]),
    );
    return at.schema?.type === 'EnvVar' && 'value' in filled && filled['value'] === undefined ? undefined : filled;
  }
}

/** What a value of an override or template is without the objects of ours in it, for people: `<inputs.memory>`. */
export function namedReferences(value: unknown): Json {
  if (value instanceof Reference) return `<${(value as AnyReference).expression}>`;
  if (Array.isArray(value)) return value.map(namedReferences);
  if (!isPlainObject(value)) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, namedReferences(inner)]));
}

/**
 * What came of a template's holes, as an override of it: a variable for which there was no value goes, since the
 * template has nothing but its name.
 */
export function holesOverride(values: PodTemplateOverride, template: PodTemplate): PodTemplateOverride {
  const isEmpty = (variable: object) => Object.keys(variable).length === 1;
  const lists = (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap((list) => {
    const containers = (values as PodTemplate).spec?.[list];
    if (containers === undefined) return [];
    const filled = containers.map((container) => {
      const own = template.spec?.[list]?.find(({ name }) => name === container.name)?.env ?? [];
      const unset = new Set(own.filter(isEmpty).map(({ name }) => name));
      const env = container.env?.map((variable) =>
        isEmpty(variable) && unset.has(variable.name) ? { ...variable, $patch: 'delete' } : variable,
      );
      return env === undefined ? container : { ...container, env };
    });
    return [[list, filled] as const];
  });
  return { ...values, spec: { ...(values.spec as object), ...Object.fromEntries(lists) } };
}

interface Part {
  readonly rest?: unknown;
  readonly holes?: unknown;
}

interface Place {
  readonly path: string;
  readonly schema: FieldSchema | undefined;
  /** The type that the field is of. */
  readonly parent?: string | undefined;
  readonly field?: string | undefined;
  readonly form: HoleForm;
}

const ROOT: Place = { path: '', schema: { type: POD_TEMPLATE }, form: 'value' };
const NOTHING = { value: undefined } as Origin;

function placeOf({ path, schema, form }: Place, field: string): Place {
  const parent = schema?.map ? undefined : schema?.type;
  return {
    path: joinPath(path, fieldStep(field)),
    schema: fieldSchema(parent, field),
    parent,
    field,
    form: formOf(parent, field) ?? form,
  };
}

function itemOf({ path, schema, form, parent, field }: Place, id: unknown): Place {
  const item = schema?.type === undefined ? undefined : { type: schema.type };
  return { path: `${path}[${String(id)}]`, schema: item, parent, field, form };
}

function formOf(type: string | undefined, field: string): HoleForm | undefined {
  if (type === 'EnvVar' && field === 'value') return 'literal text';
  if ((type === 'Container' || type === 'EphemeralContainer') && (field === 'command' || field === 'args'))
    return 'literal text';
  if (type?.endsWith('ResourceRequirements') && (field === 'limits' || field === 'requests')) return 'text';
  return undefined;
}

/** What is not known before the run: a reference, or what a task's input was given of references. */
export type Unknown = AnyReference | Hole;

export const isUnknown = (value: unknown): value is Unknown => value instanceof Reference || value instanceof Hole;
const valuesOf = (value: Unknown) => (value instanceof Hole ? value.values : [value]);

/** The unknown values that one replaced, itself first, and the first known one below them. */
export function underneath(value: Unknown, origin: Origin | undefined) {
  const values = [...valuesOf(value)];
  for (let at = origin?.replaced; at !== undefined; at = at.replaced) {
    if (!isUnknown(at.value)) return { values, below: at.value };
    values.push(...valuesOf(at.value));
  }
  return { values, below: undefined };
}

function placeholder({ parent, field }: Place): Json | undefined {
  return PLACEHOLDERS.get(`${parent}.${field}`);
}

function hasReference(value: unknown): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(hasReference);
  return isPlainObject(value) && Object.values(value).some(hasReference);
}

const isNothing = (item: unknown) => item === undefined;
