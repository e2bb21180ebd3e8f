import type { ValueSource } from './graph.ts';

/** The values that a pod waits for, by their places in the pod template, such as `spec.containers[main].image`. */
export function* podSources(source: ValueSource, path = ''): Generator<readonly [path: string, source: ValueSource]> {
  if ('fields' in source)
    for (const [field, inner] of Object.entries(source.fields)) {
      const step = /[./]/.test(field) ? `[${field}]` : field;
      yield* podSources(inner, path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`);
    }
  else if ('list' in source)
    for (const [place, item] of source.list.entries()) yield* podSources(item, `${path}[${keyOf(item) ?? place}]`);
  else if (!('value' in source)) yield [path, source];
}

/** `inputs.memory`, `steps.prepare.outputs.size`: where a value comes from, for messages. */
export function describeSource(source: ValueSource): string {
  if ('input' in source) return `inputs.${source.input}`;
  if ('step' in source) return `steps.${source.step}.outputs.${source.output}`;
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
