import { Testing } from 'cdk8s';
import { Secret, ServiceAccount } from 'cdk8s-plus-28';
import {
  ContainerTask,
  LaunchPlan,
  Schedule,
  TaskJob,
  TaskPod,
  Workflow,
  type ExecutionSettings,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import type { Layer } from '../../lib/pods/layer.ts';
import { find, synth, synthProblems, type Manifest } from './support.ts';

const spot = { selector: { pool: 'spot' }, toleration: { key: 'spot', operator: 'Exists' } };

/** What comes of a task on spot nodes and of a step that uses it. */
function made(override: ExecutionSettings = {}): { readonly manifests: readonly Manifest[]; readonly step: Manifest } {
  const manifests = synth((chart) => {
    const task = new ContainerTask(chart, 'train', {
      image: 'train:1',
      gpu: { model: 'v100', label: 'gpu' },
      nodeSelector: { zone: 'a' },
      spot,
    });
    new Workflow(chart, 'w', {}, ({ step }) => void step('train', task).override(override));
    new TaskJob(chart, 'job', { task, override });
    new TaskPod(chart, 'pod', { task });
    new LaunchPlan(chart, 'plan', { task, schedule: Schedule.cron('0 0 * * *'), serviceAccount: 'etl' });
  });
  const graph = JSON.parse(find(manifests, 'ConfigMap').data['graph.json']) as { readonly steps: readonly Manifest[] };
  return { manifests, step: graph.steps[0]! };
}

describe('spot', () => {
  it('is no part of a step’s template: the graph has it apart, so that the engine may leave it out', () => {
    const { manifests, step } = made();
    const { spec } = find(manifests, 'PodTemplate').template;
    expect(spec.nodeSelector).toEqual({ zone: 'a', gpu: 'v100' });
    expect(spec.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(step.spot).toEqual({
      value: {
        spec: { nodeSelector: { pool: 'spot' }, tolerations: [...spec.tolerations, spot.toleration] },
      },
    });
  });

  it('is part of the pod of a single task, whose attempts are Kubernetes’ own', () => {
    const { manifests } = made();
    const pods = [
      find(manifests, 'Job').spec.template.spec,
      find(manifests, 'Pod').spec,
      find(manifests, 'CronJob').spec.jobTemplate.spec.template.spec,
    ];
    for (const { nodeSelector, tolerations } of pods) {
      expect(nodeSelector).toEqual({ zone: 'a', gpu: 'v100', pool: 'spot' });
      expect(tolerations).toContainEqual(spot.toleration);
    }
    expect(pods[2].serviceAccountName).toBe('etl');
  });

  it.each([false, null])('is switched off by %s', (off) => {
    const { manifests, step } = made({ spot: off });
    expect(step).not.toHaveProperty('spot');
    expect(find(manifests, 'Job').spec.template.spec.nodeSelector).toEqual({ zone: 'a', gpu: 'v100' });
  });

  it('is in the layers of a step, with who asked for it and where', () => {
    const asked = (override: ExecutionSettings) => {
      const chart = Testing.chart();
      const task = new ContainerTask(chart, 'train', { image: 'train:1', spot });
      let layers: readonly Layer[] = [];
      new Workflow(chart, 'w', {}, ({ step }) => void (layers = step('s', task).override(override).layers));
      return layers.at(-1);
    };
    const at = expect.stringMatching(/settings\.test\.ts:\d+$/) as string;
    expect(asked({})).toMatchObject({ kind: 'task', source: 'test/train', at });
    expect(asked({ spot: true })).toMatchObject({ kind: 'step override', source: 'test/w/s', at });
  });

  it('changes what it names', () => {
    expect(made({ spot: { selector: { pool: 'cheap' } } }).step.spot.value.spec).toMatchObject({
      nodeSelector: { pool: 'cheap' },
      tolerations: [{}, spot.toleration],
    });
  });
});

describe('settings of a step and of a single task', () => {
  it('know those of the task, to put others in their place', () => {
    const { manifests } = made({ gpu: { vendor: 'amd', model: 'mi300' } });
    for (const spec of [find(manifests, 'PodTemplate').template.spec, find(manifests, 'Job').spec.template.spec]) {
      expect(spec.containers[0].resources.limits).toEqual({ 'amd.com/gpu': '1' });
      expect(spec.nodeSelector).toMatchObject({ zone: 'a', gpu: 'mi300' });
      expect(JSON.stringify(spec)).not.toContain('nvidia');
    }
  });

  it('know those of earlier overrides', () => {
    const manifests = synth((chart) => {
      const task = new ContainerTask(chart, 't', { image: 'i:1' });
      new Workflow(chart, 'w', {}, ({ step }) => {
        step('s', task)
          .override({ volumes: { data: { mountPath: '/a', emptyDir: {} } } })
          .override({ volumes: { data: { mountPath: '/b' } } });
      });
    });
    expect(find(manifests, 'PodTemplate').template.spec.containers[0].volumeMounts).toEqual([
      { name: 'data', mountPath: '/b' },
    ]);
  });

  it('take the names of constructs', () => {
    const manifests = synth((chart) => {
      const secret = new Secret(chart, 'token', { metadata: { name: 'token' } });
      const serviceAccount = new ServiceAccount(chart, 'account', { metadata: { name: 'etl' } });
      const env = { TOKEN: { secret, key: 'token' } };
      const task = new ContainerTask(chart, 't', { image: 'i:1', serviceAccount, env, imagePullSecrets: [secret] });
      new Workflow(chart, 'w', {}, ({ step }) => void step('s', task));
    });
    expect(find(manifests, 'PodTemplate').template.spec).toMatchObject({
      serviceAccountName: 'etl',
      imagePullSecrets: [{ name: 'token' }],
      containers: [{ env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'token', key: 'token' } } }] }],
    });
  });

  it.each<[string, ExecutionSettings, RegExp]>([
    ['an amount that is none', { sharedMemory: '2GB' }, /sizeLimit.*"2GB"/],
    ['a mount without its volume', { sidecars: { a: { image: 'a', mounts: { '/d': 'data' } } } }, /no volume "data"/],
    ['a container of the main one’s name', { sidecars: { main: { image: 'a' } } }, /main/],
    ['a request above its limit', { resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }, /above the limit/],
    ['part of a GPU', { gpu: { count: 0.5 } }, /nvidia\.com\/gpu.*"0\.5" is not whole/],
  ])('are told when they make no pod: %s', (_name, override, problem) => {
    const define = (chart: Construct) => {
      const task = new ContainerTask(chart, 't', { image: 'i:1' });
      new Workflow(chart, 'w', {}, ({ step }) => void step('s', task).override(override));
    };
    expect(synthProblems(define).join('\n')).toMatch(problem);
  });
});
