import { Chart } from 'cdk8s';
import { ContainerTask, Fleet, LaunchPlan, Schedule, TaskJob, TaskPod, Workflow, z } from 'cdk8s-workflows';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { resolve } from '../../lib/engine/resolve.ts';
import { edgesOf } from '../../lib/graph/edges.ts';
import type { Graph, TaskStep } from '../../lib/graph/graph.ts';
import { topology } from '../../lib/graph/topology.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { find, synth, synthProblems, type Manifest } from './support.ts';

const graphIn = (manifests: readonly Manifest[]) =>
  JSON.parse(find(manifests, 'ConfigMap').data['graph.json'] as string) as Graph;

/** The step `s` in the graph, and the spec of its pod template. */
function made(manifests: readonly Manifest[]) {
  const step = graphIn(manifests).steps.find(({ name }) => name === 's') as TaskStep;
  const { spec } = find(manifests, 'PodTemplate', /-s-/).template as PodTemplate;
  return { step, spec: spec!, main: spec!.containers[0]! };
}

/** What values make of the pod. */
function filled({ pod }: TaskStep, inputs: JsonObject, outputs: Record<string, JsonObject> = {}) {
  return (
    resolve(pod!, {
      inputs,
      outputs: (step) => outputs[step],
      lacks: () => false,
      status: () => undefined,
      holds: () => false,
    }) as PodTemplate
  ).spec;
}

