import { describe, expect, it } from 'vitest';
import { mergePodTemplate } from '../../lib/pods/merge.ts';
import type { PodSettings } from '../../lib/pods/settings/pod-settings.ts';
import { spotPart } from '../../lib/pods/spot-part.ts';
import type { PodTemplateOverride } from '../../lib/pods/template.ts';
import { madeBy } from './settings/made-by.ts';

describe('what is merged over a template for an attempt on spot nodes', () => {
  const team = { key: 'team', operator: 'Exists' };
  const zone = { key: 'zone', operator: 'In', values: ['a'] };
  const required = { nodeSelectorTerms: [{ matchExpressions: [zone] }] };
  const affinity = {
    podAntiAffinity: {},
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required },
  };
  const spot = { selector: { pool: 'spot' }, toleration: { key: 'spot', operator: 'Exists' } };

  it.each<[string, PodSettings, PodSettings['spot'], object]>([
    [
      'a selector and a toleration',
      { nodeSelector: { gpu: 'a100' }, tolerations: [team] },
      spot,
      { nodeSelector: { pool: 'spot' }, tolerations: [team, spot.toleration] },
    ],
    [
      'a selector alone',
      { nodeSelector: { pool: 'any' }, affinity },
      { selector: { pool: 'spot' } },
      { nodeSelector: { pool: 'spot' } },
    ],
    ['nothing that is there already', { nodeSelector: { pool: 'spot' }, tolerations: [spot.toleration] }, spot, {}],
    [
      'what the clouds call such nodes, beside what else is required',
      { affinity },
      true,
      {
        tolerations: [expect.objectContaining({ value: 'true' }), expect.objectContaining({ value: 'spot' })],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: Array.from({ length: 4 }, () => ({
                matchExpressions: [zone, expect.objectContaining({ operator: 'In' })],
              })),
            },
          },
        },
      },
    ],
  ])('%s', (_name, settings, on, expected) => {
    const onDemand = madeBy(settings);
    const onSpot = madeBy(settings, { spot: on });
    const part = spotPart({ template: onDemand }, { template: onSpot });
    expect(part).toEqual({ spec: expected });
    expect(mergePodTemplate(onDemand, JSON.parse(JSON.stringify(part)) as PodTemplateOverride)).toEqual(onSpot);
  });
});
