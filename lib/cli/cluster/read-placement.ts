import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parsePlacement } from '../../fleet/placement.ts';
import { enabledClusters, PLACEMENT_FILE, type PlacedCluster, type Placement } from '../../graph/placement.ts';
import { suggest } from '../../values/problems.ts';
import { outputDirectory } from '../app/output-directory.ts';
import { UsageError } from '../errors.ts';

/** The placement that synth wrote to an output directory; nothing when there is no fleet. */
export async function readPlacement(cwd: string, output: string): Promise<Placement | undefined> {
  try {
    return parsePlacement(await readFile(resolve(cwd, output, PLACEMENT_FILE), 'utf8'), `${output}/${PLACEMENT_FILE}`);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The clusters of the fleet that are in use, for completion; none when there is no fleet. */
export async function clusterNames(cwd: string): Promise<readonly string[]> {
  const placement = await readPlacement(cwd, await outputDirectory(cwd));
  return placement === undefined ? [] : enabledClusters(placement);
}

/** The plans of the fleet, as placement.json names them, for completion; none when there is no fleet. */
export async function planKeys(cwd: string): Promise<readonly string[]> {
  return Object.keys((await readPlacement(cwd, await outputDirectory(cwd)))?.plans ?? {});
}

/** A fleet as it was synthesized. */
export interface SynthesizedFleet {
  /** The output directory, as a user would write it. */
  readonly output: string;
  readonly placement: Placement;
}

/**
 * The fleet of the app in a directory.
 *
 * @param option what asks for it, for the error
 * @throws UsageError when there is none
 */
export async function readFleet(cwd: string, option = '--cluster'): Promise<SynthesizedFleet> {
  const output = await outputDirectory(cwd);
  const placement = await readPlacement(cwd, output);
  if (placement !== undefined) return { output, placement };
  throw new UsageError(`${option}: there is no ${output}/${PLACEMENT_FILE}; run synth first`);
}

/**
 * A cluster of a fleet, by its name.
 *
 * @param argument where the name was written, for the error
 * @throws UsageError when there is none of this name, or it is disabled
 */
export function clusterNamed({ placement }: SynthesizedFleet, name: string, argument = '--cluster'): PlacedCluster {
  const cluster = Object.hasOwn(placement.clusters, name) ? placement.clusters[name] : undefined;
  if (cluster?.enabled) return cluster;
  const fix = suggest(name, enabledClusters(placement));
  const wrong = cluster === undefined ? `there is no cluster "${name}"` : `the cluster "${name}" is disabled`;
  throw new UsageError(`${argument}: ${wrong}${fix === undefined ? '' : `; ${fix}`}`);
}
