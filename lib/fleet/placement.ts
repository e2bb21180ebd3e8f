import { DEFAULT_FLEET, type PlacedCluster, type Placement } from '../graph/placement.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { InvalidError, show, type Problem } from '../values/problems.ts';

/**
 * Reads the text of a placement file. What older ones do not say has its default.
 *
 * @throws InvalidError with every field that is wrong
 */
export function parsePlacement(text: string, source: string): Placement {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch (cause) {
    throw new InvalidError(
      `${source} cannot be read`,
      [{ path: '', message: `is no JSON: ${(cause as Error).message}`, fix: 'run synth again' }],
      { cause },
    );
  }
  const problems = [...placementProblems(document)];
  if (problems.length > 0) throw new InvalidError(`${source} is not valid`, problems);
  const { fleet = DEFAULT_FLEET, clusters = {}, plans = {} } = document as JsonObject;
  return {
    fleet: fleet as string,
    clusters: mapValues(clusters, (cluster) => ({ enabled: true, ...cluster }) as unknown as PlacedCluster),
    plans: plans as unknown as Placement['plans'],
  };
}

function* placementProblems(document: Json): Generator<Problem> {
  if (!isJsonObject(document)) return yield wrong('', 'an object', document);
  const { fleet, clusters, plans = {} } = document;
  if (fleet !== undefined && !isName(fleet)) yield wrong('fleet', 'a name', fleet);
  if (!isJsonObject(clusters)) return yield wrong('clusters', 'an object', clusters);
  for (const [name, cluster] of Object.entries(clusters)) yield* clusterProblems(cluster, `clusters.${name}`);
  if (!isJsonObject(plans)) return yield wrong('plans', 'an object', plans);
  const known = (name: Json | undefined) => typeof name === 'string' && Object.hasOwn(clusters, name);
  for (const [name, plan] of Object.entries(plans)) yield* planProblems(plan, `plans.${name}`, known);
}

function* clusterProblems(cluster: Json, path: string): Generator<Problem> {
  if (!isJsonObject(cluster)) return yield wrong(path, 'an object', cluster);
  const { context, uid, namespace, labels, weight, enabled, capabilities } = cluster;
  for (const [field, value] of Object.entries({ context, uid, namespace }))
    if (value !== undefined && !isName(value)) yield wrong(`${path}.${field}`, 'a name', value);
  for (const [field, value] of Object.entries({ labels, capabilities }))
    if (value !== undefined && !isJsonObject(value)) yield wrong(`${path}.${field}`, 'an object', value);
  if (weight !== undefined && !(typeof weight === 'number' && weight > 0))
    yield wrong(`${path}.weight`, 'a number above 0', weight);
  if (enabled !== undefined && typeof enabled !== 'boolean') yield wrong(`${path}.enabled`, 'true or false', enabled);
}

type Known = (name: Json | undefined) => boolean;

function* planProblems(plan: Json, path: string, known: Known): Generator<Problem> {
  if (!isJsonObject(plan)) return yield wrong(path, 'an object', plan);
  yield* chosenProblems(plan, path, known);
  const { backups = [], everywhere = [] } = plan;
  if (!Array.isArray(backups)) yield wrong(`${path}.backups`, 'a list', backups);
  else
    for (const [index, backup] of (backups as readonly Json[]).entries())
      yield* chosenProblems(backup, `${path}.backups[${index}]`, known);
  if (!Array.isArray(everywhere)) yield wrong(`${path}.everywhere`, 'a list', everywhere);
  else
    for (const [index, name] of (everywhere as readonly Json[]).entries())
      if (!known(name)) yield wrong(`${path}.everywhere[${index}]`, 'a cluster of the fleet', name);
}

function* chosenProblems(chosen: Json, path: string, known: Known): Generator<Problem> {
  if (!isJsonObject(chosen)) return yield wrong(path, 'an object', chosen);
  if (!known(chosen.cluster)) yield wrong(`${path}.cluster`, 'a cluster of the fleet', chosen.cluster);
  if (typeof chosen.reason !== 'string') yield wrong(`${path}.reason`, 'a text', chosen.reason);
}

function isName(value: Json): boolean {
  return typeof value === 'string' && value !== '';
}

function wrong(path: string, what: string, value: Json | undefined): Problem {
  return { path, message: `must be ${what}, not ${show(value)}`, fix: 'run synth again' };
}

function mapValues<T>(object: Json, map: (value: JsonObject) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(object as JsonObject).map(([key, value]) => [key, map(value as JsonObject)]),
  );
}
