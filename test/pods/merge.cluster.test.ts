import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodTemplate } from '../../lib/pods/template.ts';
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

  it.each(deviations)('is not ours: $name', async ({ base, patch, server: theirs }) => {
    const patched = await server.patch(base, patch);
    if ('refused' in theirs) return expect(patched).toMatchObject({ refused: expect.stringMatching(theirs.refused) });
    const expected = await server.normalize({ spec: theirs.spec } as PodTemplate);
    expect(patched).toEqual({ merged: expected });
  });
});
