import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeLayers, mergePodTemplate } from '../../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';

const names = fc.constantFrom('main', 'proxy', 'log');
const keyed = <T>(key: string, ids: fc.Arbitrary<string>, rest: fc.Arbitrary<T>) =>
  fc.uniqueArray(
    fc.tuple(ids, rest).map(([id, other]) => ({ [key]: id, ...other })),
    { selector: (item) => (item as Record<string, unknown>)[key], maxLength: 3 },
  );
const map = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', ''));
const container = fc.record(
  {
    image: fc.constantFrom('x:1', 'y:2'),
    args: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
    stdin: fc.boolean(),
    env: keyed('name', fc.constantFrom('A', 'B'), fc.record({ value: fc.constantFrom('', '1', '2') })),
    resources: fc.record({ limits: map, requests: map }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const template = fc.record(
  {
    metadata: fc.record({ labels: map, annotations: map }, { requiredKeys: [] }),
    spec: fc.record(
      {
        nodeSelector: map,
        hostNetwork: fc.boolean(),
        terminationGracePeriodSeconds: fc.constantFrom(0, 30),
        tolerations: fc.array(fc.record({ key: fc.constantFrom('k', 'l') }), { maxLength: 2 }),
        containers: keyed('name', names, container),
        volumes: keyed('name', fc.constantFrom('v', 'w'), fc.constant({ emptyDir: {} })),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<PodTemplate>;

describe('merging pod templates', () => {
  it('over nothing, or nothing over it, leaves a template as it is', () => {
    fc.assert(
      fc.property(template, (t) => {
        expect(mergePodTemplate(t, {})).toEqual(t);
        expect(mergePodTemplate({}, t as PodTemplateOverride)).toEqual(t);
      }),
    );
  });

  it('is associative: layers may be merged in pairs', () => {
    fc.assert(
      fc.property(template, template, template, (a, b, c) => {
        const [x, y] = [b, c] as PodTemplateOverride[];
        expect(mergePodTemplate(mergePodTemplate(a, x!), y!)).toEqual(
          mergePodTemplate(a, mergePodTemplate(b, y!) as PodTemplateOverride),
        );
      }),
    );
  });

  it('twice is once', () => {
    fc.assert(
      fc.property(template, template, (a, b) => {
        const once = mergePodTemplate(a, b as PodTemplateOverride);
        expect(mergePodTemplate(once, b as PodTemplateOverride)).toEqual(once);
      }),
    );
  });

  it('changes neither side', () => {
    fc.assert(
      fc.property(template, template, (a, b) => {
        const before = structuredClone([a, b]);
        mergePodTemplate(a, b as PodTemplateOverride);
        expect([a, b]).toEqual(before);
      }),
    );
  });

  it('leaves no two items of one key', () => {
    fc.assert(
      fc.property(template, template, (a, b) => {
        const { spec } = mergePodTemplate(a, b as PodTemplateOverride);
        for (const list of [spec?.containers, spec?.volumes, ...(spec?.containers ?? []).map(({ env }) => env)])
          expect(new Set(list?.map(({ name }) => name)).size).toBe(list?.length ?? 0);
      }),
    );
  });

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
