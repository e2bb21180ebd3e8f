import { App, Chart, Duration } from 'cdk8s';
import { ConfigMap, PersistentVolumeClaim, Secret, ServiceAccount } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../lib/pods/merge.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import { madeBy } from './made-by.ts';
import type { PodSettings } from '../../lib/pods/settings/pod-settings.ts';

const chart = new Chart(new App(), 'chart');
const secret = Secret.fromSecretName(chart, 'secret', 'api');
const configMap = ConfigMap.fromConfigMapName(chart, 'settings', 'settings');
const account = ServiceAccount.fromServiceAccountName(chart, 'account', 'etl');
const claim = PersistentVolumeClaim.fromClaimName(chart, 'claim', 'models');

const nvidia = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const amd = { key: 'amd.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const team = { key: 'team', operator: 'Exists' };
const spotTaint = { key: 'acme/spot', operator: 'Exists' };
const spot = { selector: { 'acme/pool': 'spot' }, toleration: spotTaint };

type Spec = Partial<NonNullable<PodTemplate['spec']>>;
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

describe('of the pod', () => {
  it.each<[string, readonly PodSettings[], Spec, PodTemplate['metadata']?]>([
    ['a service account by name', [{ serviceAccount: 'etl' }], { serviceAccountName: 'etl' }],
    ['a service account by construct', [{ serviceAccount: account }], { serviceAccountName: 'etl' }],
    ['no service account any more', [{ serviceAccount: account }, { serviceAccount: null }], {}],
    [
      'Secrets to pull with, added up',
      [{ imagePullSecrets: ['a'] }, { imagePullSecrets: [secret, 'a'] }],
      { imagePullSecrets: [{ name: 'a' }, { name: 'api' }] },
    ],
    ['no Secrets to pull with', [{ imagePullSecrets: ['a'] }, { imagePullSecrets: null }], {}],
    [
      'users of all containers',
      [{ podSecurityContext: { fsGroup: 1, runAsUser: 2 } }, { podSecurityContext: { runAsUser: null } }],
      { securityContext: { fsGroup: 1 } },
    ],
    [
      'labels of nodes, merged',
      [{ nodeSelector: { a: '1', b: '2' } }, { nodeSelector: { a: '3', b: null } }],
      { nodeSelector: { a: '3' } },
    ],
    ['any node', [{ nodeSelector: { a: '1' } }, { nodeSelector: null }], {}],
    ['tolerations, replaced', [{ tolerations: [team] }, { tolerations: [amd] }], { tolerations: [amd] }],
    ['no tolerations', [{ tolerations: [team] }, { tolerations: null }], {}],
    [
      'a priority, a runtime',
      [{ priorityClass: 'p', runtimeClass: 'r' }, { runtimeClass: null }],
      { priorityClassName: 'p' },
    ],
    [
      'affinity, whose maps merge',
      [{ affinity: { podAffinity: {}, nodeAffinity: {} } }, { affinity: { podAffinity: null } }],
      { affinity: { nodeAffinity: {} } },
    ],
    [
      'how it is spread, by topology',
      [
        { topologySpread: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }] },
        { topologySpread: [{ topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'ScheduleAnyway' }] },
      ],
      { topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'ScheduleAnyway' }] },
    ],
    [
      'a grace period in whole seconds',
      [{ terminationGracePeriod: Duration.millis(1500) }],
      { terminationGracePeriodSeconds: 2 },
    ],
    ['no time to end', [{ terminationGracePeriod: Duration.seconds(0) }], { terminationGracePeriodSeconds: 0 }],
    [
      'names of hosts, by address',
      [{ hostAliases: { '10.0.0.1': ['a'], '10.0.0.2': ['b'] } }, { hostAliases: { '10.0.0.1': null } }],
      { hostAliases: [{ ip: '10.0.0.2', hostnames: ['b'] }] },
    ],
    [
      'labels and annotations',
      [{ labels: { a: '1', b: '2' } }, { labels: { a: null }, annotations: { c: '3' } }],
      {},
      { labels: { b: '2' }, annotations: { c: '3' } },
    ],
    [
      'whatever else, over the settings beside it',
      [{ priorityClass: 'p', podTemplate: { spec: { priorityClassName: 'q', hostNetwork: true } } }],
      { priorityClassName: 'q', hostNetwork: true },
    ],
  ])('%s', (_name, layers, expected, metadata) => {
    const made = madeBy(...layers);
    expect(made.spec).toEqual({ restartPolicy: 'Never', containers: [{ name: 'main' }], ...expected });
    expect(made.metadata).toEqual(metadata);
  });
});

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

it('settings that are not set say nothing', () => {
  expect(madeBy({}, {})).toEqual(mergeLayers([{ spec: { restartPolicy: 'Never', containers: [{ name: 'main' }] } }]));
});
