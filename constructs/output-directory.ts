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
import { basename, join } from 'node:path';
import { isOurKustomization, kustomization, KUSTOMIZATION_FILE } from '../lib/graph/kustomization.ts';
import { enabledClusters, PLACEMENT_FILE, type Placement } from '../lib/graph/placement.ts';
import { InvalidError } from '../lib/values/problems.ts';

/** The ending of every manifest that synth writes: in a cluster's directory, files with it are ours. */
const MANIFEST_ENDING = '.k8s.yaml';

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
   *
   * @throws InvalidError when a file of somebody else is in the way, and then puts nothing into place
   */
  publish(placement: Placement): void {
    const clusters = enabledClusters(placement);
    const gone = readClusters(this.#outdir).filter((cluster) => !clusters.includes(cluster));
    for (const cluster of clusters) this.#kustomize(cluster, placement.clusters[cluster]?.namespace);
    refuseForeign(clusters.map((cluster) => join(this.#outdir, cluster, KUSTOMIZATION_FILE)));
    for (const cluster of clusters) replaceManifests(this.directory(cluster), join(this.#outdir, cluster));
    const file = join(this.#staging, PLACEMENT_FILE);
    writeFileSync(file, `${JSON.stringify(placement, undefined, 2)}\n`);
    renameSync(file, join(this.#outdir, PLACEMENT_FILE));
    for (const cluster of gone) removeManifests(join(this.#outdir, cluster), new Set());
  }

  /** Writes what lets other tools apply a cluster's directory. One without objects needs nothing of the kind. */
  #kustomize(cluster: string, namespace = 'default'): void {
    const directory = this.directory(cluster);
    const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith(MANIFEST_ENDING)) : [];
    const filled = files.filter((file) => readFileSync(join(directory, file), 'utf8').trim() !== '').sort();
    if (filled.length > 0) writeFileSync(join(directory, KUSTOMIZATION_FILE), kustomization(filled, namespace));
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
    if (!keep.has(file) && isOurs(join(directory, file))) rmSync(join(directory, file));
  if (keep.size === 0 && readdirSync(directory).length === 0) rmSync(directory, { recursive: true });
}

function isOurs(file: string): boolean {
  if (basename(file) === KUSTOMIZATION_FILE) return isOurKustomization(readFileSync(file, 'utf8'));
  return file.endsWith(MANIFEST_ENDING);
}

function refuseForeign(kustomizations: readonly string[]): void {
  const foreign = kustomizations.filter((file) => existsSync(file) && !isOurs(file));
  if (foreign.length === 0) return;
  const fix = 'move it to a directory of its own, and let it name this one in resources';
  throw new InvalidError(
    'Synth wrote nothing',
    foreign.map((path) => ({ path, message: 'was not written by synth, which writes one here', fix })),
  );
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
