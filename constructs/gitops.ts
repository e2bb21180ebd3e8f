import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Cluster } from './cluster.ts';

/** What every way to have a fleet applied from a repository says. */
export interface GitOpsProps {
  /** The clusters of the fleet; those that are disabled are left out. */
  readonly clusters: readonly Cluster[];
  /** Begins the names of what is made; a DNS label. @default the construct's id */
  readonly name?: string;
  /** Where the output of synth is in the source, as a path from its root. @default 'dist' */
  readonly path?: string;
}

/** A cluster whose directory is applied. */
export interface GitOpsTarget {
  readonly cluster: Cluster;
  /** Where its manifests are in the source. */
  readonly path: string;
}

export function gitOpsTargets({ clusters, path = 'dist' }: GitOpsProps): readonly GitOpsTarget[] {
  const root = path.replace(/^\.\/+/, '').replace(/\/+$/, '');
  const enabled = clusters.filter((cluster) => cluster.enabled !== false);
  return enabled.map((cluster) => ({
    cluster,
    path: root === '' || root === '.' ? cluster.name : `${root}/${cluster.name}`,
  }));
}

/** What is wrong with what all of them say. */
export function* gitOpsProblems(props: GitOpsProps, name: string): Generator<Problem> {
  const targets = gitOpsTargets(props);
  if (targets.length === 0)
    yield { path: 'clusters', message: 'has none that is enabled', fix: 'give those of the fleet' };
  for (const { cluster } of targets) {
    // The name goes into labels, which hold 63 characters.
    const wrong = dnsLabelProblem(`${name}-${cluster.name}`);
    if (wrong !== undefined) yield { path: 'name', message: `${show(`${name}-${cluster.name}`)} ${wrong}` };
  }
  const { path = 'dist' } = props;
  if (path.startsWith('/') || path.split('/').includes('..'))
    yield { path: 'path', message: `${show(path)} is no path from the root of the source`, fix: 'such as "dist"' };
}
