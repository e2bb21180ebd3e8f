import { ApiObject } from 'cdk8s';
import {
  ContainerTask,
  LaunchPlan,
  TaskJob,
  TaskPod,
  validateManifests,
  Workflow,
  type PodTemplateOverride,
  type RunSettings,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { synthProblems } from './support.ts';

const main = (container: object): PodTemplateOverride => ({ spec: { containers: [{ name: 'main', ...container }] } });
const mount = main({ volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] });
const plan = (scope: Construct, settings: RunSettings, podTemplate?: PodTemplateOverride) => {
  const task = new ContainerTask(scope, 'extract', { image: 'etl:1', podTemplate });
  const workflow = new Workflow(scope, 'etl', {}, ({ step }) => {
    step('extract', task);
    step('load', task);
  });
  return new LaunchPlan(scope, 'plan', { workflow, ...settings });
};
const MOUNTED = 'spec.containers[main].volumeMounts[/scratch]: there is no volume "scratch"; add it to spec.volumes';

describe('a pod that is none, though all its fields are right', () => {
  it('is told of the step', () => {
    expect(synthProblems((chart) => void plan(chart, {}, mount))).toEqual([
      `[etl/extract] PodTemplate etl-extract: template.${MOUNTED}`,
      `[etl/load] PodTemplate etl-load: template.${MOUNTED}`,
    ]);
  });

  it('is told of the plan where only the plan makes it so', () => {
    expect(synthProblems((chart) => void plan(chart, { podTemplate: mount, serviceAccount: 'etl' }))).toEqual([
      `[plan] CronJob plan: step extract: ${MOUNTED}`,
      `[plan] CronJob plan: step load: ${MOUNTED}`,
    ]);
  });

  it('is told once for all steps where it is the account that a plan names', () => {
    const problems = synthProblems((chart) => void plan(chart, { serviceAccount: 'Etl' }));
    expect(problems).toEqual([
      expect.stringMatching(/^\[plan\] CronJob plan: podTemplate\.spec\.serviceAccountName: "Etl" /),
    ]);
  });

  it('is told of an object of others in a scope that is checked', () => {
    const problems = synthProblems((chart) => {
      validateManifests(chart);
      new ApiObject(chart, 'pod', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: mount.spec });
    });
    expect(problems).toEqual([
      '[pod] Pod x: spec.containers[main].image: is missing; set the image that the container runs',
      `[pod] Pod x: ${MOUNTED}`,
    ]);
  });

  it('is told with all else that is wrong where an item of a list has no key', () => {
    const podTemplate = { spec: { containers: [{ image: 'x' }], hostNetwork: 'yes' } } as never;
    const item = 'podTemplate.spec.containers: the item {"image":"x"} has no name';
    const fix = 'items are merged by name: set it';
    const network = 'podTemplate.spec.hostNetwork: must be true or false, not "yes"';
    expect(synthProblems((chart) => void plan(chart, { podTemplate, labels: { a: '!' } }))).toEqual([
      expect.stringContaining('[plan] labels.a: "!" must be'),
      `[plan] CronJob plan: ${network}`,
      `[plan] CronJob plan: ${item}; ${fix}`,
    ]);
    const where = (layer: string, path: string) => `[${path}] ${item} (${layer} of chart/${path} (`;
    const told = synthProblems((chart) => {
      const task = new ContainerTask(chart, 'extract', { image: 'etl:1' });
      new LaunchPlan(chart, 'plan', { task, podTemplate });
      new TaskJob(chart, 'job', { task, override: { podTemplate } });
      new TaskPod(chart, 'pod', { task, override: { podTemplate }, name: 'Pod' });
    });
    expect(told).toEqual([
      expect.stringContaining(where('plan override', 'plan')),
      expect.stringContaining(where('step override', 'job')),
      expect.stringContaining('[pod] name: "Pod" must be'),
      expect.stringContaining(where('step override', 'pod')),
    ]);
  });
});
