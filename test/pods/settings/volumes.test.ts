import { App, Chart } from 'cdk8s';
import { ConfigMap, PersistentVolumeClaim, Secret } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import type { PodSettings } from '../../../lib/pods/settings/pod-settings.ts';
import { madeBy } from './made-by.ts';

const chart = new Chart(new App(), 'chart');
const secret = Secret.fromSecretName(chart, 'secret', 'api');
const configMap = ConfigMap.fromConfigMapName(chart, 'settings', 'settings');
const claim = PersistentVolumeClaim.fromClaimName(chart, 'claim', 'models');

describe('sharedMemory', () => {
  const layers: PodSettings[] = [{ sharedMemory: '2Gi' }, { sharedMemory: '4Gi' }];

  it('is memory of the given size at /dev/shm of the main container alone', () => {
    const { volumes, containers, initContainers } = madeBy(...layers, { sidecars: { log: { image: 'l' } } }).spec!;
    expect(volumes).toEqual([{ name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '4Gi' } }]);
    expect(containers[0]!.volumeMounts).toEqual([{ name: 'shared-memory', mountPath: '/dev/shm' }]);
    expect(initContainers![0]).not.toHaveProperty('volumeMounts');
  });

  it('goes back to what the runtime gives', () => {
    const { volumes, containers } = madeBy(...layers, { sharedMemory: null }).spec!;
    expect([volumes, containers[0]!.volumeMounts]).toEqual([[], []]);
  });
});

describe('volumes', () => {
  const made = (...layers: readonly PodSettings[]) => {
    const { containers, volumes } = madeBy(...layers).spec!;
    return { volumes, mounts: containers[0]!.volumeMounts };
  };
  const data = { volumes: { data: { mountPath: '/data', emptyDir: {} } } };

  it.each<[string, readonly PodSettings[], ReturnType<typeof made>]>([
    ['empty', [data], { volumes: [{ name: 'data', emptyDir: {} }], mounts: [{ name: 'data', mountPath: '/data' }] }],
    [
      'by construct',
      [
        {
          volumes: {
            a: { mountPath: '/a', persistentVolumeClaim: claim, readOnly: true },
            b: { mountPath: '/b', secret, subPath: 's' },
            c: { mountPath: '/c', configMap },
          },
        },
      ],
      {
        volumes: [
          { name: 'a', persistentVolumeClaim: { claimName: 'models' } },
          { name: 'b', secret: { secretName: 'api' } },
          { name: 'c', configMap: { name: 'settings' } },
        ],
        mounts: [
          { name: 'a', mountPath: '/a', readOnly: true },
          { name: 'b', mountPath: '/b', subPath: 's' },
          { name: 'c', mountPath: '/c' },
        ],
      },
    ],
    [
      'by name, as Kubernetes writes it, and of any other kind',
      [
        {
          volumes: {
            a: { persistentVolumeClaim: 'models' },
            b: { secret: { secretName: 'api', defaultMode: 256 } },
            c: { configMap: { name: 'settings', items: [{ key: 'k', path: 'p' }] } },
            d: { csi: { driver: 'x' } },
          },
        },
      ],
      {
        volumes: [
          { name: 'a', persistentVolumeClaim: { claimName: 'models' } },
          { name: 'b', secret: { secretName: 'api', defaultMode: 256 } },
          { name: 'c', configMap: { name: 'settings', items: [{ key: 'k', path: 'p' }] } },
          { name: 'd', csi: { driver: 'x' } },
        ],
        mounts: undefined,
      },
    ],
    [
      'from elsewhere, at the same place',
      [data, { volumes: { data: { persistentVolumeClaim: 'models' } } }],
      {
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'models' } }],
        mounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    [
      'at another place, with what was said of the first',
      [{ volumes: { data: { ...data.volumes.data, readOnly: true } } }, { volumes: { data: { mountPath: '/new' } } }],
      {
        volumes: [{ name: 'data', emptyDir: {} }],
        mounts: [{ name: 'data', mountPath: '/new', readOnly: true }],
      },
    ],
    [
      'that may be written to after all',
      [{ volumes: { data: { ...data.volumes.data, readOnly: true } } }, { volumes: { data: { readOnly: false } } }],
      {
        volumes: [{ name: 'data', emptyDir: {} }],
        mounts: [{ name: 'data', mountPath: '/data', readOnly: false }],
      },
    ],
    ['none any more', [data, { volumes: { data: null } }], { volumes: [], mounts: [] }],
    ['again', [data, { volumes: { data: null } }, data], made(data)],
  ])('%s', (_name, layers, expected) => expect(made(...layers)).toEqual(expected));
});