describe('inputs of the workflow in an override', () => {
  const manifests = synth((chart) => {
    const task = new ContainerTask(chart, 't', {
      image: 'train:1',
      resources: { requests: { cpu: 1 }, limits: { memory: '8Gi' } },
      nodeSelector: { pool: 'training' },
    });
    const inputs = {
      memory: z.string(),
      cpus: z.number(),
      gpu: z.string(),
      gpus: z.int(),
      image: z.string(),
      size: z.string().optional(),
      tags: z.array(z.string()),
    };
    new Workflow(chart, 'w', { inputs }, ({ inputs: { memory, cpus, gpu, gpus, image, size, tags }, step }) => {
      step('s', task).override({
        image,
        resources: { limits: { memory, cpu: cpus } },
        gpu: { model: gpu, count: gpus, label: 'gpu' },
        nodeSelector: { zone: gpu },
        sharedMemory: size,
        priorityClass: size,
        env: { TAGS: tags, SIZE: size },
        podTemplate: { spec: { terminationGracePeriodSeconds: gpus } },
      });
    });
  });

  it('are no part of its template, where what they stand over stays', () => {
    const { spec, main } = made(manifests);
    expect(main).toMatchObject({
      image: 'train:1',
      env: [{ name: 'TAGS' }, { name: 'SIZE' }],
      resources: { requests: { cpu: '1' }, limits: { memory: '8Gi' } },
    });
    expect(spec.nodeSelector).toEqual({ pool: 'training' });
    expect(spec.volumes).toEqual([{ name: 'shared-memory', emptyDir: { medium: 'Memory' } }]);
    expect(spec.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
  });

  it('are in the graph, each in its place', () => {
    const given = { memory: '64Gi', cpus: 1.5, gpu: 'a100', gpus: 2, image: 'train:2', size: '2Gi', tags: ['a', 'b'] };
    expect(filled(made(manifests).step, given)).toEqual({
      terminationGracePeriodSeconds: 2,
      priorityClassName: '2Gi',
      nodeSelector: { gpu: 'a100', zone: 'a100' },
      volumes: [{ name: 'shared-memory', emptyDir: { sizeLimit: '2Gi' } }],
      containers: [
        {
          name: 'main',
          image: 'train:2',
          imagePullPolicy: null,
          env: [
            { name: 'TAGS', value: '["a","b"]' },
            { name: 'SIZE', value: '2Gi' },
          ],
          resources: { limits: { memory: '64Gi', cpu: '1.5', 'nvidia.com/gpu': '2' } },
        },
      ],
    });
  });

  it('leave no trace where none was given', () => {
    const given = { memory: '64Gi', cpus: 1, gpu: 'a100', gpus: 2, image: 'train:2', tags: [] };
    const spec = filled(made(manifests).step, given);
    expect(spec).not.toHaveProperty('priorityClassName');
    expect(spec?.volumes).toEqual([{ name: 'shared-memory', emptyDir: {} }]);
  });
});

describe('inputs of a task in its own settings', () => {
  /** A task whose pod is made by its inputs. */
  const sized = (chart: ConstructorParameters<typeof ContainerTask>[0]) =>
    new ContainerTask(chart, 't', {
      image: ({ version }) => version,
      inputs: {
        version: z.string(),
        memory: z.string().default('2Gi'),
        gpu: z.string().optional(),
        tags: z.array(z.string()).optional(),
      },
      resources: ({ memory }) => ({ limits: { memory } }),
      nodeSelector: ({ gpu }) => ({ gpu }),
      env: ({ version, tags }) => ({ VERSION: version, TAGS: tags }),
    });

  it('are filled in at synth where a step gives values, or defaults hold', () => {
    const { step, spec, main } = made(
      synth((chart) => {
        const task = sized(chart);
        new Workflow(chart, 'w', {}, ({ step }) => void step('s', task, { version: 'i:$(V)', gpu: 'a100' }));
      }),
    );
    expect(step).not.toHaveProperty('pod');
    expect(spec.nodeSelector).toEqual({ gpu: 'a100' });
    expect(main).toEqual({
      name: 'main',
      image: 'i:$(V)',
      env: [{ name: 'VERSION', value: 'i:$$(V)' }],
      resources: { limits: { memory: '2Gi' } },
    });
  });

  it('become what the workflow knows where a step gives that', () => {
    const manifests = synth((chart) => {
      const task = sized(chart);
      const inputs = { image: z.string(), tag: z.string(), gpu: z.string().optional() };
      new Workflow(chart, 'w', { inputs }, ({ inputs, step }) => {
        step('s', task, { version: inputs.image, gpu: inputs.gpu.or('v100'), tags: [inputs.tag, 'fixed'] });
      });
    });
    expect(filled(made(manifests).step, { image: 'i:2', tag: 'x' })).toEqual({
      nodeSelector: { gpu: 'v100' },
      containers: [
        {
          name: 'main',
          image: 'i:2',
          imagePullPolicy: null,
          env: [
            { name: 'VERSION', value: 'i:2' },
            { name: 'TAGS', value: '["x","fixed"]' },
          ],
        },
      ],
    });
  });

  it('are overridden by a step like anything else', () => {
    const { step, main } = made(
      synth((chart) => {
        const task = sized(chart);
        new Workflow(chart, 'w', { inputs: { image: z.string() } }, ({ inputs, step }) => {
          step('s', task, { version: inputs.image }).override({ image: 'pinned:1', env: { VERSION: null } });
        });
      }),
    );
    expect(step).not.toHaveProperty('pod');
    expect(main).toMatchObject({ image: 'pinned:1', env: [] });
  });

  it('are values in the pod of a single task', () => {
    const manifests = synth((chart) => {
      const task = sized(chart);
      new TaskPod(chart, 'pod', { task, inputs: { version: 'i:1' } });
      new TaskJob(chart, 'job', { task, inputs: { version: 'i:1', gpu: 'a100' } });
      new LaunchPlan(chart, 'plan', { task, inputs: { version: 'i:1' }, schedule: Schedule.cron('0 0 * * *') });
    });
    const pods = [
      find(manifests, 'Pod').spec,
      find(manifests, 'Job').spec.template.spec,
      find(manifests, 'CronJob').spec.jobTemplate.spec.template.spec,
    ] as PodTemplate['spec'][];
    for (const pod of pods)
      expect(pod?.containers[0]).toMatchObject({ image: 'i:1', resources: { limits: { memory: '2Gi' } } });
    expect(pods.map((pod) => pod?.nodeSelector)).toEqual([{}, { gpu: 'a100' }, {}]);
  });
});

describe('an output of a step in the pod of another', () => {
  const manifests = synth((chart) => {
    const measure = new ContainerTask(chart, 'm', { image: 'm:1', outputs: { memory: z.string() } });
    const task = new ContainerTask(chart, 't', { image: 'i:1' });
    new Workflow(chart, 'w', {}, ({ step }) => {
      const { outputs } = step('measure', measure);
      step('s', task).override({ resources: { limits: { memory: outputs.memory } }, spot: { selector: { a: 'b' } } });
    });
  });
  const graph = graphIn(manifests);

  it('passes data from one to the other', () => {
    expect(edgesOf(graph)).toEqual([{ from: 'measure', to: 's', kind: 'data', labels: ['memory'] }]);
    expect(topology(graph).byName.get('s')!.edges.size).toBe(1);
  });

  it('is filled in on spot nodes and elsewhere', () => {
    const { step } = made(manifests);
    const main = { name: 'main', resources: { limits: { memory: '3Gi' } } };
    const outputs = { measure: { memory: '3Gi' } };
    expect(filled(step, {}, outputs)).toEqual({ containers: [main] });
    expect(filled({ ...step, pod: step.spot! }, {}, outputs)).toMatchObject({
      nodeSelector: { a: 'b' },
      containers: [main],
    });
  });
});

describe('values of a workflow in pods are refused', () => {
  const problemsOf = (define: Parameters<typeof synthProblems>[0]) => synthProblems(define).join('\n');

  it('where they are of another workflow or task', () => {
    const problems = problemsOf((chart) => {
      const task = new ContainerTask(chart, 't', { image: 'i:1' });
      let foreign: unknown;
      new ContainerTask(chart, 'u', {
        image: 'i:1',
        inputs: { a: z.string() },
        nodeSelector: ({ a }) => ((foreign = a), {}),
      });
      new Workflow(chart, 'v', { inputs: { a: z.string() } }, ({ inputs, step }) => {
        step('x', task).override({ nodeSelector: { a: foreign as never } });
        new Workflow(chart, 'w', {}, ({ step: inner }) => {
          inner('s', task).override({ env: { A: inputs.a as never } });
        });
      });
    });
    expect(problems).toMatchInlineSnapshot(`
      "[v/x] podTemplate.spec.nodeSelector.a: inputs.a belongs to another task; pass it in as an input of this workflow
      [w/s] podTemplate.spec.containers[main].env[A].value: inputs.a belongs to another workflow; pass it in as an input of this workflow"
    `);
  });

  it('where no run would know them', () => {
    const problems = problemsOf((chart) => {
      let foreign: unknown;
      new Workflow(chart, 'w', { inputs: { a: z.string() } }, ({ inputs }) => void (foreign = inputs.a));
      const image = foreign as string;
      new TaskJob(chart, 'job', { task: new ContainerTask(chart, 't', { image: 'i:1' }), override: { image } });
      const task = new ContainerTask(chart, 'u', { image });
      new TaskPod(chart, 'pod', { task });
      new LaunchPlan(chart, 'plan', { task });
    });
    expect(problems).toMatchInlineSnapshot(`
      "[job] podTemplate.spec.containers[main].image: inputs.a is not known at synth, where this pod is made; give a value, or an input of the task
      [pod] podTemplate.spec.containers[main].image: inputs.a is not known at synth, where this pod is made; give a value, or an input of the task
      [plan] podTemplate.spec.containers[main].image: inputs.a is not known at synth, where this pod is made; give a value, or an input of the task"
    `);
  });

  it('by a launch of a single task, whose pod is made of them at synth', () => {
    const manifests = synth((chart) => {
      const task = new ContainerTask(chart, 't', {
        image: 'i:1',
        inputs: { site: z.string(), memory: z.string(), gpu: z.string().optional() },
        resources: ({ memory }) => ({ limits: { memory } }),
        podTemplate: ({ gpu }) => ({ spec: { nodeSelector: () => ({ gpu }) } }),
      });
      new LaunchPlan(chart, 'plan', { task, inputs: { site: 'a', memory: '1Gi' } });
    });
    const { metadata } = find(manifests, 'CronJob');
    expect(metadata.annotations).toMatchObject({ 'cdk8s-workflows.dev/fixed-inputs': '["gpu","memory"]' });
  });

  it('where they are the key of an item', () => {
    const problems = problemsOf((chart) => {
      const task = new ContainerTask(chart, 't', { image: 'i:1' });
      new Workflow(chart, 'w', { inputs: { a: z.string() } }, ({ inputs, step }) => {
        step('s', task).override({ podTemplate: { spec: { imagePullSecrets: [{ name: inputs.a }] } } });
      });
    });
    expect(problems).toMatchInlineSnapshot(
      `"[w/s] podTemplate.spec.imagePullSecrets: the name of an item is inputs.a, and items are merged by it (step override of chart/w/s (test/constructs/values.test.ts:<line>)); write it out"`,
    );
  });

  it('where a policy holds the field', () => {
    const podPolicy = { spec: { priorityClassName: 'batch' } };
    const outdir = mkdtempSync(join(tmpdir(), 'values-'));
    onTestFinished(() => rmSync(outdir, { recursive: true }));
    const fleet = new Fleet({ clusters: [{ name: 'eu', podPolicy }], outdir }, (app) => {
      const chart = new Chart(app, 'chart');
      const task = new ContainerTask(chart, 't', { image: 'i:1' });
      new Workflow(chart, 'w', { inputs: { a: z.string() } }, ({ inputs, step }) => {
        step('s', task).override({ priorityClass: inputs.a });
      });
    });
    expect(() => fleet.synth()).toThrow(
      /priorityClassName: is inputs\.a and must be "batch": step override of .*, cluster policy of eu/,
    );
  });
});
