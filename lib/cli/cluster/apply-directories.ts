import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { applyTargets, type ApplyTarget } from '../../fleet/apply-target.ts';
import type { Manifest } from '../../fleet/apply-result.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { FailedError } from '../errors.ts';
import { readManifests } from '../app/manifests.ts';
import { outputDirectory } from '../app/output-directory.ts';
import { readPlacement } from './read-placement.ts';

/** A target with what is to be applied to it. */
export interface LoadedTarget extends ApplyTarget {
  readonly manifests: readonly Manifest[];
}

/** What a user says about where to apply. */
export interface TargetOptions {
  readonly context?: string;
  readonly namespace?: string;
  /** The name of the inventory. */
  readonly applyset?: string;
}

/** Finds the directories that an argument of `apply` means, and reads them. */
export async function loadTargets(
  cwd: string,
  argument: string | undefined,
  { context, namespace, applyset }: TargetOptions,
): Promise<LoadedTarget[]> {
  const output = await outputDirectory(cwd);
  const targets = applyTargets({
    argument,
    context,
    namespace,
    inventory: applyset,
    output,
    placement: await readPlacement(cwd, output),
    isDirectory: (path) => statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() === true,
  });
  return Promise.all(targets.map(async (target) => ({ ...target, manifests: await load(cwd, target) })));
}

async function load(cwd: string, { directory, cluster }: ApplyTarget): Promise<Manifest[]> {
  const files = await readManifests(resolve(cwd, directory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FailedError(`There is no directory ${directory}; run synth first`);
  });
  const manifests = files.flatMap(({ file, objects }) =>
    objects.map((object) => ({ object: object as unknown as KubeObject, source: `${directory}/${file}` })),
  );
  // A cluster of a fleet that no plan was placed on has nothing; anything else that is empty is a mistake.
  if (manifests.length === 0 && cluster === undefined)
    throw new FailedError(`${directory} holds no manifests; run synth first`);
  return manifests;
}
