import { describe, expect, it } from 'vitest';
import type { Layer, LayerKind } from '../../lib/pods/layer.ts';
import { mergeWithOrigins } from '../../lib/pods/merge.ts';
import { describeOrigin, originChain } from '../../lib/pods/origins.ts';
import { functionFields } from '../../lib/pods/serializable.ts';
import type { PodTemplateOverride } from '../../lib/pods/template.ts';

const layer = (kind: LayerKind, source: string, spec: PodTemplateOverride['spec'], at?: string): Layer => ({
  kind,
  source,
  ...(at !== undefined && { at }),
  template: { spec },
});

const task = layer('task', 'training/train', {
  nodeSelector: { gpu: 'v100', 'example.com/pool': 'a' },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  volumes: [{ name: 'data', emptyDir: {} }],
  containers: [
    {
      name: 'main',
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
  ],
});

describe('origins', () => {
  it('tell every leaf, with readable paths', () => {
    const { origins } = mergeWithOrigins([task]);
    expect(origins.leaves().map(({ path }) => path)).toEqual([
      'spec.nodeSelector.gpu',
      'spec.nodeSelector[example.com/pool]',
      'spec.tolerations',
      'spec.volumes[data].name',
      'spec.volumes[data].emptyDir',
      'spec.containers[main].name',
      'spec.containers[main].env[A].name',
      'spec.containers[main].env[A].value',
      'spec.containers[main].env[B].name',
      'spec.containers[main].env[B].value',
    ]);
  });

  it('say who set a field and what it replaced, through all layers', () => {
    const { origins } = mergeWithOrigins([
      task,
      layer('step override', 'etl/train', { nodeSelector: { gpu: null } }, 'main.ts:12'),
      layer('plan override', 'nightly', { nodeSelector: { gpu: 'a100' } }),
    ]);
    const origin = origins.at('spec.nodeSelector.gpu')!;
    expect(describeOrigin(origin)).toBe(
      '"a100", plan override of nightly, instead of removed, step override of etl/train (main.ts:12), instead of "v100", task of training/train',
    );
    expect(originChain(origin).map(({ value }) => value)).toEqual(['a100', undefined, 'v100']);
  });

  it('are found by a path into a value that is one leaf, and below a path', () => {
    const { origins } = mergeWithOrigins([task]);
    expect(origins.at('spec.tolerations[0].key')?.value).toEqual([{ key: 'gpu', operator: 'Exists' }]);
    expect(origins.at('spec.nothing')).toBeUndefined();
    expect(origins.below('spec.nodeSelector')).toHaveLength(2);
  });

  it('remember what was removed: fields, items and whole parts', () => {
    const { origins } = mergeWithOrigins([
      task,
      layer('step override', 'etl/train', {
        nodeSelector: null,
        containers: [{ name: 'main', env: [{ name: 'A', $patch: 'delete' }] }],
      }),
    ]);
    expect(origins.removals().map(({ path, origin }) => [path, origin.layer.kind, origin.replaced?.value])).toEqual([
      ['spec.nodeSelector.gpu', 'step override', 'v100'],
      ['spec.nodeSelector[example.com/pool]', 'step override', 'a'],
      ['spec.containers[main].env[A].name', 'step override', 'A'],
      ['spec.containers[main].env[A].value', 'step override', '1'],
    ]);
  });

  it('remember what a part replaced that was removed and set again', () => {
    const { origins } = mergeWithOrigins([
      task,
      layer('step override', 's', { nodeSelector: { $patch: 'replace', gpu: 't4' } }),
      layer('plan override', 'p', { nodeSelector: null }),
      layer('run override', 'r', { nodeSelector: { gpu: 'h100' } }),
    ]);
    expect(
      originChain(origins.at('spec.nodeSelector.gpu')!).map(({ layer: { kind }, value }) => [kind, value]),
    ).toEqual([
      ['run override', 'h100'],
      ['plan override', undefined],
      ['step override', 't4'],
      ['task', 'v100'],
    ]);
    expect(origins.removals().map(({ path, origin }) => [path, origin.layer.kind])).toEqual([
      ['spec.nodeSelector[example.com/pool]', 'step override'],
    ]);
  });

  it('tell two ports of one number apart', () => {
    const ports = [
      { containerPort: 53, protocol: 'TCP' },
      { containerPort: 53, protocol: 'UDP' },
    ];
    const { origins, template } = mergeWithOrigins([layer('task', 't', { containers: [{ name: 'dns', ports }] })]);
    expect(template.spec?.containers[0]?.ports).toEqual(ports);
    expect(origins.at('spec.containers[dns].ports[53#2].protocol')?.value).toBe('UDP');
  });

  it('warn of fields that Kubernetes does not have, and keep them', () => {
    const odd = layer('step override', 'etl/train', { nodeSelektor: { gpu: 'a100' } } as never, 'main.ts:12');
    const { template, warnings } = mergeWithOrigins([task, odd]);
    expect(template.spec).toMatchObject({ nodeSelektor: { gpu: 'a100' } });
    expect(warnings).toEqual([
      {
        path: 'spec.nodeSelektor',
        message: 'is no field of PodSpec (step override of etl/train (main.ts:12))',
        fix: 'did you mean "nodeSelector"?',
      },
    ]);
  });

  it('warn of two items of one key that become one', () => {
    const ports = (...protocols: string[]) =>
      layer('task', 't', {
        containers: [{ name: 'dns', ports: protocols.map((protocol) => ({ containerPort: 53, protocol })) }],
      });
    const { warnings } = mergeWithOrigins([ports('TCP'), ports('TCP', 'UDP')]);
    expect(warnings).toMatchObject([{ path: 'spec.containers[dns].ports' }]);
  });
});

describe('an override that is a function', () => {
  const a100 = { key: 'a100', operator: 'Exists' };

  it('gets what it inherits and gives what is there then', () => {
    const { template, origins } = mergeWithOrigins([
      task,
      layer('step override', 's', { tolerations: (inherited) => [...(inherited ?? []), a100] }),
    ]);
    expect(template.spec?.tolerations).toEqual([{ key: 'gpu', operator: 'Exists' }, a100]);
    expect(originChain(origins.at('spec.tolerations')!).map(({ layer: { kind } }) => kind)).toEqual([
      'step override',
      'task',
    ]);
  });

  it('gets nothing where nothing is inherited', () => {
    const { template } = mergeWithOrigins([
      layer('task', 't', { containers: [{ name: 'main', args: (inherited) => [...(inherited ?? ['none'])] }] }),
    ]);
    expect(template.spec?.containers[0]?.args).toEqual(['none']);
  });

  it('leaves the origin of what it leaves as it was', () => {
    const { origins } = mergeWithOrigins([
      task,
      layer('step override', 's', {
        containers: [
          {
            name: 'main',
            env: (inherited = []) => [...inherited.filter(({ name }) => name !== 'A'), { name: 'C', value: '3' }],
          },
        ],
      }),
    ]);
    expect(origins.at('spec.containers[main].env[B].value')?.layer.kind).toBe('task');
    expect(origins.at('spec.containers[main].env[C].value')?.layer.kind).toBe('step override');
    expect(origins.removals().map(({ path }) => path)).toContain('spec.containers[main].env[A].value');
  });

  it('changes nothing by undefined, removes by null, and cannot change its input', () => {
    const before = structuredClone(task);
    const { template } = mergeWithOrigins([
      task,
      layer('step override', 's', {
        nodeSelector: () => undefined,
        volumes: () => null,
        tolerations: (inherited) => {
          inherited![0]!.key = 'changed';
          return undefined;
        },
      }),
    ]);
    expect(template.spec?.nodeSelector).toEqual({ gpu: 'v100', 'example.com/pool': 'a' });
    expect(template.spec).not.toHaveProperty('volumes');
    expect(template.spec?.tolerations).toEqual([{ key: 'gpu', operator: 'Exists' }]);
    expect(task).toEqual(before);
  });

  it('is found where no function can go', () => {
    expect(
      functionFields({ spec: { tolerations: () => [], containers: [{ name: 'main', env: () => null }] } }),
    ).toEqual(['spec.tolerations', 'spec.containers[main].env']);
  });
});
