import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { KUSTOMIZATION_FILE } from '../../graph/kustomization.ts';
import { PLACEMENT_FILE } from '../../graph/placement.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { InvalidError, type Problem } from '../../values/problems.ts';

/** What one file of manifests holds. */
export interface ManifestFile {
  /** With slashes, from the directory that was read. */
  readonly file: string;
  readonly objects: JsonObject[];
}

/**
 * All objects in the `.yaml`, `.yml` and `.json` files of a directory and those below it, by file name. Empty
 * documents are left out, and a `List` is its items.
 *
 * @throws InvalidError with every file and line that cannot be read as objects
 */
export async function readManifests(directory: string): Promise<ManifestFile[]> {
  const files = await manifestFiles(directory);
  const problems: Problem[] = [];
  const read = await Promise.all(
    files.map(async (file) => {
      const parsed = await parseManifests(await readFile(join(directory, file), 'utf8'), file);
      problems.push(...parsed.problems);
      return { file, objects: parsed.objects };
    }),
  );
  if (problems.length > 0)
    throw new InvalidError(
      `Manifests in ${directory}`,
      problems.sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
  return read;
}

/** The names of the files that {@link readManifests} would read, sorted. A directory whose name begins with a dot is passed over. */
export async function manifestFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !file.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
    .filter((file) => !NOT_MANIFESTS.has(file.split('/').at(-1)!))
    .sort();
}

/** What stands beside manifests: placement, what makes them one for kustomize, and cdk8s' own construct metadata. */
const NOT_MANIFESTS = new Set([PLACEMENT_FILE, KUSTOMIZATION_FILE, 'kustomization.yml', 'construct-metadata.json']);

/** The objects in the text of one file, and what in it is none. */
export async function parseManifests(
  text: string,
  file: string,
): Promise<{ objects: JsonObject[]; problems: Problem[] }> {
  const { readYaml, YamlError } = await import('../../values/yaml.ts');
  const objects: JsonObject[] = [];
  const problems: Problem[] = [];
  for (const document of documentsOf(text)) {
    let values: readonly Json[];
    try {
      values = readYaml(document.text);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      problems.push({ path: `${file}:${document.line + error.line - 1}`, message: `is not YAML: ${error.reason}` });
      continue;
    }
    for (const value of values.filter((value) => value !== null)) {
      const isList = isJsonObject(value) && value.kind === 'List' && Array.isArray(value.items);
      for (const item of isList ? (value.items as unknown[]) : [value]) {
        if (isManifest(item)) objects.push(item);
        else
          problems.push({
            path: `${file}:${document.line + linesBeforeContent(document.text)}`,
            message: 'is no Kubernetes object',
            fix: 'it needs apiVersion, kind and metadata.name',
          });
      }
    }
  }
  return { objects, problems };
}

/**
 * The documents of a file, each with the number of its first line, so that one that cannot be read says nothing of the others. Nothing
 * else in YAML begins a line with `---` (YAML 1.2.2, 9.1.2).
 */
function documentsOf(text: string): { text: string; line: number }[] {
  let line = 1;
  return text.split(/^---(?=\s|$)/m).map((part) => {
    const document = { text: part, line };
    line += part.split('\n').length - 1;
    return document;
  });
}

function linesBeforeContent(text: string): number {
  return text.split('\n').findIndex((line) => !/^\s*(#.*)?$/.test(line));
}

function isManifest(value: unknown): value is JsonObject {
  if (!isJsonObject(value) || typeof value.apiVersion !== 'string' || typeof value.kind !== 'string') return false;
  const { metadata } = value;
  return isJsonObject(metadata) && (typeof metadata.name === 'string' || typeof metadata.generateName === 'string');
}
