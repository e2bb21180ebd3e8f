import { ApiObject, App, Chart, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  noLatest,
  pinnedImages,
  podSecurity,
  resourcesSet,
  rule,
  Run,
  TaskJob,
  TaskPod,
  validateManifests,
  Workflow,
  WorkflowController,
  WorkflowDriverAccount,
  type FleetProps,
  type PodTemplateOverride,
  type RunSettings,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { synthProblems } from './support.ts';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'validation-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

// What the compiler refuses, JavaScript and JSON files let pass.
const misspelt: PodTemplateOverride = { spec: { containers: [{ name: 'main', comand: ['x'] }] } } as never;
const etl = (scope: Construct, podTemplate?: PodTemplateOverride) =>
  new ContainerTask(scope, 'extract', { image: 'etl:1', podTemplate });
const workflow = (scope: Construct, podTemplate?: PodTemplateOverride) =>
  new Workflow(scope, 'etl', {}, ({ step }) => void step('extract', etl(scope, podTemplate)));
const deployment = (scope: Construct, container: object = {}, id = 'web') =>
  new ApiObject(scope, id, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: id },
    spec: {
      selector: { matchLabels: { app: id } },
      template: {
        metadata: { labels: { app: id } },
        spec: { containers: [{ name: 'main', image: 'web:1', ...container }] },
      },
    },
  });

describe('the objects of this package are checked in any app', () => {
  const SAID = 'spec.containers[main].comand: is no field of Container; did you mean "command"?';
  const OF_TASK = SAID.replace(';', ' (task of chart/extract (test/constructs/validation.test.ts:<line>));');

  it.each<[string, (scope: Construct) => unknown, string]>([
    ['a step', (scope) => workflow(scope, misspelt), `[etl/extract] PodTemplate etl-extract: template.${OF_TASK}`],
    [
      'a TaskJob',
      (scope) => new TaskJob(scope, 'job', { task: etl(scope, misspelt) }),
      `[job] Job job: spec.template.${OF_TASK}`,
    ],
    ['a TaskPod', (scope) => new TaskPod(scope, 'pod', { task: etl(scope, misspelt) }), `[pod] Pod pod: ${OF_TASK}`],
    [
      'a plan over a task',
      (scope) => new LaunchPlan(scope, 'plan', { task: etl(scope, misspelt) }),
      `[plan] CronJob plan: spec.jobTemplate.spec.template.${OF_TASK}`,
    ],
    [
      'the pod override of a plan',
      (scope) => new LaunchPlan(scope, 'plan', { workflow: workflow(scope), podTemplate: misspelt }),
      `[plan] CronJob plan: podTemplate.${SAID}`,
    ],
    [
      'the pod override of a run',
      (scope) => new Run(scope, 'run', { workflow: workflow(scope), podTemplate: misspelt }),
      `[run] Job run: podTemplate.${SAID}`,
    ],
    [
      'the controller',
      (scope) => new WorkflowController(scope, 'controller', { podTemplate: { spec: { nodeSelecter: {} } } as never }),
      '[controller] Deployment cdk8s-workflows-controller: spec.template.spec.nodeSelecter: is no field of PodSpec; did you mean "nodeSelector"?',
    ],
  ])('%s', (_name, define, said) => {
    expect(synthProblems((chart) => void define(chart))).toEqual([said]);
  });

  it('a patch of what we made is checked too', () => {
    const problems = synthProblems((chart) => {
      const pod = new TaskPod(chart, 'pod', { task: etl(chart) });
      ApiObject.of(pod.node.findChild('Pod')).addJsonPatch({
        _toJson: () => ({ op: 'add', path: '/spec/hostNetwork', value: 'no' }),
      } as never);
    });
    expect(problems).toEqual(['[pod] Pod pod: spec.hostNetwork: must be true or false, not "no"']);
  });

  it('are right as we make them, and keep to the strictest level', () => {
    const app = new App({ outdir });
    validateManifests(app, { rules: [podSecurity('restricted'), noLatest()] });
    const chart = new Chart(app, 'etl');
    new WorkflowController(chart, 'controller', { scope: 'cluster' });
    new WorkflowDriverAccount(chart, 'driver');
    new LaunchPlan(chart, 'plan', { workflow: new Workflow(chart, 'w', {}), driver: true });
    expect(() => app.synth()).not.toThrow();
  });
});

