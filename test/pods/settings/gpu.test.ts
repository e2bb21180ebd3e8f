import { describe, expect, it } from 'vitest';
import type { PodSettings } from '../../../lib/pods/settings/pod-settings.ts';
import { madeBy } from './made-by.ts';

const nvidia = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const amd = { key: 'amd.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const team = { key: 'team', operator: 'Exists' };

describe('gpu', () => {
  const made = (...layers: readonly PodSettings[]) => {
    const { containers, nodeSelector, tolerations } = madeBy(...layers).spec!;
    return { limits: containers[0]!.resources?.limits, nodeSelector, tolerations };
  };
  const one = { limits: { 'nvidia.com/gpu': '1' }, nodeSelector: undefined, tolerations: [nvidia] };

  it.each<[string, readonly PodSettings[], ReturnType<typeof made>]>([
    ['one of whatever model', [{ gpu: {} }], one],
    [
      'some of one model',
      [{ gpu: { model: 'NVIDIA-A100-SXM4-80GB', count: 8 } }],
      {
        limits: { 'nvidia.com/gpu': '8' },
        nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-80GB' },
        tolerations: [nvidia],
      },
    ],
    [
      'another model, by the label that is inherited',
      [
        { gpu: { label: 'acme/gpu', model: 'v100', count: 2 }, nodeSelector: { pool: 'p' } },
        { gpu: { model: 'a100' } },
      ],
      {
        limits: { 'nvidia.com/gpu': '2' },
        nodeSelector: { pool: 'p', 'acme/gpu': 'a100' },
        tolerations: [nvidia],
      },
    ],
    [
      'another label, without the old one',
      [{ gpu: { label: 'acme/gpu', model: 'a100' } }, { gpu: { label: 'gpu' } }],
      { ...one, nodeSelector: { gpu: 'a100' } },
    ],
    [
      'another vendor, without a trace of the first',
      [{ gpu: { model: 'a100', count: 4 } }, { gpu: { vendor: 'amd', model: 'MI300X' } }],
      {
        limits: { 'amd.com/gpu': '4' },
        nodeSelector: { 'amd.com/gpu.product-name': 'MI300X' },
        tolerations: [amd],
      },
    ],
    [
      'part of a device, without a toleration',
      [{ gpu: { resource: 'nvidia.com/mig-1g.10gb', toleration: null } }],
      { limits: { 'nvidia.com/mig-1g.10gb': '1' }, nodeSelector: undefined, tolerations: undefined },
    ],
    ['any model again', [{ gpu: { model: 'a100' } }, { gpu: { model: null } }], { ...one, nodeSelector: {} }],
    [
      'none any more, beside what is not theirs',
      [
        { gpu: { model: 'a100' }, nodeSelector: { pool: 'p' }, tolerations: [team], resources: { limits: { cpu: 2 } } },
        { gpu: null },
      ],
      { limits: { cpu: '2' }, nodeSelector: { pool: 'p' }, tolerations: [team] },
    ],
    [
      'none where there were none',
      [{}, { gpu: null }],
      { limits: undefined, nodeSelector: undefined, tolerations: undefined },
    ],
    ['beside other tolerations', [{ tolerations: [team], gpu: {} }], { ...one, tolerations: [team, nvidia] }],
    [
      'with its toleration, where the others are replaced',
      [{ gpu: {} }, { tolerations: [team] }],
      { ...one, tolerations: [team, nvidia] },
    ],
    ['with its toleration, where the others are removed', [{ gpu: {} }, { tolerations: null }], one],
    ['where all resources are removed', [{ gpu: {} }, { resources: null }], one],
    [
      'where all labels of nodes are removed',
      [{ gpu: { model: 'a' }, nodeSelector: { pool: 'p' } }, { nodeSelector: null }],
      { ...one, nodeSelector: { 'nvidia.com/gpu.product': 'a' } },
    ],
    [
      'as many as an override of the limit says, also after another override',
      [{ gpu: {} }, { resources: { limits: { 'nvidia.com/gpu': 4 } } }, { gpu: { model: 'a' }, tolerations: [team] }],
      {
        limits: { 'nvidia.com/gpu': '4' },
        nodeSelector: { 'nvidia.com/gpu.product': 'a' },
        tolerations: [team, nvidia],
      },
    ],
  ])('%s', (_name, layers, expected) => expect(made(...layers)).toEqual(expected));
});
