import { App, Chart, Testing } from 'cdk8s';
import { ServiceAccount, User } from 'cdk8s-plus-28';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  LaunchPlanGroup,
  planNamed,
  PlanNamespace,
  Run,
  RunStep,
  Step,
  Workflow,
  type PlanNamespaceProps,
  z,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { synthProblems, type Manifest } from './support.ts';

const task = (scope: Construct) => new ContainerTask(scope, 'load', { image: 'etl:1', command: ['etl'] });

function workflow(scope: Construct, id = 'etl') {
  const load = (scope.node.tryFindChild('load') as ReturnType<typeof task> | undefined) ?? task(scope);
  return new Workflow(scope, id, {}, ({ step }) => void step('load', load));
}

/** The manifests of an app, as `<namespace>: <kind> <name>` without hashes. */
function objectsOf(define: (app: App) => void): readonly string[] {
  const app = new App();
  define(app);
  expect(app.node.findAll().flatMap((construct) => construct.node.validate())).toEqual([]);
  return app.charts.flatMap((chart) => (Testing.synth(chart) as Manifest[]).map(lineOf));
}

const lineOf = ({ kind, metadata }: Manifest) =>
  `${(metadata as { namespace?: string }).namespace ?? '-'}: ${kind} ${metadata.name.replace(/-[a-z0-9]{10}$/, '')}`;

const namespaceProblems = (props: PlanNamespaceProps) =>
  synthProblems((scope) => void new PlanNamespace(scope, 'team-a', props));

