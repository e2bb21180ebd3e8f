import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergePodTemplate } from '../../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { InvalidError } from '../../lib/values/problems.ts';
import { ApiServer } from './api-server.ts';
import { compareMerges } from './compare-merge.ts';
import { deviations } from './deviations.ts';

// Most fields, each once; `npm run check:merge -- --pairs 2000` goes through all of them several times.
const PAIRS = 300;

describe.skipIf(process.env['TEST_KUBECONFIG'])('the merge of a real API server', () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await ApiServer.start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  it('is ours, for generated templates and patches', async () => {
    const { differences, pairs, reached, refused, directives } = await compareMerges(server, PAIRS, 20260101);
    expect(differences).toEqual([]);
    expect(pairs).toBe(PAIRS);
    expect(reached.size).toBeGreaterThan(300);
    expect(refused).toBeLessThan(PAIRS / 20);
    expect(directives.size).toBe(6);
  });

  it.each<[string, object, object]>([
    ['an item without its key', { volumes: [{ name: 'v' }] }, { volumes: [{ emptyDir: {} }] }],
    ['an unknown $patch', { nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'remove' } }],
    ['an unknown $patch in an item', { volumes: [{ name: 'v' }] }, { volumes: [{ name: 'v', $patch: 'remove' }] }],
    ['$retainKeys that is no list', { nodeSelector: { a: '1' } }, { nodeSelector: { $retainKeys: 'a' } }],
    [
      'a field that $retainKeys leaves out',
      { nodeSelector: { a: '1' } },
      { nodeSelector: { $retainKeys: ['a'], b: '2' } },
    ],
    ['an order that is no list', { volumes: [{ name: 'v' }] }, { '$setElementOrder/volumes': 'v' }],
    [
      'an order that is not the patch’s',
      { volumes: [{ name: 'a' }] },
      { '$setElementOrder/volumes': [{ name: 'b' }, { name: 'c' }], volumes: [{ name: 'c' }, { name: 'b' }] },
    ],
    [
      'values of two types',
      { securityContext: { supplementalGroups: [1] } },
      { securityContext: { '$deleteFromPrimitiveList/supplementalGroups': ['b'] } },
    ],
  ])('refuses %s, as we do', async (_name, base, patch) => {
    const template = { spec: base } as PodTemplate;
    const override = { spec: patch } as PodTemplateOverride;
    expect(await server.patch(template, override)).toHaveProperty('refused');
    expect(() => mergePodTemplate(template, override)).toThrow(InvalidError);
  });

  it.each(deviations)('is not ours: $name', async ({ base, patch, server: theirs }) => {
    const patched = await server.patch(base, patch);
    if ('refused' in theirs) return expect(patched).toMatchObject({ refused: expect.stringMatching(theirs.refused) });
    const expected = await server.normalize({ spec: theirs.spec } as PodTemplate);
    expect(patched).toEqual({ merged: expected });
  });
});