describe('validateManifests', () => {
  /** What is said of a chart of which everything is checked. */
  const problems = (define: (chart: Chart) => void, props?: Parameters<typeof validateManifests>[1]) =>
    synthProblems((chart) => {
      validateManifests(chart, props);
      define(chart as Chart);
    });

  it('covers objects of others, which are let alone without it, whenever they are added', () => {
    const define = (chart: Construct) => void deployment(chart, { imag: 'x' });
    expect(synthProblems(define)).toEqual([]);
    expect(problems(define)).toEqual([
      '[web] Deployment web: spec.template.spec.containers[main].imag: is no field of Container; did you mean "image"?',
    ]);
  });

  it('covers those of cdk8s-plus', () => {
    const define = (chart: Chart) => {
      new kplus.Deployment(chart, 'web', { containers: [{ image: 'web:1' }], volumes: [] });
      new kplus.ConfigMap(chart, 'config', { data: { a: 'b' } });
      new kplus.Ingress(chart, 'ingress', {
        rules: [{ backend: kplus.IngressBackend.fromResource(new kplus.ConfigMap(chart, 'c')) }],
      });
      new kplus.CronJob(chart, 'cron', {
        schedule: { expressionString: '* * * * *' } as never,
        containers: [{ image: 'x' }],
      });
    };
    expect(problems(define)).toEqual([]);
    expect(problems(define, { rules: [noLatest()] })).toEqual([
      expect.stringMatching(
        /^\[cron\/Resource\] CronJob \S+: spec\.jobTemplate\.spec\.template\.spec\.containers\[main\]\.image: "x" has no tag, which means latest \(noLatest\); name a version$/,
      ),
    ]);
  });

  it('tells a problem once, however often a scope and its scopes ask', () => {
    const found = problems((chart) => {
      validateManifests(chart, { rules: [noLatest()] });
      validateManifests(chart.node.root, { rules: [noLatest()] });
      deployment(chart, { image: 'web' });
      workflow(chart, misspelt);
    });
    expect(found).toHaveLength(2);
  });

  it('holds a scope to the rules of all scopes it is in, and no other', () => {
    const app = new App();
    const [one, two] = ['one', 'two'].map((id) => new Chart(app, id));
    validateManifests(app, { rules: [noLatest()] });
    validateManifests(two!, { rules: [pinnedImages('digest')] });
    for (const chart of [one!, two!]) new TaskJob(chart, 'job', { name: `job-${chart.node.id}`, task: etl(chart) });
    const said = (chart: Chart) => chart.node.findAll().flatMap((construct) => construct.node.validate());
    expect(said(one!)).toEqual([]);
    expect(said(two!)).toEqual([
      expect.stringMatching(
        /^Job job-two: spec.template.spec.containers\[main\].image: "etl:1" has no digest \(pinnedImages digest\) \(task of two\/extract .*; write "etl:1@sha256:..."$/,
      ),
    ]);
  });

  it('lets fields pass that newer clusters know', () => {
    const define = (chart: Chart) => void deployment(chart, { newField: 1 });
    expect(problems(define)[0]).toContain('allow "Container.newField" if your clusters know it');
    expect(problems(define, { allowFields: ['Container.newField'] })).toEqual([]);
  });

  it('tells what rules say together with everything else, and asks no rule about what cannot be read', () => {
    const found = problems(
      (chart) => {
        new LaunchPlan(chart, 'UPPER', { workflow: workflow(chart, misspelt) });
        deployment(chart, { image: 3 });
        deployment(chart, {}, 'db');
      },
      { rules: [rule('team label', () => [{ path: 'metadata.labels[team]', message: 'is missing' }])] },
    );
    expect(found).toEqual([
      expect.stringContaining('[etl/extract] PodTemplate etl-extract: template.spec.containers[main].comand'),
      '[etl/extract] PodTemplate etl-extract: template.metadata.labels[team]: is missing (team label)',
      expect.stringContaining('[UPPER] name: "UPPER" must be lower-case'),
      '[web] Deployment web: spec.template.spec.containers[main].image: must be a string, not 3; quote it',
      '[db] Deployment db: spec.template.metadata.labels[team]: is missing (team label)',
    ]);
  });

  it('throws from synth with cdk8s own words, also for a single chart', () => {
    const chart = Testing.chart();
    validateManifests(chart);
    deployment(chart, { imag: 'x' });
    expect(() => Testing.synth(chart)).toThrow(/\[test\/web\] Deployment web: .*imag: is no field of Container/);
  });
});

describe('rules over what a plan makes of a step', () => {
  const found = (settings: RunSettings, podTemplate?: PodTemplateOverride) =>
    synthProblems((chart) => {
      validateManifests(chart.node.root, { rules: [podSecurity('baseline'), noLatest()] });
      new LaunchPlan(chart, 'plan', { workflow: workflow(chart, podTemplate), ...settings });
    });
  const privileged = { spec: { containers: [{ name: 'main', securityContext: { privileged: true } }] } };
  const said = (at: string) =>
    `${at}: spec.containers[main].securityContext.privileged: must not be true (podSecurity baseline: privileged); remove it`;

  it('an override that breaks a rule is told of the plan', () => {
    expect(found({ podTemplate: privileged })).toEqual([said('[plan] CronJob plan: step extract')]);
  });

  it('what the step has by itself is told of the step alone', () => {
    const own = found({ serviceAccount: 'etl' }, privileged);
    const told = said('[etl/extract] PodTemplate etl-extract: template').replace('template: ', 'template.');
    expect(own).toEqual([told.replace(';', ' (task of chart/extract (test/constructs/validation.test.ts:<line>));')]);
  });

  it('an override that mends what the step has does not excuse the step', () => {
    expect(
      found({ podTemplate: { spec: { containers: [{ name: 'main', securityContext: null }] } } }, privileged),
    ).toHaveLength(1);
  });

  it('the template in the Job of a run is looked at where a pod is made of it', () => {
    expect(found({ driver: { image: 'driver' } })).toEqual([
      '[plan] CronJob plan: spec.jobTemplate.spec.template.spec.containers[driver].image: "driver" has no tag, which means latest (noLatest); name a version',
    ]);
  });
});

describe('a fleet', () => {
  const synth = (props: Partial<FleetProps>, define: (app: App) => void) =>
    new Fleet({ clusters: [{ name: 'eu' }, { name: 'us' }], defaultCluster: 'eu', outdir, ...props }, define).synth();

  it('checks every object of every app, and tells a mistake once', () => {
    const broken = () =>
      synth({ rules: [resourcesSet({ requests: ['cpu'], limits: [] })] }, (app) => {
        const chart = new Chart(app, 'etl');
        deployment(chart, { imag: 'x' });
        workflow(chart, misspelt);
      });
    const line = readFileSync(import.meta.filename, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes("scope, 'extract', {"));
    expect(broken).toThrow(
      [
        'Synth found problems and wrote nothing:',
        '  etl/web: Deployment web: spec.template.spec.containers[main].imag: is no field of Container; did you mean "image"?',
        '  etl/web: Deployment web: spec.template.spec.containers[main].resources.requests.cpu: is not set (resourcesSet); state a request of cpu',
        `  etl/etl/extract: PodTemplate etl-extract: template.spec.containers[main].comand: is no field of Container (task of etl/extract (test/constructs/validation.test.ts:${line + 1})); did you mean "command"?`,
        '  etl/etl/extract: PodTemplate etl-extract: template.spec.containers[main].resources.requests.cpu: is not set (resourcesSet); state a request of cpu',
      ].join('\n'),
    );
  });

  it('tells which cluster a mistake is on, and rules of a scope hold beside those of the fleet', () => {
    const broken = () =>
      new Fleet(
        { clusters: [{ name: 'eu', podDefaults: misspelt }, { name: 'us' }], outdir, rules: [noLatest()] },
        (app) => {
          const chart = new Chart(app, 'etl');
          validateManifests(chart, {
            rules: [rule('cluster', (_, { cluster }) => [{ path: 'x', message: `on ${cluster}` }])],
          });
          workflow(chart);
        },
      ).synth();
    expect(broken).toThrow(
      /comand: is no field of Container \(cluster defaults of eu \(.*\)\); did you mean "command"\? \(on eu\)/,
    );
    expect(broken).toThrow(/template\.x: on us \(cluster\) \(on us\)/);
  });

  it('takes fields that it is told to take', () => {
    expect(() =>
      synth({ allowFields: ['Container.comand'] }, (app) => workflow(new Chart(app, 'etl'), misspelt)),
    ).not.toThrow();
  });
});