describe('a namespace for plans', () => {
  it('comes with a quota and limits, and holds what is made in it', () => {
    const app = new App();
    const team = new PlanNamespace(app, 'team-a', {
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
      quota: { 'requests.cpu': '20', pods: 50 },
      limitRange: [{ type: 'Container', defaultRequest: { cpu: '100m' } }],
    });
    new ServiceAccount(team, 'loader', { metadata: { name: 'loader' } });
    const [namespace, quota, limits, account] = Testing.synth(team) as [Manifest, Manifest, Manifest, Manifest];
    // A namespace is in none; the API server would refuse it.
    expect(namespace.metadata).toEqual({
      name: 'team-a',
      labels: {
        'app.kubernetes.io/managed-by': 'cdk8s-workflows',
        'pod-security.kubernetes.io/enforce': 'restricted',
      },
    });
    expect(quota).toMatchObject({
      kind: 'ResourceQuota',
      metadata: { namespace: 'team-a' },
      spec: { hard: { 'requests.cpu': '20', pods: 50 } },
    });
    expect(limits.spec).toEqual({ limits: [{ type: 'Container', defaultRequest: { cpu: '100m' } }] });
    expect(account.metadata).toMatchObject({ namespace: 'team-a' });
  });

  it.each<[PlanNamespaceProps, string]>([
    [{ name: 'Team A' }, 'name: "Team A"'],
    [{ quota: { 'requests.cpu': 'lots' } }, 'requests.cpu'],
    [{ limitRange: [{ type: 'Container', max: { memory: '8GB' } }] }, 'memory'],
    [{ labels: { 'no label': 'x' } }, 'labels.no label'],
  ])('is refused with %j', (props, problem) => {
    const problems = namespaceProblems(props);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('is there once', () => {
    const problems = synthProblems((scope) => {
      new PlanNamespace(scope, 'one', { name: 'team-a' });
      new PlanNamespace(scope, 'two', { name: 'team-a' });
    });
    expect(problems).toEqual(['[two] name: namespace "team-a" exists already at chart/one; rename one']);
  });
});

describe('a plan in another namespace than its workflow', () => {
  it('has the graph and the templates there too, once for all plans and runs of it', () => {
    expect(
      objectsOf((app) => {
        const etl = workflow(new Chart(app, 'etl', { namespace: 'etl' }));
        const team = new PlanNamespace(app, 'team-a');
        new LaunchPlan(team, 'nightly', { workflow: etl }).grantView(User.fromName(team, 'ann', 'ann'));
        new LaunchPlan(team, 'weekly', { workflow: etl });
        new Run(team, 'once', { workflow: etl, name: 'once' });
      }),
    ).toEqual([
      'etl: ConfigMap etl',
      'etl: PodTemplate etl-load',
      'team-a: PodTemplate etl-load',
      'team-a: ConfigMap etl',
      '-: Namespace team-a',
      'team-a: CronJob nightly',
      'team-a: Role plan-nightly-view',
      'team-a: RoleBinding plan-nightly-view',
      'team-a: CronJob weekly',
      'team-a: Job once',
    ]);
  });

  it('needs none of it when it runs a single task', () => {
    expect(
      objectsOf((app) => {
        const chart = new Chart(app, 'etl', { namespace: 'etl' });
        new LaunchPlan(chart, 'nightly', { task: task(chart), namespace: 'team-a' });
      }),
    ).toEqual(['team-a: CronJob nightly']);
  });

  it('gives each plan of a group a namespace of its own', () => {
    const lines = objectsOf((app) => {
      const chart = new Chart(app, 'etl', { namespace: 'etl' });
      const group = new LaunchPlanGroup(chart, 'sites', {
        workflow: new Workflow(chart, 'etl', { inputs: { site: z.string() } }),
        over: { site: ['a', 'b'] },
        namespace: 'sites',
        overrides: { b: { namespace: 'site-b' } },
      });
      group.grantLaunch(User.fromName(chart, 'ann', 'ann'));
    });
    expect(lines).toEqual([
      'etl: ConfigMap etl',
      'sites: ConfigMap etl',
      'site-b: ConfigMap etl',
      'sites: CronJob etl-a',
      'site-b: CronJob etl-b',
      'sites: Role group-sites-launch',
      'sites: RoleBinding group-sites-launch',
      'site-b: Role group-sites-launch',
      'site-b: RoleBinding group-sites-launch',
    ]);
  });

  it('has the graphs and templates of workflows that are steps, also of those that become so later', () => {
    const lines = objectsOf((app) => {
      const chart = new Chart(app, 'etl', { namespace: 'etl' });
      const load = task(chart);
      const [part, child] = [workflow(chart, 'part'), workflow(chart, 'child')];
      const etl = new Workflow(chart, 'etl', {}, ({ step }) => void step('part', part, {}));
      new LaunchPlan(chart, 'nightly', { workflow: etl, namespace: 'team-a' });
      const late = new Workflow(chart, 'late', {});
      new LaunchPlan(chart, 'later', { workflow: late, namespace: 'team-b' });
      new RunStep(late, 'child', { workflow: child, inputs: {} });
      new Step(late, 'load', { task: load, inputs: {} });
    });
    expect(lines.filter((line) => !line.startsWith('etl: ')).sort()).toEqual([
      'team-a: ConfigMap etl',
      'team-a: ConfigMap part',
      'team-a: CronJob nightly',
      'team-a: PodTemplate part-load',
      'team-b: ConfigMap child',
      'team-b: ConfigMap late',
      'team-b: CronJob later',
      'team-b: PodTemplate child-load',
      'team-b: PodTemplate late-load',
    ]);
  });

  it.each<[string, (chart: Construct, etl: ReturnType<typeof workflow>) => void, string]>([
    [
      'a name that is none',
      (chart, etl) => void new LaunchPlan(chart, 'plan', { workflow: etl, namespace: 'Team A' }),
      '[plan] namespace: "Team A" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
    ],
    [
      'an account of another namespace',
      (chart, etl) => {
        const serviceAccount = new ServiceAccount(chart, 'loader', { metadata: { name: 'loader', namespace: 'etl' } });
        new LaunchPlan(chart, 'plan', { workflow: etl, namespace: 'team-a', serviceAccount });
      },
      '[plan] serviceAccount: "loader" is in the namespace "etl", and pods of the plan are in "team-a"; make one in the chart of that namespace',
    ],
    [
      'a workflow whose namespace is known alone',
      (chart) => {
        const etl = workflow(new Chart(chart, 'other', { namespace: 'etl' }));
        new LaunchPlan(chart, 'plan', { workflow: etl });
      },
      '[plan] namespace: is known to nobody before the plan is applied, and its workflow is in "etl"; give it, or make the plan in a chart with a namespace',
    ],
    [
      'a step that launches a plan which is not there',
      (chart, etl) => {
        const other = new LaunchPlan(chart, 'other', { workflow: etl });
        const both = new Workflow(chart, 'both', {}, ({ step }) => {
          step.launch('other', other, {});
          step.launch('named', planNamed('other'), {});
        });
        new LaunchPlan(chart, 'plan', { workflow: both, namespace: 'team-a' });
      },
      '[both/other] launch plan "other" is not in "team-a", where runs of this workflow are too; launch planNamed(...), and make a plan of that name in each namespace',
    ],
  ])('is refused with %s', (_, define, problem) => {
    expect(synthProblems((chart) => define(chart, workflow(chart)))).toEqual([problem]);
  });

  it('is placed under its namespace, and only where the cluster of the fleet is not in it already', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'namespaces-'));
    onTestFinished(() => rmSync(outdir, { recursive: true }));
    const clusters = [{ name: 'eu', namespace: 'team-a' }, { name: 'us' }];
    new Fleet({ clusters, outdir }, (app) => {
      const chart = new Chart(app, 'app');
      const settings = { namespace: 'team-a', cluster: { all: true } } as const;
      new LaunchPlan(chart, 'nightly', { workflow: workflow(chart), ...settings });
    }).synth();
    const on = (cluster: string) =>
      parseAllDocuments(readFileSync(join(outdir, cluster, 'app.k8s.yaml'), 'utf8')).map((document) =>
        lineOf(document.toJS() as Manifest),
      );
    expect(on('eu')).toEqual(['-: ConfigMap etl', '-: PodTemplate etl-load', 'team-a: CronJob nightly']);
    expect(on('us')).toEqual([
      '-: ConfigMap etl',
      '-: PodTemplate etl-load',
      'team-a: PodTemplate etl-load',
      'team-a: ConfigMap etl',
      'team-a: CronJob nightly',
    ]);
    const { plans } = JSON.parse(readFileSync(join(outdir, 'placement.json'), 'utf8')) as { plans: object };
    expect(Object.keys(plans)).toEqual(['team-a/nightly']);
  });
});
