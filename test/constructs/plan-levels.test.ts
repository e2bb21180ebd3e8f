import { App, Chart, Duration, Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, LaunchPlanGroup, Run, Schedule, Workflow, z } from 'cdk8s-workflows';
import type { RunDefaults } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { effective } from '../../constructs/plan-levels.ts';
import { find, fleetOf, type Manifest } from './support.ts';

const KEY = 'cdk8s-workflows.dev';

function workflowOf(chart: Chart, runDefaults?: RunDefaults) {
  const task = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], inputs: { site: z.string() } });
  const workflow = new Workflow(chart, 'etl', { inputs: { site: z.string() }, runDefaults }, ({ inputs, step }) => {
    step('load', task, { site: inputs.site });
  });
  return { task, workflow };
}

const originsOf = ({ metadata }: Manifest) =>
  JSON.parse(metadata.annotations![`${KEY}/setting-origins`]!) as Record<string, string>;
const overrideOf = ({ metadata }: { metadata: { annotations?: Record<string, string> } }) =>
  JSON.parse(metadata.annotations![`${KEY}/pod-override`]!) as object;

describe('what is said of a plan', () => {
  it.each([
    [[{ priority: 1 }, {}, {}, {}], { priority: 1 }, { priority: ['fleet'] }],
    [[{ priority: 1 }, { priority: 2 }, {}, {}], { priority: 2 }, { priority: ['workflow'] }],
    [[{ priority: 1 }, { priority: 2 }, { priority: 3 }, {}], { priority: 3 }, { priority: ['group'] }],
    [[{ priority: 1 }, { priority: 2 }, { priority: 3 }, { priority: 4 }], { priority: 4 }, { priority: ['plan'] }],
    [[{ priority: 1 }, { priority: undefined }, {}, { priority: 0 }], { priority: 0 }, { priority: ['plan'] }],
    [
      [{ labels: { x: '1', y: '1' } }, { labels: { y: '2' } }, {}, { labels: { z: '4' } }],
      { labels: { x: '1', y: '2', z: '4' } },
      { 'labels.x': ['fleet'], 'labels.y': ['workflow'], 'labels.z': ['plan'] },
    ],
    [
      [{ inputs: { n: 1, m: 1 } }, {}, { fixedInputs: { n: 2 } }, {}],
      { inputs: { m: 1 }, fixedInputs: { n: 2 } },
      { 'inputs.m': ['fleet'], 'fixedInputs.n': ['group'] },
    ],
    [[{ priority: 1 }, { driver: true }, {}, {}], { driver: true }, { driver: ['workflow'] }],
    [
      [{}, {}, { podTemplate: { spec: { hostname: 'a' } } }, { podTemplate: { spec: { subdomain: 'b' } } }],
      { podTemplate: { spec: { hostname: 'a', subdomain: 'b' } } },
      { podTemplate: ['group', 'plan'] },
    ],
  ])('%j comes to %j', (said, settings, origins) => {
    const names = ['fleet', 'workflow', 'group', 'plan'] as const;
    const result = effective<object>(said.map((each, index) => ({ name: names[index]!, settings: each })));
    expect(result.settings).toEqual(settings);
    expect(Object.fromEntries(result.origins)).toEqual(origins);
  });

  it('by the fleet, its workflow, its group and itself is in its CronJob, with who said it', () => {
    const manifests = fleetOf(
      {
        timeout: Duration.hours(1),
        timeZone: 'Europe/Berlin',
        parallelism: 3,
        labels: { company: 'acme', tier: 'low' },
      },
      (chart) => {
        const { workflow } = workflowOf(chart, {
          parallelism: 5,
          env: { LEVEL: 'info', MODE: 'w' },
          labels: { tier: 'mid' },
        });
        new LaunchPlanGroup(chart, 'sites', {
          workflow,
          over: { site: ['a', 'b'] },
          schedule: Schedule.cron('@daily'),
          env: { MODE: 'g' },
          overrides: { b: { timeout: Duration.hours(2), labels: { tier: 'high' } } },
        });
      },
    );
    const plan = find(manifests, 'CronJob', /etl-b/);
    expect(plan.spec).toMatchObject({
      timeZone: 'Europe/Berlin',
      jobTemplate: {
        metadata: { labels: { company: 'acme', tier: 'high' } },
        spec: { parallelism: 5, activeDeadlineSeconds: 7200 },
      },
    });
    expect(overrideOf(plan.spec.jobTemplate as Manifest)).toEqual({
      metadata: { labels: { company: 'acme', tier: 'high' } },
      spec: {
        containers: [
          {
            name: 'main',
            env: [
              { name: 'LEVEL', value: 'info' },
              { name: 'MODE', value: 'g' },
            ],
          },
        ],
      },
    });
    expect(originsOf(plan)).toEqual({
      'env.LEVEL': 'workflow',
      'env.MODE': 'group',
      'fixedInputs.site': 'group',
      'labels.company': 'fleet',
      parallelism: 'workflow',
      schedule: 'group',
      timeZone: 'fleet',
    });
    expect(originsOf(find(manifests, 'CronJob', /etl-a/))).toMatchObject({ timeout: 'fleet' });
  });

  it('holds for a run as a manifest too', () => {
    const manifests = fleetOf({ parallelism: 3, timeout: Duration.hours(1) }, (chart) => {
      const { workflow } = workflowOf(chart, { parallelism: 5, labels: { team: 'x' } });
      new Run(chart, 'now', { workflow, inputs: { site: 'a' }, name: 'now', timeout: Duration.minutes(1) });
    });
    const { metadata, spec } = find(manifests, 'Job');
    expect(spec).toMatchObject({ parallelism: 5, activeDeadlineSeconds: 60 });
    expect(metadata.labels).toMatchObject({ team: 'x' });
  });

  it('of single tasks is what their Jobs can have', () => {
    const manifests = fleetOf({ parallelism: 3, priority: 4, timeout: Duration.hours(1), env: { A: 'b' } }, (chart) => {
      new LaunchPlan(chart, 'p', { task: workflowOf(chart).task, inputs: { site: 'a' } });
    });
    const { spec } = find(manifests, 'CronJob').spec.jobTemplate as Manifest;
    expect(spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(spec.template.spec.containers[0].env).toContainEqual({ name: 'A', value: 'b' });
  });

  it('is nothing in an app without a fleet but what its workflow and itself say', () => {
    const chart = new Chart(new App(), 'c');
    new LaunchPlan(chart, 'p', { workflow: workflowOf(chart, { parallelism: 2 }).workflow });
    const manifests = Testing.synth(chart) as Manifest[];
    expect(find(manifests, 'CronJob').spec.jobTemplate.spec.parallelism).toBe(2);
  });
});
