import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeJobOverrides, composeOverrides } from '../../lib/pods/compose.ts';
import { mergePodTemplate } from '../../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { InvalidError } from '../../lib/values/problems.ts';
import { drawn } from './draw.ts';
import { allFields } from './field-types.ts';
import { makePatch } from './make-patch.ts';
import { makeObject } from './make-template.ts';
import { hasTwins, setsTwoOfUnion } from './tidy.ts';

const TYPE = 'PodTemplateSpec';

/** What it gives; nothing when it refuses. */
function unlessRefused<T>(produce: () => T): T | undefined {
  try {
    return produce();
  } catch (error) {
    if (error instanceof InvalidError) return undefined;
    throw error;
  }
}

const layered = fc.constantFrom(...allFields()).chain(({ way }) =>
  drawn((draw) => {
    const template = makeObject(draw, TYPE, way);
    const lower = makePatch(draw, template, TYPE, way) as PodTemplateOverride;
    const between = unlessRefused(() => mergePodTemplate(template as PodTemplate, lower)) ?? template;
    const higher = makePatch(draw, between as typeof template, TYPE, way) as PodTemplateOverride;
    return { template: template as PodTemplate, lower, higher };
  }),
);

describe('overrides put together', () => {
  it('do over any template what they do one after the other', () => {
    let compared = 0;
    fc.assert(
      fc.property(layered, ({ template, lower, higher }) => {
        fc.pre(![template, lower, higher].some((each) => hasTwins(each) || setsTwoOfUnion(each)));
        const together = unlessRefused(() => composeOverrides(lower, higher));
        const one = unlessRefused(() => mergePodTemplate(mergePodTemplate(template, lower), higher));
        fc.pre(together !== undefined && one !== undefined);
        compared++;
        expect(mergePodTemplate(template, together)).toEqual(one);
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  it.each<[string, PodTemplateOverride, PodTemplateOverride, PodTemplateOverride]>([
    [
      'fields of maps and of items by their keys',
      { spec: { nodeSelector: { pool: 'a' }, containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] } },
      { spec: { nodeSelector: { zone: 'b' }, containers: [{ name: 'main', env: [{ name: 'B', value: '2' }] }] } },
      {
        spec: {
          nodeSelector: { pool: 'a', zone: 'b' },
          containers: [
            {
              name: 'main',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '2' },
              ],
            },
          ],
        },
      },
    ],
    [
      'a removal, which stays one',
      { spec: { priorityClassName: 'low', nodeSelector: { pool: null } } },
      { spec: { priorityClassName: null } },
      { spec: { priorityClassName: null, nodeSelector: { pool: null } } },
    ],
    [
      'a list without a key, of which the higher one is left',
      { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } },
      { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } },
      { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } },
    ],
  ])('are %s', (_name, lower, higher, together) => {
    expect(composeOverrides(lower, higher)).toEqual(together);
  });

  it('of Jobs keep to their own fields', () => {
    const lower = { metadata: { labels: { queue: 'a' } }, spec: { suspend: true } };
    expect(composeJobOverrides(lower, { metadata: { labels: { team: 'b' } } })).toEqual({
      metadata: { labels: { queue: 'a', team: 'b' } },
      spec: { suspend: true },
    });
  });

  it('are refused with the place where no one override does what both do', () => {
    const lower: PodTemplateOverride = { spec: { $retainKeys: ['containers'] } };
    expect(() => composeOverrides(lower, { spec: { hostname: 'a' } })).toThrow(
      'spec.$retainKeys: cannot be put together with what another level says; say it at one level only',
    );
  });
});
