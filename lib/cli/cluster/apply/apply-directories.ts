import { statSync } from 'node:fs';
import { dirname, normalize, resolve } from 'node:path';
import { applyTargets, type ApplyTarget, type TargetChoice } from '../../../fleet/apply/apply-target.ts';
import type { Manifest } from '../../../fleet/apply/apply-result.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { FailedError } from '../../errors.ts';
import { readManifests } from '../../app/manifests.ts';
import { outputDirectory } from '../../app/output-directory.ts';
import { readPlacement } from '../read-placement.ts';

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
  const synthesized = await synthesizedAt(cwd, argument);
  const targets = applyTargets({
    ...synthesized,
    context,
    namespace,
    inventory: applyset,
    isDirectory: (path) => statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() === true,
  });
  return Promise.all(targets.map(async (target) => ({ ...target, manifests: await load(cwd, target) })));
}

/**
 * The output that an argument is about: a fleet's, where the argument is its directory or one within it, else that of the app here. A fleet's
 * whole output is for its clusters, by whatever path it is named; never all of it for one.
 */
async function synthesizedAt(
  cwd: string,
  argument: string | undefined,
): Promise<Pick<TargetChoice, 'argument' | 'output' | 'placement'>> {
  const named = argument === undefined ? undefined : normalize(argument).replace(/(?<=.)\/+$/, '');
  if (named !== undefined) {
    const whole = await readPlacement(cwd, named);
    if (whole !== undefined) return { output: named, placement: whole };
    const output = dirname(named);
    const placement = await readPlacement(cwd, output);
    if (placement !== undefined) return { argument: named, output, placement };
  }
  const output = await outputDirectory(cwd);
  return { argument: named, output, placement: await readPlacement(cwd, output) };
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
