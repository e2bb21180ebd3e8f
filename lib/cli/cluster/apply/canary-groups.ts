import { ALL_GROUPS, type Canary } from '../../../fleet/canary.ts';
import { labels } from '../../../graph/labels.ts';
import { InvalidError, suggest } from '../../../values/problems.ts';
import type { LoadedTarget } from './apply-directories.ts';

/**
 * A share of a group that is not there would hold nothing.
 *
 * @throws InvalidError with each such group
 */
export function checkCanaryGroups(targets: readonly LoadedTarget[], canary: Canary = {}): void {
  const all = targets.flatMap(({ manifests }) => manifests.map(({ object }) => object.metadata.labels?.[labels.group]));
  const known = new Set(all.filter((group) => group !== undefined));
  const unknown = Object.keys(canary).filter((group) => group !== ALL_GROUPS && !known.has(group));
  if (unknown.length === 0) return;
  const problems = unknown.map((group) => {
    const fix = suggest(group, known);
    return { path: `--canary ${group}`, message: 'is no group of the directory', ...(fix !== undefined && { fix }) };
  });
  throw new InvalidError('No such group', problems);
}
