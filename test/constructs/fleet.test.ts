import { Chart } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  InvalidError,
  LaunchPlan,
  Workflow,
  WorkflowController,
  type Cluster,
  type ClusterSelector,
} from 'cdk8s-workflows';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'fleet-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

const eu: Cluster = { name: 'eu', labels: { tier: 'prod', region: 'eu' }, namespace: 'etl', context: 'eu-admin' };
const us: Cluster = {
  name: 'us',
  labels: { tier: 'prod', region: 'us' },
  podDefaults: { spec: { priorityClassName: 'batch' } },
};
const test: Cluster = { name: 'test' };

function fleet(
  clusters: readonly Cluster[],
  plans: Record<string, ClusterSelector | undefined>,
  defaultCluster?: ClusterSelector,
) {
  return new Fleet({ clusters, outdir, defaultCluster }, (app) => {
    const chart = new Chart(app, 'etl');
    const task = new ContainerTask(chart, 'extract', { image: 'etl:1' });
    const workflow = new Workflow(chart, 'etl', {}, ({ step }) => void step('extract', task));
    for (const [name, cluster] of Object.entries(plans)) new LaunchPlan(chart, name, { workflow, cluster });
  });
}

const files = () =>
  readdirSync(outdir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(outdir.length + 1))
    .sort();
const manifests = (cluster: string) =>
  parseAllDocuments(readFileSync(join(outdir, cluster, 'etl.k8s.yaml'), 'utf8')).map((document) => document.toJS());
const plansOn = (cluster: string) =>
  manifests(cluster)
    .filter(({ kind }) => kind === 'CronJob')
    .map(({ metadata }) => metadata.name);
const placement = () => JSON.parse(readFileSync(join(outdir, 'placement.json'), 'utf8'));

describe('a fleet', () => {
  it('writes a directory a cluster, with each plan on one of them and the reason', () => {
    fleet([eu, us, test], { a: 'eu', b: { matchLabels: { region: 'us' } }, c: undefined }, 'test').synth();
    expect(files()).toEqual(['eu/etl.k8s.yaml', 'placement.json', 'test/etl.k8s.yaml', 'us/etl.k8s.yaml']);
    expect([plansOn('eu'), plansOn('us'), plansOn('test')]).toEqual([['a'], ['b'], ['c']]);
    expect(placement()).toEqual({
      clusters: {
        eu: { context: 'eu-admin', namespace: 'etl' },
        us: { context: 'us', namespace: 'default' },
        test: { context: 'test', namespace: 'default' },
      },
      plans: {
        a: { cluster: 'eu', reason: 'named by the plan' },
        b: { cluster: 'us', reason: 'the only cluster with region=us' },
        c: { cluster: 'test', reason: 'named by the plan' },
      },
    });
  });

  it('gives objects the same names on every cluster, unless the cluster changes their content', () => {
    fleet([eu, test, us], {}).synth();
    const names = (cluster: string) => manifests(cluster).map(({ metadata }) => metadata.name);
    expect(names('eu')).toEqual(names('test'));
    expect(manifests('us').find(({ kind }) => kind === 'PodTemplate').template.spec.priorityClassName).toBe('batch');
  });

  it('writes the same bytes for the same input', () => {
    const bytes = () => {
      fleet([eu, us], { a: 'eu', b: { matchLabels: { tier: 'prod' } } }).synth();
      return files().map((file) => [file, readFileSync(join(outdir, file), 'utf8')]);
    };
    expect(bytes()).toEqual(bytes());
  });

  it('removes manifests of its own that are no longer written, and nothing else', () => {
    fleet([eu, us], {}).synth();
    writeFileSync(join(outdir, 'eu', 'old.k8s.yaml'), '');
    writeFileSync(join(outdir, 'eu', 'kustomization.yaml'), '');
    writeFileSync(join(outdir, 'us', 'README.md'), '');
    fleet([eu], {}).synth();
    expect(files()).toEqual(['eu/etl.k8s.yaml', 'eu/kustomization.yaml', 'placement.json', 'us/README.md']);
  });

  it('keeps the last output when anything is wrong, and tells a mistake once', () => {
    fleet([eu, us], { a: 'eu' }).synth();
    const before = files();
    const broken = fleet([eu, us], { b: 'ue', A: 'eu' });
    expect(() => broken.synth()).toThrow(
      new InvalidError('Synth found problems and wrote nothing', [
        { path: 'etl/b', message: 'cluster: there is no cluster "ue"; did you mean "eu"?' },
        {
          path: 'etl/A',
          message: 'name: "A" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        },
      ]),
    );
    expect(files()).toEqual(before);
    expect(plansOn('eu')).toEqual(['a']);
  });

  it('tells which clusters have a mistake when not all have it', () => {
    const oneBad = new Fleet({ clusters: [eu, us], outdir }, (app, cluster) => {
      new Workflow(new Chart(app, 'c'), 'w', { name: cluster.name === 'eu' ? 'X' : 'x' });
    });
    expect(() => oneBad.synth()).toThrow(/c\/w: name: "X" must be .* \(on eu\)/);
    expect(existsSync(join(outdir, 'eu'))).toBe(false);
  });

  it.each<[string, readonly Cluster[], ClusterSelector | undefined, string]>([
    ['no cluster', [], undefined, 'clusters: is empty; a fleet has at least one cluster'],
    ['two of one name', [eu, eu], undefined, 'clusters[1].name: two clusters are named "eu"; rename one'],
    ['a name that is no directory', [{ name: '../x' }], undefined, 'clusters[0].name: "../x" must be'],
    ['an unknown default', [eu], 'us', 'defaultCluster: there is no cluster "us"'],
  ])('refuses %s', (_name, clusters, defaultCluster, message) => {
    expect(() => fleet(clusters, {}, defaultCluster)).toThrow(message);
  });

  it('refuses a plan that matches no cluster, naming the nearest labels', () => {
    const define = fleet([eu, us], { a: { matchLabels: { tier: 'prod', region: 'asia' } }, b: undefined });
    expect(() => define.synth()).toThrow(
      'etl/a: cluster: no cluster has the labels tier=prod,region=asia; the nearest is eu, with tier=prod,region=eu',
    );
    expect(() => define.synth()).toThrow(
      'etl/b: cluster: must be set: the fleet has the clusters eu, us; name one, or give the fleet a defaultCluster',
    );
  });
});

describe('the controller as manifests', () => {
  it.each([
    ['namespace', 'Role', 'RoleBinding'],
    ['cluster', 'ClusterRole', 'ClusterRoleBinding'],
  ] as const)('for one %s has a %s', (scope, role, binding) => {
    new Fleet({ clusters: [{ name: 'eu', namespace: 'flows' }], outdir }, (app) => {
      new WorkflowController(new Chart(app, 'etl'), 'controller', {
        scope,
        podTemplate: { spec: { nodeSelector: { pool: 'system' } } },
      });
    }).synth();
    const all = manifests('eu');
    expect(all.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      role,
      binding,
      'Role',
      'RoleBinding',
      'Lease',
      'Deployment',
    ]);
    expect(all.find(({ kind }) => kind === binding).subjects).toEqual([
      { kind: 'ServiceAccount', name: 'cdk8s-workflows-controller', namespace: 'flows' },
    ]);
    const { spec } = all.at(-1).spec.template;
    expect(spec.nodeSelector).toEqual({ pool: 'system' });
    expect(spec.containers[0].args.includes('--all-namespaces')).toBe(scope === 'cluster');
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    });
  });
});
