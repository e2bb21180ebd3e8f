import { Chart } from 'cdk8s';
import { Secret } from 'cdk8s-plus-28';
import {
  Fleet,
  RemoteRunsAccount,
  WorkflowController,
  type RemoteClusterAccess,
  type WorkflowControllerProps,
} from 'cdk8s-workflows';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusterIdentityRules, remoteRunsRules } from '../../lib/graph/permissions.ts';
import { find, synth, synthProblems } from './support.ts';

const controller = (remoteClusters: readonly RemoteClusterAccess[], more: WorkflowControllerProps = {}) =>
  synth((chart) => void new WorkflowController(chart, 'controller', { remoteClusters, ...more }));

const podOf = (manifests: ReturnType<typeof synth>) => {
  const { spec } = find(manifests, 'Deployment').spec.template;
  const { args, volumeMounts } = spec.containers[0];
  return { remotes: args.filter((arg: string) => arg.startsWith('--remote')), volumeMounts, volumes: spec.volumes };
};

describe('a controller with access to other clusters', () => {
  it('gets their kubeconfigs from Secrets, as files, and may read what its cluster is known by', () => {
    const manifests = synth((chart) => {
      const secret = Secret.fromSecretName(chart, 'secret', 'gpu-access');
      const remoteClusters = [
        { name: 'gpu-eu', secret },
        { name: 'edge', secret: 'edge-access', key: 'config', context: 'runs', namespace: 'batch' },
      ];
      new WorkflowController(chart, 'controller', { remoteClusters });
    });
    expect(podOf(manifests)).toEqual({
      remotes: [
        '--remote-cluster=name=gpu-eu,kubeconfig=/etc/cdk8s-workflows/clusters/gpu-eu/kubeconfig',
        '--remote-cluster=name=edge,kubeconfig=/etc/cdk8s-workflows/clusters/edge/config,context=runs,namespace=batch',
      ],
      volumes: [
        { name: 'cluster-0', secret: { secretName: 'gpu-access' } },
        { name: 'cluster-1', secret: { secretName: 'edge-access' } },
      ],
      volumeMounts: [
        { name: 'cluster-0', mountPath: '/etc/cdk8s-workflows/clusters/gpu-eu', readOnly: true },
        { name: 'cluster-1', mountPath: '/etc/cdk8s-workflows/clusters/edge', readOnly: true },
      ],
    });
    const role = find(manifests, 'ClusterRole');
    expect(role.rules).toEqual(clusterIdentityRules);
    expect(find(manifests, 'ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: role.metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: 'cdk8s-workflows-controller' }],
    });
  });

  it('has none of that without any', () => {
    const manifests = controller([]);
    expect(podOf(manifests)).toEqual({ remotes: [], volumes: undefined, volumeMounts: undefined });
    expect(manifests.map(({ kind }) => kind)).not.toContain('ClusterRole');
  });

  it('keeps what its pod is changed to', () => {
    const extra = { name: 'extra', emptyDir: {} };
    const manifests = controller([{ name: 'gpu-eu', secret: 'x' }], { podTemplate: { spec: { volumes: [extra] } } });
    expect(podOf(manifests).volumes).toEqual([{ name: 'cluster-0', secret: { secretName: 'x' } }, extra]);
  });

  it.each<[string, RemoteClusterAccess[], string[]]>([
    [
      'names that are none',
      [{ name: 'GPU', secret: 'x', namespace: 'No_' }],
      [
        '[controller] remoteClusters[0].name: "GPU" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        '[controller] remoteClusters[0].namespace: "No_" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
      ],
    ],
    [
      'a cluster twice',
      [
        { name: 'gpu', secret: 'x' },
        { name: 'gpu', secret: 'y' },
      ],
      ['[controller] remoteClusters[1].name: "gpu" is given twice; keep one'],
    ],
    [
      'texts that would break its argument',
      [{ name: 'gpu', secret: 'x', context: 'a,b' }],
      ['[controller] remoteClusters[0].context: "a,b" must be a text without ","'],
    ],
  ])('is told of %s', (_, remoteClusters, expected) => {
    expect(synthProblems((chart) => void new WorkflowController(chart, 'controller', { remoteClusters }))).toEqual(
      expected,
    );
  });
});

describe('in a fleet', () => {
  let outdir: string;
  beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'remotes-'))));
  afterEach(() => rmSync(outdir, { recursive: true }));

  const clusters = [
    { name: 'main', namespace: 'etl' },
    { name: 'gpu-eu', namespace: 'gpu' },
    { name: 'edge', namespace: 'etl' },
  ];
  const fleet = (
    remoteClusters: readonly RemoteClusterAccess[],
    namespace?: string,
    more: WorkflowControllerProps = {},
  ) =>
    new Fleet({ clusters, outdir }, (app) => {
      const chart = new Chart(app, 'system', { ...(namespace !== undefined && { namespace }) });
      new WorkflowController(chart, 'controller', { remoteClusters, ...more });
    }).synth();
  const remotesOn = (cluster: string) => {
    const text = readFileSync(join(outdir, cluster, 'system.k8s.yaml'), 'utf8');
    return podOf(parseAllDocuments(text).map((document) => document.toJS())).remotes;
  };
  const access = clusters.map(({ name }) => ({ name, secret: name }));
  const file = (name: string) =>
    `--remote-cluster=name=${name},kubeconfig=/etc/cdk8s-workflows/clusters/${name}/kubeconfig`;

  it('it has access to the others, in the namespaces that stand for its own', () => {
    fleet(access);
    expect(remotesOn('main')).toEqual([`${file('gpu-eu')},namespace=gpu`, file('edge')]);
    expect(remotesOn('gpu-eu')).toEqual([`${file('main')},namespace=etl`, `${file('edge')},namespace=etl`]);
  });

  it.each<[string, string | undefined, WorkflowControllerProps]>([
    ['its chart names its namespace', 'flows', {}],
    ['it looks after all of them', undefined, { scope: 'cluster' }],
  ])('namespaces have their own names when %s', (_, namespace, more) => {
    fleet(access, namespace, more);
    expect(remotesOn('main')).toEqual([file('gpu-eu'), file('edge')]);
  });

  it('it cannot have access to a cluster that is not there', () => {
    expect(() => fleet([{ name: 'gpu-us', secret: 'x' }])).toThrow(
      'remoteClusters[0].name: there is no cluster "gpu-us"; did you mean "gpu-eu"?',
    );
  });
});

describe('the account for controllers of other clusters', () => {
  it.each(['namespace', 'cluster'] as const)('may do what they do, in scope %s', (scope) => {
    const manifests = synth((chart) => void new RemoteRunsAccount(chart, 'account', { scope }));
    const kind = scope === 'cluster' ? 'ClusterRole' : 'Role';
    expect(manifests.map((manifest) => manifest.kind)).toEqual(['ServiceAccount', kind, `${kind}Binding`]);
    expect(find(manifests, kind).rules).toEqual(remoteRunsRules);
    expect(find(manifests, 'ServiceAccount').metadata.name).toBe('cdk8s-workflows-remote-runs');
  });
});
