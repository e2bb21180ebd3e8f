import { describe, expect, it } from 'vitest';
import { mergeLayers, mergePodTemplate } from '../../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';

describe('merging pod templates', () => {
  const base: PodTemplate = {
    spec: {
      nodeSelector: { gpu: 'v100', pool: 'a' },
      hostNetwork: true,
      tolerations: [{ key: 'x' }],
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [
        { name: 'proxy', image: 'p' },
        {
          name: 'main',
          image: 'm',
          args: ['1', '2'],
          env: [{ name: 'A', value: '1' }],
          volumeMounts: [{ name: 'data', mountPath: '/d', readOnly: true }],
        },
      ],
    },
  };
  it.each<[string, PodTemplateOverride, unknown]>([
    ['maps merge by key', { spec: { nodeSelector: { gpu: 'a100' } } }, { nodeSelector: { gpu: 'a100', pool: 'a' } }],
    ['null removes', { spec: { nodeSelector: { gpu: null }, tolerations: null } }, { nodeSelector: { pool: 'a' } }],
    [
      'false and zero are values',
      { spec: { hostNetwork: false, terminationGracePeriodSeconds: 0 } },
      { hostNetwork: false, terminationGracePeriodSeconds: 0 },
    ],
    ['lists without a key are replaced', { spec: { tolerations: [{ key: 'y' }] } }, { tolerations: [{ key: 'y' }] }],
    [
      'containers merge by name, keep their order, and args are replaced whole',
      {
        spec: {
          containers: [
            { name: 'main', args: ['3'], env: [{ name: 'B', value: '' }] },
            { name: 'log', image: 'l' },
          ],
        },
      },
      {
        containers: [
          base.spec!.containers[0],
          {
            ...base.spec!.containers[1],
            args: ['3'],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '' },
            ],
          },
          { name: 'log', image: 'l' },
        ],
      },
    ],
    [
      'mounts merge by path',
      {
        spec: {
          containers: [
            {
              name: 'main',
              volumeMounts: [
                { mountPath: '/d', readOnly: false },
                { mountPath: '/e', name: 'data' },
              ],
            },
          ],
        },
      },
      {
        containers: [
          base.spec!.containers[0],
          {
            ...base.spec!.containers[1],
            volumeMounts: [
              { name: 'data', mountPath: '/d', readOnly: false },
              { mountPath: '/e', name: 'data' },
            ],
          },
        ],
      },
    ],
  ])('%s', (name, override, expected) => {
    const { spec } = mergePodTemplate(base, override);
    expect(spec).toMatchObject(expected as object);
    if (name === 'null removes') expect(spec).not.toHaveProperty('tolerations');
  });

  it('refuses an item without its key, naming the place', () => {
    const layers = [base, { spec: { containers: [{ name: 'main', env: [{ value: 'x' }] }] } } as PodTemplateOverride];
    expect(() => mergeLayers(layers)).toThrow(
      'spec.containers[main].env: the item {"value":"x"} has no name; items are merged by name: set it',
    );
  });
});
