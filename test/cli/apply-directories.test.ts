import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTargets } from '../../lib/cli/cluster/apply/apply-directories.ts';
import { temporaryDirectory } from '../local/fixtures.ts';

const NAMES = ['eu', 'test'];

/** Writes what a synth of a fleet writes: an object of its own for each cluster. */
async function synthesize(output: string): Promise<void> {
  for (const name of NAMES) {
    await mkdir(join(output, name), { recursive: true });
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
    await writeFile(join(output, name, 'app.k8s.yaml'), JSON.stringify(object));
  }
  const clusters = Object.fromEntries(NAMES.map((name) => [name, { context: name, enabled: true }]));
  await writeFile(join(output, 'placement.json'), JSON.stringify({ fleet: 'acme', clusters, plans: {} }));
}

async function targets(cwd: string, argument?: string): Promise<string[]> {
  const loaded = await loadTargets(cwd, argument, {});
  return loaded.map(({ cluster, context, inventory, manifests }) =>
    [cluster, context, inventory, ...manifests.map(({ object }) => object.metadata.name)].join(' '),
  );
}

describe('what is applied to each cluster of a fleet', () => {
  const all = ['eu eu acme eu', 'test test acme test'];

  it.each([
    [undefined, all],
    ['dist', all],
    ['./dist/', all],
    ['test', all.slice(1)],
    ['./dist/test/', all.slice(1)],
    ['dist/../dist/test', all.slice(1)],
  ])('is what was written for it, when %j is named', async (argument, expected) => {
    using directory = temporaryDirectory();
    await synthesize(join(directory.path, 'dist'));
    expect(await targets(directory.path, argument)).toEqual(expected);
    const absolute = argument?.includes('dist') ? join(directory.path, argument) : argument;
    expect(await targets(directory.path, absolute)).toEqual(expected);
  });

  it('is what an output elsewhere says, not what that of the app here does', async () => {
    using directory = temporaryDirectory();
    await synthesize(join(directory.path, 'dist'));
    await synthesize(join(directory.path, 'other'));
    await writeFile(join(directory.path, 'other/test/app.k8s.yaml'), '');
    expect(await targets(directory.path, 'other')).toEqual(['eu eu acme eu', 'test test acme']);
    expect(await targets(directory.path, 'other/test')).toEqual(['test test acme']);
    expect(await targets(join(directory.path, 'other'), '.')).toEqual(['eu eu acme eu', 'test test acme']);
  });
});
