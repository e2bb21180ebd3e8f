import type { Json, JsonObject } from '../values/json.ts';
import type { ValueSource } from './value-source.ts';

/** The values that a pod waits for, by their places in the pod template, such as `spec.containers[main].image`. */
export function podSources(source: ValueSource): Generator<PlacedSource> {
  return sourcesIn(source, '', (item, index) => keyOf(item) ?? String(index));
}

/** The values that the Job around a pod waits for, by their places in the Job, such as `spec.parallelism`. */
export function jobSources(source: ValueSource): Generator<PlacedSource> {
  return sourcesIn(source, '', (_, index) => String(index));
}

/** What of a source is known before there are values; of a list with one that waits, nothing. */
export function knownPart(source: ValueSource): Json | undefined {
  if ('value' in source) return source.value;
  if ('list' in source) {
    const items = source.list.map(knownPart);
    return items.includes(undefined) ? undefined : (items as Json[]);
  }
  if (!('fields' in source)) return undefined;
  const fields = Object.entries(source.fields).map(([field, inner]) => [field, knownPart(inner)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as JsonObject;
}

type PlacedSource = readonly [path: string, source: ValueSource];

function* sourcesIn(
  source: ValueSource,
  path: string,
  nameOf: (item: ValueSource, index: number) => string,
): Generator<PlacedSource> {
  if ('fields' in source)
    for (const [field, inner] of Object.entries(source.fields)) {
      const step = /[./]/.test(field) ? `[${field}]` : field;
      yield* sourcesIn(inner, path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`, nameOf);
    }
  else if ('list' in source)
    for (const [index, item] of source.list.entries())
      yield* sourcesIn(item, `${path}[${nameOf(item, index)}]`, nameOf);
  else if (!('value' in source)) yield [path, source];
}

/** `inputs.memory`, `steps.prepare.outputs.size`: where a value comes from, for messages. */
export function describeSource(source: ValueSource): string {
  if ('input' in source) return `inputs.${source.input}`;
  if ('step' in source) return `steps.${source.step}.outputs.${source.output}`;
  if ('item' in source) return `item of inputs.${source.item}`;
  if ('status' in source) return `steps.${source.status}.status.${source.field}`;
  if ('text' in source) return describeSource(source.text);
  if ('if' in source) return `${describeSource(source.then)} if ${source.if.cel}`;
  if ('list' in source) return source.list.map(describeSource).join(', ');
  if ('fields' in source) return Object.values(source.fields).map(describeSource).join(', ');
  if ('first' in source)
    return source.first
      .filter((inner) => !('value' in inner))
      .map(describeSource)
      .join(', else ');
  return JSON.stringify(source.value);
}

// Items of lists that merge by a key carry it beside what they wait for, and nothing else that has a value.
function keyOf(item: ValueSource): string | undefined {
  if (!('fields' in item)) return undefined;
  const known = Object.values(item.fields).flatMap((inner) =>
    'value' in inner && inner.value !== null ? [inner.value] : [],
  );
  return known.length === 1 ? String(known[0]) : undefined;
}
