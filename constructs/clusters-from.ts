import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '../lib/values/json.ts';
import { labelValueProblem, qualifiedNameProblem } from '../lib/values/names.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import { readYaml, YamlError } from '../lib/values/yaml.ts';
import type { Cluster } from './cluster.ts';

/**
 * A cluster for every context of a kubeconfig, with its namespace. Names are made DNS labels: of `kind@Test_1` it is `kind-test-1`. No cluster is
 * asked. Add labels and all else by `map`, leave some out by `filter`.
 *
 * @param file @default the files of `$KUBECONFIG`, where the first that says something wins, else `~/.kube/config`
 * @throws InvalidError when a file is not there, or is no kubeconfig
 *
 * @example
 * new Fleet({ clusters: clustersFromKubeconfig('clusters.kubeconfig') }, (app) => { ... });
 */
export function clustersFromKubeconfig(file?: string): Cluster[] {
  const listed = process.env.KUBECONFIG?.split(delimiter).filter((path) => path !== '') ?? [];
  const files =
    file !== undefined ? [file] : listed.length > 0 ? listed.filter(existsSync) : [join(homedir(), '.kube', 'config')];
  const contexts = new Map<string, JsonObject>();
  for (const config of files.flatMap((path) => readObjects(path, 'kubeconfig')))
    for (const { name, context } of namedEntries(config.contexts)) if (!contexts.has(name)) contexts.set(name, context);
  return [...contexts].map(([name, { namespace }]) => ({
    name: dnsLabel(name),
    context: name,
    ...(typeof namespace === 'string' && namespace !== '' && { namespace }),
  }));
}

/**
 * A cluster for every ClusterProfile (`multicluster.x-k8s.io/v1alpha1`), as `kubectl get clusterprofiles -A -o yaml` gives them. Its labels are those of
 * the profile, and its properties, as far as a label can hold them; a label of the profile wins. The context is the
 * cluster's name. (KEP-4322)
 *
 * @param profiles the objects, or a file that holds them, YAML or JSON
 * @throws InvalidError with every object that is no ClusterProfile
 */
export function clustersFromClusterProfiles(profiles: string | readonly object[]): Cluster[] {
  const source = typeof profiles === 'string' ? profiles : 'profiles';
  const objects =
    typeof profiles === 'string' ? readObjects(profiles, 'ClusterProfile') : (profiles as readonly JsonObject[]);
  const problems: Problem[] = [];
  const clusters: Cluster[] = [];
  for (const [index, object] of objects.entries()) {
    const { metadata } = object;
    const name = isJsonObject(metadata) ? metadata.name : undefined;
    const isProfile =
      object.kind === 'ClusterProfile' && String(object.apiVersion).startsWith('multicluster.x-k8s.io/');
    if (isProfile && typeof name === 'string') clusters.push(fromProfile(name, metadata as JsonObject, object.status));
    else
      problems.push({
        path: `${source}[${index}]`,
        message: 'is no ClusterProfile of multicluster.x-k8s.io',
        fix: 'leave it out',
      });
  }
  if (problems.length > 0) throw new InvalidError('Clusters from ClusterProfiles', problems);
  return clusters;
}

function fromProfile(name: string, { labels }: JsonObject, status: Json | undefined): Cluster {
  const properties =
    isJsonObject(status) && Array.isArray(status.properties) ? (status.properties as readonly Json[]) : [];
  const found = properties.flatMap((property) =>
    isJsonObject(property) ? [[property.name, property.value] as const] : [],
  );
  const all = [...found, ...Object.entries(isJsonObject(labels) ? labels : {})].filter(isLabel);
  return { name: dnsLabel(name), context: name, ...(all.length > 0 && { labels: Object.fromEntries(all) }) };
}

function isLabel(entry: readonly [Json | undefined, Json | undefined]): entry is readonly [string, string] {
  const [key, value] = entry;
  if (typeof key !== 'string' || typeof value !== 'string') return false;
  return qualifiedNameProblem(key) === undefined && labelValueProblem(value) === undefined;
}

/** The name of a directory, made of what is called as clouds call their clusters. */
function dnsLabel(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return plain.slice(0, 63).replace(/^-+|-+$/g, '');
}

function namedEntries(list: Json | undefined): readonly { readonly name: string; readonly context: JsonObject }[] {
  const entries = Array.isArray(list) ? (list as readonly Json[]) : [];
  return entries.flatMap((entry) =>
    isJsonObject(entry) && typeof entry.name === 'string'
      ? [{ name: entry.name, context: isJsonObject(entry.context) ? entry.context : {} }]
      : [],
  );
}

/** The objects of a file, with those of a List one by one. */
function readObjects(path: string, what: string): readonly JsonObject[] {
  const wrong = (message: string, cause?: unknown) =>
    new InvalidError(`Clusters from ${path}`, [{ path: '', message, fix: `give a file that holds a ${what}` }], {
      cause,
    });
  if (!existsSync(path)) throw wrong('is not there');
  let values: readonly Json[];
  try {
    values = readYaml(readFileSync(path, 'utf8')).filter((value) => value !== null);
  } catch (error) {
    throw error instanceof YamlError ? wrong(error.message, error) : error;
  }
  const objects = values.filter(isJsonObject);
  if (objects.length === 0 || objects.length < values.length) throw wrong(`holds no ${what}`);
  return objects.flatMap((object) =>
    Array.isArray(object.items) && String(object.kind).endsWith('List')
      ? (object.items as unknown as JsonObject[])
      : [object],
  );
}
