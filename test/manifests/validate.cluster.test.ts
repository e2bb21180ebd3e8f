import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import generated from '../../lib/manifests/kinds.gen.json' with { type: 'json' };
import { validateManifest } from '../../lib/manifests/validate.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { Api, ApiError } from '../cluster/api.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { arbitraryStruct } from './arbitrary.ts';

let cluster: ControlPlane;
let api: Api;
beforeAll(async () => {
  cluster = await startControlPlane({ controllerManager: false, scheduler: false });
  api = await Api.connect(cluster.kubeconfigPath);
});
afterAll(async () => {
  await api?.close();
  await cluster?.stop();
});

interface Discovery {
  readonly resources: readonly { name: string; kind: string; namespaced: boolean }[];
}

/** Why the API server cannot read a manifest, or nothing. Whether it agrees with what it read is another question (422). */
async function unreadable(path: string, manifest: JsonObject): Promise<string | undefined> {
  try {
    await api.create(`${path}?dryRun=All&fieldValidation=Strict`, manifest);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status === 400 ? error.message : undefined;
  }
}

const kinds = Object.entries(generated.kinds as Record<string, Record<string, string>>).flatMap(
  ([apiVersion, ofVersion]) => Object.entries(ofVersion).map(([kind, type]) => [apiVersion, kind, type] as const),
);

// `RUNS` of the environment: how many manifests of each kind are sent.
describe('what we find wrong, the API server cannot read, and the other way round', () => {
  const seen = { read: 0, unreadable: 0 };
  afterAll(() => expect(Math.min(seen.read, seen.unreadable)).toBeGreaterThan(300));

  it.each(kinds)('%s %s', async (apiVersion, kind, type) => {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await api.get<Discovery>(root);
    const { name, namespaced } = resources.find((entry) => entry.kind === kind && !entry.name.includes('/'))!;
    const path = `${root}${namespaced ? '/namespaces/default' : ''}/${name}`;
    const manifests = arbitraryStruct(type, { values: 12, fields: 12 }, 0, ['apiVersion', 'kind', 'metadata']).map(
      (rest): JsonObject => ({ ...rest, apiVersion, kind, metadata: { name: 'x' } }),
    );
    await fc.assert(
      fc.asyncProperty(manifests, async (manifest) => {
        // What is missing is for validation to find, after reading.
        const ours = validateManifest(manifest).filter(({ message }) => message !== 'is missing');
        const theirs = await unreadable(path, manifest);
        seen[theirs === undefined ? 'read' : 'unreadable']++;
        expect({ manifest, wrong: ours.length > 0, ours, theirs }).toMatchObject({ wrong: theirs !== undefined });
      }),
      { numRuns: Number(process.env['RUNS'] ?? 40) },
    );
  });
});
