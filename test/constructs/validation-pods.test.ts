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
  type StepOverride,
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
    const ofTask = MOUNTED.replace(';', ' (task of chart/extract (test/constructs/validation-pods.test.ts:<line>));');
    expect(synthProblems((chart) => void plan(chart, {}, mount))).toEqual([
      `[etl/extract] PodTemplate etl-extract: template.${ofTask}`,
      `[etl/load] PodTemplate etl-load: template.${ofTask}`,
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

describe('what an override makes of a step is refused with the path, the layer, the value and what to do', () => {
  const container = (fields: object, name = 'main') => ({
    podTemplate: { spec: { containers: [{ name, ...fields }] } },
  });
  const of = 'step override of chart/etl/extract (test/constructs/validation-pods.test.ts:<line>)';

  it.each<[string, StepOverride, string]>([
    [
      'two containers of one name',
      { sidecars: { main: { image: 'proxy:1' } } },
      `spec.initContainers[main]: has the name of a container in spec.containers (${of}); all containers of a pod need names of their own: rename one`,
    ],
    [
      'a mount without its volume',
      container({ volumeMounts: [{ name: 'date', mountPath: '/data' }] }),
      `spec.containers[main].volumeMounts[/data]: there is no volume "date" (${of}); did you mean "data"?`,
    ],
    [
      'a request above its limit',
      { resources: { requests: { memory: '2Gi' } } },
      `spec.containers[main].resources.requests.memory: "2Gi" is above the limit of "1Gi" (${of}); lower the request or raise the limit`,
    ],
    [
      'an invalid quantity',
      { resources: { limits: { memory: '2GB' } } },
      `spec.containers[main].resources.limits.memory: must be a quantity such as "500m", "2" or "8Gi", not "2GB" (${of}); did you mean "2G"?`,
    ],
    [
      'a label that Kubernetes refuses',
      { labels: { team: 'data science' } },
      `metadata.labels.team: "data science" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit (${of}); rename it`,
    ],
    [
      'a name that Kubernetes refuses',
      container({ image: 'proxy:1' }, 'Proxy'),
      `spec.containers[Proxy].name: "Proxy" must be lower-case letters, digits and "-", and begin and end with a letter or digit (${of}); rename it`,
    ],
  ])('%s', (_, override, problem) => {
    const told = synthProblems((chart) => {
      const task = new ContainerTask(chart, 'extract', {
        image: 'etl:1',
        resources: { limits: { memory: '1Gi' } },
        volumes: { data: { mountPath: '/d', emptyDir: {} } },
      });
      new Workflow(chart, 'etl', {}, ({ step }) => void step('extract', task).override(override));
    });
    expect(told).toEqual([`[etl/extract] PodTemplate etl-extract: template.${problem}`]);
  });
});
