import { Chart } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  InvalidError,
  LaunchPlan,
  Schedule,
  Workflow,
  WorkflowController,
  type Cluster,
  type ClusterChoice,
  type NoValues,
  type WorkflowProps,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { synthProblems } from './support.ts';

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
  plans: Record<string, ClusterChoice | undefined>,
  defaultCluster?: ClusterChoice,
) {
  return new Fleet({ clusters, outdir, defaultCluster }, (app) => {
    const chart = new Chart(app, 'etl');
    const workflow = extractOnly(chart);
    for (const [name, cluster] of Object.entries(plans)) new LaunchPlan(chart, name, { workflow, cluster });
  });
}

const extractOnly = (scope: Construct, props: WorkflowProps<NoValues> = {}) => {
  const name = props.name ?? 'etl';
  const task = new ContainerTask(scope, `${name}-extract`, { image: 'etl:1' });
  return new Workflow(scope, name, props, ({ step }) => void step('extract', task));
};

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
    expect(files()).toEqual([
      ...['eu/etl.k8s.yaml', 'eu/kustomization.yaml', 'placement.json', 'test/etl.k8s.yaml', 'test/kustomization.yaml'],
      ...['us/etl.k8s.yaml', 'us/kustomization.yaml'],
    ]);
    expect([plansOn('eu'), plansOn('us'), plansOn('test')]).toEqual([['a'], ['b'], ['c']]);
    expect(placement()).toEqual({
      fleet: 'default',
      clusters: {
        eu: { context: 'eu-admin', namespace: 'etl', labels: { tier: 'prod', region: 'eu' }, weight: 1, enabled: true },
        us: { context: 'us', namespace: 'default', labels: { tier: 'prod', region: 'us' }, weight: 1, enabled: true },
        test: { context: 'test', namespace: 'default', weight: 1, enabled: true },
      },
      plans: {
        a: { cluster: 'eu', reason: 'named by the plan' },
        b: { cluster: 'us', reason: 'the only cluster with region=us' },
        c: { cluster: 'test', reason: "the fleet's default" },
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
    writeFileSync(join(outdir, 'us', 'README.md'), '');
    fleet([eu], {}).synth();
    expect(files()).toEqual(['eu/etl.k8s.yaml', 'eu/kustomization.yaml', 'placement.json', 'us/README.md']);
  });

  it('lists what it wrote in a kustomization, and none for a cluster without objects', () => {
    new Fleet({ clusters: [eu, test], outdir }, (app, { name }) => {
      new Chart(app, 'nothing');
      if (name === 'eu') extractOnly(new Chart(app, 'etl'));
    }).synth();
    const read = parseAllDocuments(readFileSync(join(outdir, 'eu', 'kustomization.yaml'), 'utf8'))[0]!.toJS();
    expect(read.resources).toEqual(['etl.k8s.yaml']);
    expect(files().filter((file) => file.startsWith('test/'))).toEqual(['test/nothing.k8s.yaml']);
  });

  it('does not overwrite the kustomization of somebody else, and then writes nothing', () => {
    mkdirSync(join(outdir, 'us'));
    writeFileSync(join(outdir, 'us', 'kustomization.yaml'), 'resources: []');
    expect(() => fleet([eu, us], {}).synth()).toThrow(
      'us/kustomization.yaml: was not written by synth, which writes one here; move it to a directory of its own',
    );
    expect(files()).toEqual(['us/kustomization.yaml']);
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

  it('refuses two plans of one name in the namespace of a cluster, also where only one of them says it', () => {
    const both = new Fleet({ clusters: [eu, test], defaultCluster: { all: true }, outdir }, (app) => {
      const workflow = extractOnly(new Chart(app, 'etl'));
      new LaunchPlan(new Chart(app, 'a'), 'p', { workflow });
      new LaunchPlan(new Chart(app, 'b', { namespace: 'etl' }), 'p', { workflow });
    });
    expect(() => both.synth()).toThrow(/b\/p: name: launch plan "p" exists already at a\/p; rename one \(on eu\)/);
  });

  it.each<[string, readonly Cluster[], ClusterChoice | undefined, string]>([
    ['no cluster', [], undefined, 'clusters: is empty; a fleet has at least one cluster'],
    ['two of one name', [eu, eu], undefined, 'clusters[1].name: two clusters are named "eu"; rename one'],
    ['a name that is no directory', [{ name: '../x' }], undefined, 'clusters[0].name: "../x" must be'],
    ['an unknown default', [eu], 'us', 'defaultCluster: there is no cluster "us"'],
    [
      'a disabled default',
      [eu, { ...us, enabled: false }],
      'us',
      'defaultCluster: the cluster "us" is disabled; enable it, or name another',
    ],
    ['only disabled clusters', [{ ...eu, enabled: false }], undefined, 'clusters: are all disabled; enable one'],
    [
      'no weight',
      [{ ...eu, weight: 0 }],
      undefined,
      'clusters[0].weight: must be a number above 0, not 0; enabled: false',
    ],
    ['no namespace', [{ ...eu, namespace: '' }], undefined, 'clusters[0].namespace: "" is empty'],
    ['wrong labels', [{ ...eu, labels: { a: ' ' } }], undefined, 'clusters[0].labels.a: " " must be letters'],
    [
      'capabilities that are none',
      [
        {
          ...eu,
          capabilities: {
            nodes: [{ allocatable: { memory: '8GB' } }],
            namespaces: ['A'],
            quotas: { etl: { pods: 'x' } },
          },
        },
      ],
      undefined,
      [
        'clusters[0].capabilities.nodes[0].allocatable.memory: "8GB" is no quantity, such as 500m, 2, 1.5Gi or 1e3; did you mean "8G"?',
        'clusters[0].capabilities.quotas.etl.pods: "x" is no quantity, such as 500m, 2, 1.5Gi or 1e3',
        'clusters[0].capabilities.namespaces[0]: "A" must be lower-case letters',
      ].join('\n  '),
    ],
  ])('refuses %s', (_name, clusters, defaultCluster, message) => {
    expect(() => fleet(clusters, {}, defaultCluster)).toThrow(message);
  });

  it('refuses a plan that matches no cluster, naming the nearest labels', () => {
    const define = fleet([eu, us], { a: { matchLabels: { tier: 'prod', region: 'asia' } }, b: undefined });
    expect(() => define.synth()).toThrow(
      'etl/a: cluster: no cluster matches tier=prod,region=asia; the nearest is eu, with tier=prod,region=eu',
    );
    expect(() => define.synth()).toThrow(
      'etl/b: cluster: must be set: the fleet has the clusters eu, us; name one, or give the fleet a defaultCluster',
    );
  });
});

describe('a fleet with a convention for names', () => {
  const named = (clusterNaming: RegExp | ((name: string) => string | undefined)) => () =>
    new Fleet(
      { clusters: [{ name: 'prod-eu' }, { name: 'prod-us' }, { name: 'test' }], clusterNaming, outdir },
      () => {},
    );

  it.each([/^prod-|^test$/, /prod|test/g, () => undefined])('takes names that keep to %s', (naming) =>
    expect(named(naming)).not.toThrow(),
  );

  it('refuses each cluster that does not', () => {
    expect(named(/-eu$/)).toThrow(
      'clusters[1].name: "prod-us" does not match /-eu$/, as clusterNaming asks\n' +
        '  clusters[2].name: "test" does not match /-eu$/, as clusterNaming asks',
    );
    expect(named((name) => (name === 'test' ? 'must say whose it is' : undefined))).toThrow(
      'clusters[2].name: "test" must say whose it is',
    );
  });
});

describe('a plan in a fleet', () => {
  const cronJob = (cluster: string) => manifests(cluster).find(({ kind }) => kind === 'CronJob');
  const suspension = (cluster: string) => {
    const { metadata, spec } = cronJob(cluster);
    const { 'cdk8s-workflows.dev/fixed-inputs': _, ...notes } = metadata.annotations;
    return [spec.suspend, notes];
  };

  it.each([
    ['on a schedule', Schedule.cron('0 0 * * *'), {}],
    ['without a schedule', undefined, { 'cdk8s-workflows.dev/stays-suspended': 'true' }],
  ])('%s is active on its cluster, and on its backups suspended, with their rank', (_name, schedule, notes) => {
    new Fleet({ clusters: [eu, us, test], outdir }, (app) => {
      const chart = new Chart(app, 'etl');
      const { placedHere } = new LaunchPlan(chart, 'a', {
        workflow: extractOnly(chart),
        schedule,
        cluster: 'test',
        backups: ['us', 'eu'],
      });
      expect(placedHere).toBe(true);
    }).synth();
    expect(suspension('test')).toEqual([schedule === undefined, {}]);
    for (const [cluster, rank] of Object.entries({ us: '1', eu: '2' }))
      expect(suspension(cluster)).toEqual([
        true,
        { 'cdk8s-workflows.dev/backup-of': 'test', 'cdk8s-workflows.dev/backup-rank': rank, ...notes },
      ]);
    expect(placement().plans.a.backups.map((backup: { cluster: string }) => backup.cluster)).toEqual(['us', 'eu']);
  });

  it('may be active everywhere', () => {
    new Fleet({ clusters: [eu, us, test], outdir }, (app) => {
      const chart = new Chart(app, 'etl');
      const schedule = Schedule.cron('0 0 * * *');
      new LaunchPlan(chart, 'a', {
        workflow: extractOnly(chart),
        schedule,
        cluster: { all: { matchLabels: { tier: 'prod' } } },
      });
    }).synth();
    expect([suspension('eu'), suspension('us'), cronJob('test')]).toEqual([[false, {}], [false, {}], undefined]);
    expect(placement().plans.a.everywhere).toEqual(['eu', 'us']);
  });

  it('goes where its workflow says when it says nothing itself', () => {
    new Fleet({ clusters: [eu, us, test], defaultCluster: 'test', outdir }, (app) => {
      const chart = new Chart(app, 'etl', { namespace: 'sand' });
      const workflow = extractOnly(chart, { cluster: 'us', backups: ['eu'] });
      new LaunchPlan(chart, 'a', { workflow });
      new LaunchPlan(chart, 'b', { workflow, backups: ['test'] });
      new LaunchPlan(chart, 'c', { workflow, cluster: 'eu' });
      new LaunchPlan(chart, 'd', { workflow: extractOnly(chart, { name: 'other', backups: ['eu'] }) });
    }).synth();
    const named = { cluster: 'us', reason: 'named by its workflow' };
    expect(placement().plans).toEqual({
      'sand/a': { ...named, backups: [{ cluster: 'eu', reason: 'named by its workflow' }] },
      'sand/b': { ...named, backups: [{ cluster: 'test', reason: 'named by the plan' }] },
      'sand/c': { cluster: 'eu', reason: 'named by the plan' },
      'sand/d': {
        cluster: 'test',
        reason: "the fleet's default",
        backups: [{ cluster: 'eu', reason: 'named by its workflow' }],
      },
    });
  });

  it('is on no disabled cluster, which has no directory', () => {
    fleet([eu, us], { a: 'eu' }).synth();
    fleet([{ ...eu, enabled: false }, us], { a: { matchLabels: { tier: 'prod' } } }).synth();
    expect(files()).toEqual(['placement.json', 'us/etl.k8s.yaml', 'us/kustomization.yaml']);
    expect(placement().clusters.eu.enabled).toBe(false);
    expect(() => fleet([{ ...eu, enabled: false }, us], { a: 'eu' }).synth()).toThrow(
      'etl/a: cluster: the cluster "eu" is disabled; enable it, or name another: us',
    );
  });

  it('cannot have backups in an app without a fleet', () => {
    expect(
      synthProblems((chart) => void new LaunchPlan(chart, 'a', { workflow: extractOnly(chart), backups: ['eu'] })),
    ).toEqual(['[a] backups: is set, but the app belongs to no fleet; synthesize it from a Fleet']);
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
