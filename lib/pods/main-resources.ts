import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { MAIN_CONTAINER } from './template.ts';

/** Part of a pod template with these requests and limits of the main container, over those that it has. */
export function withMainResources(part: JsonObject, resources: JsonObject): JsonObject {
  const spec = objectOf(part.spec);
  const containers = Array.isArray(spec.containers) ? (spec.containers as readonly Json[]) : [];
  const index = containers.findIndex((container) => objectOf(container).name === MAIN_CONTAINER);
  const main = index < 0 ? { name: MAIN_CONTAINER } : objectOf(containers[index]);
  const merged = { ...main, resources: over(objectOf(main.resources), resources) };
  return {
    ...part,
    spec: { ...spec, containers: index < 0 ? [...containers, merged] : containers.with(index, merged) },
  };
}

function over(below: JsonObject, above: JsonObject): JsonObject {
  const fields = Object.entries(above).map(([field, amounts]) =>
    isJsonObject(amounts) ? [field, { ...objectOf(below[field]), ...amounts }] : [field, amounts],
  );
  return { ...below, ...(Object.fromEntries(fields) as JsonObject) };
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
