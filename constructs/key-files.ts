import { readFileSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject } from '../lib/values/json.ts';
import { InvalidError, show, suggest } from '../lib/values/problems.ts';
import { readYaml, YamlError } from '../lib/values/yaml.ts';

/** Where in a file the keys of a group are. */
export interface KeyFileOptions {
  /** In a file with ConfigMaps: the name of the one that has the keys. @default its only one */
  readonly configMap?: string;
  /** Of a ConfigMap: the one value that is a list or map, as YAML or JSON. @default the map is its whole `data`, each value as YAML or JSON */
  readonly key?: string;
}

/**
 * The keys in a YAML or JSON file, read at synth: the items of its list, or the keys of its map. A ConfigMap's manifest
 * counts as the map that its `data` is.
 *
 * @param path from the working directory, which is the app's
 * @throws InvalidError when the file cannot be read, or has neither
 *
 * @example
 * new LaunchPlanGroup(this, 'sites', { workflow: etl, over: { site: keysFromFile('sites.yaml') } });
 */
export function keysFromFile(path: string, options: KeyFileOptions = {}): readonly string[] {
  const document = readKeys(path, options);
  if (isJsonObject(document)) return Object.keys(document);
  for (const [index, item] of document.entries())
    if (typeof item !== 'string')
      throw unusable(
        path,
        `[${index}]`,
        `must be text, not ${show(item)}`,
        typeof item === 'object' ? 'give a map of key to inputs, and use inputsFromFile' : 'put it in quotes',
      );
  return document as readonly string[];
}

/**
 * The inputs of each plan by its key, of a map in a YAML or JSON file that is read at synth. They are checked as if they were
 * written in the code, only not by the compiler.
 *
 * @param path from the working directory, which is the app's
 * @throws InvalidError when the file cannot be read, or has no map of maps
 *
 * @example
 * new LaunchPlanGroup(this, 'sites', { workflow: etl, keys: inputsFromFile('sites.yaml') });
 */
export function inputsFromFile(path: string, options: KeyFileOptions = {}): Readonly<Record<string, never>> {
  const document = readKeys(path, options);
  if (!isJsonObject(document))
    throw unusable(path, '', 'is a list', 'give a map of key to inputs, or use keysFromFile');
  return document as Readonly<Record<string, never>>;
}

function readKeys(path: string, { configMap, key }: KeyFileOptions): JsonObject | readonly Json[] {
  const documents = parseFile(path);
  if (documents.length === 0) throw unusable(path, '', 'is empty', 'give a list or a map');
  const maps = documents.filter(isConfigMap);
  if (configMap === undefined && maps.length === 0 && documents.length === 1) {
    const kind = manifestKind(documents[0]);
    if (kind !== undefined) throw unusable(path, '', `is a ${kind}`, 'give a ConfigMap, or a list or a map alone');
    if (key !== undefined) throw unusable(path, `data.${key}`, 'is missing: the file is no ConfigMap', 'leave out key');
    return listOrMap(documents[0], path, '');
  }
  const wanted = configMap === undefined ? maps : maps.filter(({ metadata }) => nameIn(metadata) === configMap);
  if (wanted.length !== 1) {
    const names = maps.map(({ metadata }) => nameIn(metadata));
    throw unusable(
      path,
      '',
      configMap === undefined ? `has ${documents.length} documents` : `has no ConfigMap ${show(configMap)}`,
      names.length === 0 ? 'give one list or map' : (suggest(configMap ?? '', names) ?? 'name a ConfigMap that it has'),
    );
  }
  const data = isJsonObject(wanted[0]!.data) ? wanted[0]!.data : {};
  if (key === undefined)
    return Object.fromEntries(
      Object.entries(data).map(([name, text]) => [name, parseText(text, path, `data.${name}`)]),
    );
  if (data[key] === undefined)
    throw unusable(path, `data.${key}`, 'is missing', suggest(key, Object.keys(data)) ?? 'name a key that it has');
  return listOrMap(parseText(data[key], path, `data.${key}`), path, `data.${key}`);
}

function parseFile(path: string): readonly Json[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidError('Keys of a group', [{ path, message: `cannot be read: ${(error as Error).message}` }], {
      cause: error,
    });
  }
  return parseDocuments(text, path, '');
}

function parseText(text: Json | undefined, path: string, at: string): Json {
  if (typeof text !== 'string') throw unusable(path, at, `must be text, not ${show(text)}`);
  return parseDocuments(text, path, at)[0] ?? null;
}

function parseDocuments(text: string, path: string, at: string): readonly Json[] {
  try {
    return readYaml(text);
  } catch (error) {
    throw error instanceof YamlError ? unusable(path, at, error.message) : error;
  }
}

function listOrMap(document: Json | undefined, path: string, at: string): JsonObject | readonly Json[] {
  if (Array.isArray(document) || isJsonObject(document)) return document as JsonObject | readonly Json[];
  throw unusable(path, at, `must be a list or a map, not ${show(document)}`);
}

function isConfigMap(document: Json): document is JsonObject {
  return isJsonObject(document) && document.kind === 'ConfigMap' && document.apiVersion === 'v1';
}

/** Of another object of Kubernetes: its fields are no keys that anybody meant. */
function manifestKind(document: Json | undefined): string | undefined {
  if (!isJsonObject(document)) return undefined;
  const { apiVersion, kind } = document;
  return typeof apiVersion === 'string' && typeof kind === 'string' ? kind : undefined;
}

function nameIn(metadata: Json | undefined): string {
  return isJsonObject(metadata) ? String(metadata.name) : '';
}

function unusable(path: string, at: string, message: string, fix?: string): InvalidError {
  return new InvalidError('Keys of a group', [
    { path: at === '' ? path : `${path}: ${at}`, message, ...(fix && { fix }) },
  ]);
}
