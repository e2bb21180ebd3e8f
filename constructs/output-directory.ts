import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { enabledClusters, PLACEMENT_FILE, type Placement } from '../lib/graph/placement.ts';

/** The ending of every manifest that synth writes: in a cluster's directory, files with it are ours. */
export const MANIFEST_ENDING = '.k8s.yaml';

/**
 * A fleet's output in the making. It is written to a directory beside the final ones and renamed into place file by
 * file, so that nobody reads half a manifest and an interrupted synth leaves the last output as it was.
 */
export class StagedOutput {
  readonly #outdir: string;
  readonly #staging: string;

  constructor(outdir: string) {
    mkdirSync(outdir, { recursive: true });
    this.#outdir = outdir;
    this.#staging = mkdtempSync(join(outdir, '.synth-'));
  }

  /** Where a cluster's manifests are written until {@link publish}. */
  directory(cluster: string): string {
    return join(this.#staging, cluster);
  }

  /**
   * Puts everything into place. Manifests of ours that were not written this time are removed, also those of clusters
   * that left the fleet or were disabled; files of others stay.
   */
  publish(placement: Placement): void {
    const clusters = enabledClusters(placement);
    const gone = readClusters(this.#outdir).filter((cluster) => !clusters.includes(cluster));
    for (const cluster of clusters) replaceManifests(this.directory(cluster), join(this.#outdir, cluster));
    const file = join(this.#staging, PLACEMENT_FILE);
    writeFileSync(file, `${JSON.stringify(placement, undefined, 2)}\n`);
    renameSync(file, join(this.#outdir, PLACEMENT_FILE));
    for (const cluster of gone) removeManifests(join(this.#outdir, cluster), new Set());
  }

  /** Removes what was not published. */
  discard(): void {
    rmSync(this.#staging, { recursive: true, force: true });
  }
}

function replaceManifests(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const written = existsSync(from) ? readdirSync(from) : [];
  for (const file of written) renameSync(join(from, file), join(to, file));
  removeManifests(to, new Set(written));
}

function removeManifests(directory: string, keep: ReadonlySet<string>): void {
  if (!existsSync(directory)) return;
  for (const file of readdirSync(directory))
    if (file.endsWith(MANIFEST_ENDING) && !keep.has(file)) rmSync(join(directory, file));
  if (keep.size === 0 && readdirSync(directory).length === 0) rmSync(directory, { recursive: true });
}

function readClusters(outdir: string): readonly string[] {
  try {
    const placement = JSON.parse(readFileSync(join(outdir, PLACEMENT_FILE), 'utf8')) as Placement;
    return Object.keys(placement.clusters);
  } catch {
    // None was written yet, or somebody edited it: then nothing beyond the present clusters is known to be ours.
    return [];
  }
}
