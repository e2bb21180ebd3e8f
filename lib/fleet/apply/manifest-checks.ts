import { isJsonObject } from '../../values/json.ts';
import { show } from '../../values/problems.ts';
import type { ApplyFailure, Manifest } from './apply-result.ts';

/** Why a manifest cannot be applied to any cluster, or nothing. */
export function manifestFailure({ object }: Manifest): ApplyFailure | undefined {
  const wrong: string[] = [];
  const { apiVersion, kind, metadata } = object as Partial<typeof object>;
  for (const [field, value] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
    ['metadata.name', isJsonObject(metadata) ? metadata.name : undefined],
  ] as const) {
    if (typeof value !== 'string' || value === '') wrong.push(`${field} must be a name, not ${show(value)}`);
  }
  return wrong.length > 0 ? { message: wrong.join('; '), fix: 'correct the manifest' } : undefined;
}

/** The manifests, with a failure on each that another one before it repeats: the second would undo the first, in any order. */
export function repeatedManifests<T extends Manifest & { readonly failure?: ApplyFailure }>(
  manifests: readonly T[],
): T[] {
  const first = new Map<string, T>();
  return manifests.map((manifest) => {
    if (manifest.failure) return manifest;
    const { apiVersion, kind, metadata } = manifest.object;
    const key = `${apiVersion.split('/')[0]} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, manifest);
      return manifest;
    }
    const where = earlier.source === undefined ? '' : ` (the other is in ${earlier.source})`;
    return { ...manifest, failure: { message: `is there twice${where}`, fix: 'remove one of the two' } };
  });
}
