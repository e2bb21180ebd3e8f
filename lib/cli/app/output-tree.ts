import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PLACEMENT_FILE } from '../../graph/placement.ts';
import { show, suggest } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';
import { readManifests, type ManifestFile } from './manifests.ts';

/** What a synth wrote, by cluster. */
export interface OutputTree {
  /** In the order of their names; of an app without a fleet, one that has no name. */
  readonly clusters: readonly ClusterOutput[];
}

export interface ClusterOutput {
  /** Left out when the app has no fleet. */
  readonly name?: string;
  readonly files: readonly ManifestFile[];
}

/** Reads an output directory; of a fleet, which writes a placement there, the directories within are its clusters'. */
export async function readOutput(directory: string): Promise<OutputTree> {
  const files = await readManifests(directory);
  const fleet = (await stat(join(directory, PLACEMENT_FILE)).catch(() => undefined)) !== undefined;
  if (!fleet) return { clusters: [{ files }] };
  const clusters = Map.groupBy(files, ({ file }) =>
    file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined,
  );
  return {
    clusters: [...clusters]
      .map(([name, own]) => (name === undefined ? { files: own } : { name, files: own }))
      .sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
  };
}

/**
 * What was written for one cluster, or for each when none is asked for.
 *
 * @throws UsageError when there is no such cluster
 */
export function outputOf({ clusters }: OutputTree, wanted: string | undefined): OutputTree['clusters'] {
  if (wanted === undefined) return clusters;
  const found = clusters.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  const names = clusters.flatMap(({ name }) => name ?? []);
  if (names.length === 0) throw new UsageError(`there is no cluster ${show(wanted)}: the app has no fleet`);
  throw new UsageError(`there is no cluster ${show(wanted)}; ${suggest(wanted, names) ?? `there are ${names.length}`}`);
}
