import { App, Chart } from 'cdk8s';
import { ConfigMap, Secret } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../../lib/pods/merge.ts';
import type { PodSettings } from '../../../lib/pods/settings/pod-settings.ts';
import type { PodTemplate } from '../../../lib/pods/template.ts';
import { madeBy } from './made-by.ts';

const chart = new Chart(new App(), 'chart');
const secret = Secret.fromSecretName(chart, 'secret', 'api');
const configMap = ConfigMap.fromConfigMapName(chart, 'settings', 'settings');
type Main = Partial<NonNullable<PodTemplate['spec']>['containers'][number]>;

describe('of the main container', () => {
  it.each<[string, readonly PodSettings[], Main]>([
    ['text that the kubelet leaves alone', [{ env: { A: '$(B)' } }], { env: [{ name: 'A', value: '$$(B)' }] }],
    [
      'keys of Secrets and ConfigMaps, by construct and by name',
      [{ env: { A: { secret, key: 'k' }, B: { configMap: 'settings', key: 'l', optional: true } } }],
      {
        env: [
          { name: 'A', valueFrom: { secretKeyRef: { name: 'api', key: 'k' } } },
          { name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'l', optional: true } } },
        ],
      },
    ],
    [
      'any source of a variable that Kubernetes knows',
      [{ env: { NODE: { fieldRef: { fieldPath: 'spec.nodeName' } } } }],
      { env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }] },
    ],
    [
      'variables of two layers, one of which removes one and takes another from elsewhere',
      [{ env: { A: '1', B: '2', C: '3' } }, { env: { A: null, B: { secret: 'api', key: 'b' }, D: '' } }],
      {
        env: [
          { name: 'B', valueFrom: { secretKeyRef: { name: 'api', key: 'b' } } },
          { name: 'C', value: '3' },
          { name: 'D', value: '' },
        ],
      },
    ],
    [
      'whole Secrets and ConfigMaps, replacing inherited ones',
      [
        { envFrom: [{ secret: 'old' }] },
        {
          envFrom: [
            { secret, prefix: 'API_' },
            { configMap, optional: true },
          ],
        },
      ],
      {
        envFrom: [
          { prefix: 'API_', secretRef: { name: 'api' } },
          { configMapRef: { name: 'settings', optional: true } },
        ],
      },
    ],
    [
      'sources as Kubernetes writes them',
      [{ envFrom: [{ secretRef: { name: 'x' } }] }],
      { envFrom: [{ secretRef: { name: 'x' } }] },
    ],
    ['no sources any more', [{ envFrom: [{ secret }] }, { envFrom: null }], {}],
    [
      'amounts as numbers and text; a request that is left out is left to Kubernetes',
      [{ resources: { requests: { cpu: 0.5 }, limits: { memory: '8Gi', 'hugepages-2Mi': 0 } } }],
      { resources: { requests: { cpu: '0.5' }, limits: { memory: '8Gi', 'hugepages-2Mi': '0' } } },
    ],
    [
      'amounts of two layers, one of which removes one',
      [{ resources: { limits: { memory: '8Gi', cpu: 2 } } }, { resources: { limits: { memory: '16Gi', cpu: null } } }],
      { resources: { limits: { memory: '16Gi' } } },
    ],
    ['no resources any more', [{ resources: { limits: { memory: '8Gi' } } }, { resources: null }], {}],
    ['when its image is pulled', [{ imagePullPolicy: 'Always' }], { imagePullPolicy: 'Always' }],
    [
      'what it may do, field by field, where false is a value',
      [{ securityContext: { privileged: true, runAsUser: 0 } }, { securityContext: { privileged: false } }],
      { securityContext: { privileged: false, runAsUser: 0 } },
    ],
    [
      'a command, replaced whole',
      [{ image: 'a', command: ['a', 'b'], args: ['c'] }, { command: ['d'] }],
      { image: 'a', command: ['d'], args: ['c'] },
    ],
  ])('%s', (_name, layers, expected) => {
    expect(madeBy(...layers).spec!.containers).toEqual([{ name: 'main', ...expected }]);
  });
});

it('settings that are not set say nothing', () => {
  expect(madeBy({}, {})).toEqual(mergeLayers([{ spec: { restartPolicy: 'Never', containers: [{ name: 'main' }] } }]));
});
