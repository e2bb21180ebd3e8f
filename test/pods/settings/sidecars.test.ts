import { describe, expect, it } from 'vitest';
import { madeBy } from './made-by.ts';

describe('containers beside the main one', () => {
  const proxy = { image: 'proxy:1', resources: { limits: { memory: '64Mi' } }, mounts: { '/data': 'data' } };

  it('start before the main one, sidecars first, and have their own resources alone', () => {
    const { containers, initContainers } = madeBy({
      image: 'main:1',
      resources: { limits: { memory: '32Gi' } },
      gpu: {},
      env: { SECRET: '1' },
      initContainers: { fetch: { image: 'busybox:1.36', command: ['true'], env: { A: '1' } } },
      sidecars: {
        proxy,
        log: { image: 'log:1', ports: [{ containerPort: 1 }], mounts: { '/d': { volume: 'data', readOnly: true } } },
      },
      volumes: { data: { emptyDir: {} } },
    }).spec!;
    expect(initContainers).toEqual([
      {
        name: 'proxy',
        restartPolicy: 'Always',
        image: 'proxy:1',
        resources: { limits: { memory: '64Mi' } },
        volumeMounts: [{ mountPath: '/data', name: 'data' }],
      },
      {
        name: 'log',
        restartPolicy: 'Always',
        image: 'log:1',
        ports: [{ containerPort: 1 }],
        volumeMounts: [{ mountPath: '/d', name: 'data', readOnly: true }],
      },
      { name: 'fetch', image: 'busybox:1.36', command: ['true'], env: [{ name: 'A', value: '1' }] },
    ]);
    expect(containers).toHaveLength(1);
  });

  it('are changed and removed by name', () => {
    const below = { sidecars: { proxy, log: { image: 'log:1' } } };
    const { initContainers } = madeBy(below, {
      sidecars: { proxy: { image: 'proxy:2', mounts: { '/data': null } }, log: null },
    }).spec!;
    expect(initContainers).toEqual([
      {
        name: 'proxy',
        restartPolicy: 'Always',
        image: 'proxy:2',
        resources: { limits: { memory: '64Mi' } },
        volumeMounts: [],
      },
    ]);
  });
});
