import { App, Chart, Duration } from 'cdk8s';
import { Secret, ServiceAccount } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import type { PodSettings } from '../../../lib/pods/settings/pod-settings.ts';
import type { PodTemplate } from '../../../lib/pods/template.ts';
import { madeBy } from './made-by.ts';

const chart = new Chart(new App(), 'chart');
const secret = Secret.fromSecretName(chart, 'secret', 'api');
const account = ServiceAccount.fromServiceAccountName(chart, 'account', 'etl');
const amd = { key: 'amd.com/gpu', operator: 'Exists', effect: 'NoSchedule' };
const team = { key: 'team', operator: 'Exists' };
type Spec = Partial<NonNullable<PodTemplate['spec']>>;

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
