import { mkdir, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const mountPoint = '/sys/fs/cgroup';

/** Makes a cgroup of this name in every hierarchy of this machine, version 1 or 2. */
export async function makeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    await mkdir(join(hierarchy, name), { recursive: true });
    if (hierarchy === mountPoint) await delegate(name);
  }
}

/** Removes the cgroup of this name and all below it. Its processes must have been ended. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    // The kernel lets a cgroup go a moment after its last process.
    await eventually(() => removeTree(join(hierarchy, name)), 5_000);
  }
}

async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path);
}

async function hierarchies(): Promise<string[]> {
  if (await isThere(join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  const entries = await readdir(mountPoint, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(mountPoint, entry.name));
}

/** In version 2 a cgroup has only the controllers that the one above passes on. */
async function delegate(name: string): Promise<void> {
  for (const path of [mountPoint, join(mountPoint, name)]) {
    await writeFile(join(path, 'cgroup.subtree_control'), '+cpu +cpuset +memory +pids +io').catch(() => {});
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
