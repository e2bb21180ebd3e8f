import { describe, expect, it } from 'vitest';
import { madeBy } from './made-by.ts';

const nvidia = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const team = { key: 'team', operator: 'Exists' };
const spotTaint = { key: 'acme/spot', operator: 'Exists' };
const spot = { selector: { 'acme/pool': 'spot' }, toleration: spotTaint };

describe('spot', () => {
  it('asks for nodes by their labels and tolerates their taint, beside whatever else is asked for', () => {
    const { nodeSelector, tolerations } = madeBy(
      { spot, nodeSelector: { a: '1' }, gpu: {} },
      { tolerations: [team] },
    ).spec!;
    expect(nodeSelector).toEqual({ a: '1', 'acme/pool': 'spot' });
    expect(tolerations).toEqual([team, nvidia, spotTaint]);
  });

  it('asks for any node that a cloud marks as one, and for what was asked for before', () => {
    const zone = { key: 'zone', operator: 'In', values: ['a'] };
    const terms = [{ matchExpressions: [zone] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
    const { affinity, tolerations } = madeBy({ affinity: { nodeAffinity: required } }, { spot: true }).spec!;
    const made = affinity!.nodeAffinity!.requiredDuringSchedulingIgnoredDuringExecution!.nodeSelectorTerms;
    expect(made).toHaveLength(4);
    expect(
      made.every(({ matchExpressions }) => matchExpressions!.includes(zone) || matchExpressions!.length === 2),
    ).toBe(true);
    expect(made).toContainEqual({
      matchExpressions: [zone, { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }],
    });
    expect(tolerations!.map(({ key }) => key)).toEqual([
      'cloud.google.com/gke-spot',
      'kubernetes.azure.com/scalesetpriority',
    ]);
  });

  it.each([false, null])('is off again with %s', (off) => {
    expect(madeBy({ spot }, { spot: off })).toEqual(madeBy({}));
  });
});
