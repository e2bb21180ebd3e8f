import { clustersFromClusterProfiles, clustersFromKubeconfig, Fleet } from 'cdk8s-workflows';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'clusters-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}
const kubeconfig = (...contexts: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'Config', contexts });

describe('clusters from a kubeconfig', () => {
  it('are its contexts, by names that can be directories', () => {
    const path = file(
      'config',
      kubeconfig(
        { name: 'gke_acme_europe-west1_Prod', context: { cluster: 'c', user: 'u', namespace: 'etl' } },
        { name: 'arn:aws:eks:eu-west-1:1:cluster/test', context: { cluster: 'c', user: 'u' } },
      ),
    );
    const clusters = clustersFromKubeconfig(path);
    expect(clusters).toEqual([
      { name: 'gke-acme-europe-west1-prod', context: 'gke_acme_europe-west1_Prod', namespace: 'etl' },
      { name: 'arn-aws-eks-eu-west-1-1-cluster-test', context: 'arn:aws:eks:eu-west-1:1:cluster/test' },
    ]);
    expect(() => new Fleet({ clusters }, () => {})).not.toThrow();
  });

  it('are those of the files of KUBECONFIG, of which the first that names one wins', () => {
    const one = file('one', kubeconfig({ name: 'a', context: { namespace: 'first' } }));
    const two = file('two', kubeconfig({ name: 'a', context: { namespace: 'second' } }, { name: 'b', context: {} }));
    vi.stubEnv('KUBECONFIG', [one, join(directory, 'none'), two].join(delimiter));
    expect(clustersFromKubeconfig()).toEqual([
      { name: 'a', context: 'a', namespace: 'first' },
      { name: 'b', context: 'b' },
    ]);
  });

  it.each([
    ['a: [', 'is not YAML: '],
    ['[1]', 'holds no kubeconfig; give a file that holds a kubeconfig'],
    ['', 'holds no kubeconfig'],
  ])('are none in %j', (text, message) => {
    expect(() => clustersFromKubeconfig(file('config', text))).toThrow(message);
  });

  it('are none in a file that is not there', () => {
    expect(() => clustersFromKubeconfig(join(directory, 'none'))).toThrow(/Clusters from .*none:\n {2}is not there/);
  });
});

describe('clusters from ClusterProfiles', () => {
  const profile = (name: string, labels: object, properties: readonly object[] = []) => ({
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    kind: 'ClusterProfile',
    metadata: { name, namespace: 'fleet', labels },
    spec: { clusterManager: { name: 'acme' } },
    status: { properties },
  });

  it('have the labels and the properties of each, as far as they can be labels', () => {
    const profiles = [
      profile('eu.prod', { tier: 'prod', region: 'eu' }, [
        { name: 'region', value: 'europe-west1' },
        { name: 'location.topology.acme.example', value: 'dc-1' },
        { name: 'description', value: 'not a label, for its spaces' },
      ]),
      profile('test', {}),
    ];
    const expected = [
      {
        name: 'eu-prod',
        context: 'eu.prod',
        labels: { 'location.topology.acme.example': 'dc-1', region: 'eu', tier: 'prod' },
      },
      { name: 'test', context: 'test' },
    ];
    expect(clustersFromClusterProfiles(profiles)).toEqual(expected);
    const list = { apiVersion: 'v1', kind: 'List', items: profiles };
    expect(clustersFromClusterProfiles(file('list.json', JSON.stringify(list)))).toEqual(expected);
    const documents = profiles.map((each) => JSON.stringify(each)).join('\n---\n');
    expect(clustersFromClusterProfiles(file('documents.yaml', documents))).toEqual(expected);
  });

  it('are refused with every object that is none', () => {
    const wrong = [
      profile('a', {}),
      { kind: 'ClusterProfile', metadata: { name: 'b' } },
      { ...profile('c', {}), metadata: {} },
    ];
    expect(() => clustersFromClusterProfiles(wrong)).toThrow(
      [
        'Clusters from ClusterProfiles:',
        '  profiles[1]: is no ClusterProfile of multicluster.x-k8s.io; leave it out',
        '  profiles[2]: is no ClusterProfile of multicluster.x-k8s.io; leave it out',
      ].join('\n'),
    );
  });
});
