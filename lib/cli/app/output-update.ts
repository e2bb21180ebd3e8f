import { mkdir, readdir, readFile, rename, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { isJsonObject } from '../../values/json.ts';
import { isOurKustomization, KUSTOMIZATION_FILE } from '../../graph/kustomization.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../../graph/labels.ts';
import { FailedError } from '../errors.ts';
import { parseManifests } from './manifests.ts';

/** What became of the files of an output directory, named from it, sorted. */
export interface OutputUpdate {
  readonly written: readonly string[];
  /** Their content was the same; their modification time stays. */
  readonly unchanged: readonly string[];
  /** Files of an earlier synth that this one did not write. */
  readonly removed: readonly string[];
  /** Files that no synth wrote. */
  readonly kept: readonly string[];
}

/**
 * Moves the files of `from` into `target`, each with a rename, so that a reader sees the old file or the new one, and removes
 * those that the synth before wrote and this one did not.
 *
 * Which those are is kept in `listFile`, outside of `target`, so that `cdk8s synth` and this leave the same files there.
 * Without a list (a fresh clone of a repository that holds its manifests, or `cdk8s synth` in between) it
 * is told by what a file holds, see {@link isOurs}.
 *
 * @throws FailedError when somebody else's kustomization would be overwritten, and then changes nothing
 */
export async function updateOutput(target: string, from: string, listFile: string): Promise<OutputUpdate> {
  const files = await filesIn(from);
  const list = await readList(listFile);
  await mkdir(target, { recursive: true });
  await refuseForeign(target, files);
  // Whatever moment this is interrupted at, the list names all that the next synth may have to remove.
  await writeList(listFile, [...new Set([...(list ?? []), ...files])].sort());
  const written: string[] = [];
  const unchanged: string[] = [];
  for (const file of files) {
    if (await sameContent(join(target, file), join(from, file))) {
      unchanged.push(file);
      continue;
    }
    await mkdir(dirname(join(target, file)), { recursive: true });
    await rename(join(from, file), join(target, file));
    written.push(file);
  }
  const removed: string[] = [];
  const kept: string[] = [];
  const current = new Set(files);
  for (const file of await filesIn(target)) {
    if (current.has(file)) continue;
    const stale = list === undefined ? await isOurs(join(target, file)) : list.includes(file);
    (stale ? removed : kept).push(file);
    if (stale) await removeFile(target, file);
  }
  await writeList(listFile, files);
  return { written, unchanged, removed, kept };
}

/** Where the list of an output directory is kept: with the app, by the way from it to there. */
export function outputListFile(app: string, target: string): string {
  return join(app, ...LISTS, `${encodeURIComponent(relative(app, target))}.json`);
}

const LISTS = ['.workflows', 'outputs'];

/** Removes the lists of output directories that are gone, as those of `-o` often are. */
export async function forgetGoneOutputs(app: string): Promise<void> {
  const lists = join(app, ...LISTS);
  for (const file of await readdir(lists).catch(() => [])) {
    if (!file.endsWith('.json')) continue;
    const target = join(app, decodeURIComponent(file.slice(0, -'.json'.length)));
    const gone = await stat(target).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (gone) await unlink(join(lists, file)).catch(() => {});
  }
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

async function sameContent(a: string, b: string): Promise<boolean> {
  const [old, fresh] = await Promise.all([readFile(a).catch(() => undefined), readFile(b)]);
  return old !== undefined && old.equals(fresh);
}

/** Such as synth writes: nobody who had one there before synth did should lose it. */
async function refuseForeign(target: string, files: readonly string[]): Promise<void> {
  for (const file of files.filter((each) => basename(each) === KUSTOMIZATION_FILE)) {
    const path = join(target, file);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined && !isOurKustomization(text))
      throw new FailedError(
        `${path} was not written by synth, which writes one there; move it to a directory of its own, and let it name that one in resources`,
      );
  }
}

/**
 * `.k8s.yaml` is the extension that cdk8s gives to what it generates; of those, files with an object of ours are ours. A
 * kustomization says whose it is.
 */
async function isOurs(path: string): Promise<boolean> {
  if (basename(path) === KUSTOMIZATION_FILE) return isOurKustomization(await readFile(path, 'utf8'));
  if (!path.endsWith('.k8s.yaml')) return false;
  const { objects } = await parseManifests(await readFile(path, 'utf8'), path);
  return objects.some(({ metadata }) => {
    const labels = isJsonObject(metadata) ? metadata.labels : undefined;
    return isJsonObject(labels) && labels[MANAGED_BY_LABEL] === MANAGED_BY;
  });
}

/** Removes a file, and the directories that it leaves empty. */
async function removeFile(target: string, file: string): Promise<void> {
  await unlink(join(target, file));
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
    const empty = await rmdir(join(target, folder)).then(
      () => true,
      () => false,
    );
    if (!empty) return;
  }
}

async function readList(listFile: string): Promise<readonly string[] | undefined> {
  const text = await readFile(listFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { files } = JSON.parse(text) as { files: unknown };
    if (!Array.isArray(files)) return undefined;
    return files.filter((file) => typeof file === 'string' && !isAbsolute(file) && !normalize(file).startsWith('..'));
  } catch {
    return undefined;
  }
}

async function writeList(listFile: string, files: readonly string[]): Promise<void> {
  await mkdir(dirname(listFile), { recursive: true });
  const temporary = `${listFile}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify({ files }, undefined, 2)}\n`);
  await rename(temporary, listFile);
}
