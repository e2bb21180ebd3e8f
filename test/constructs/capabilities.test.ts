import { Chart } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  InvalidError,
  LaunchPlan,
  Workflow,
  type ClusterCapabilities,
  type LaunchPlanSettings,
  type NoValues,
  type PodSettings,
} from 'cdk8s-workflows';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'capabilities-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

interface Case {
  readonly capabilities: ClusterCapabilities;
  readonly pod?: PodSettings;
  readonly plan?: Partial<LaunchPlanSettings<NoValues>>;
  /** The chart's. */
  readonly namespace?: string;
}

/** What synth says of a plan over a workflow, and of one over its task, on the cluster gpu-eu. */
function problemsOf({ capabilities, pod, plan, namespace }: Case, over: 'workflow' | 'task'): readonly string[] {
  const clusters = [{ name: 'gpu-eu', namespace: 'train', capabilities }, { name: 'other' }];
  const fleet = new Fleet({ clusters, outdir, defaultCluster: 'gpu-eu' }, (app) => {
    const chart = new Chart(app, 'c', { namespace });
    const task = new ContainerTask(chart, 'fit', { image: 'fit:1', ...pod });
    const workflow = new Workflow(chart, 'w', {}, ({ step }) => void step('fit', task));
    new LaunchPlan(chart, 'p', { ...(over === 'task' ? { task } : { workflow }), ...plan });
  });
  try {
    fleet.synth();
    return [];
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return error.problems.map(({ path, message }) => `[${path}] ${message}`);
  }
}

const nodes: ClusterCapabilities['nodes'] = [
  { labels: { pool: 'cpu' }, allocatable: { cpu: 16, memory: '64Gi' } },
  {
    labels: { pool: 'gpu', 'nvidia.com/gpu.product': 'A100' },
    allocatable: { 'nvidia.com/gpu': 8 },
    taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
  },
];
const asked = (requests: Record<string, string>) => ({ resources: { requests } });

describe('a plan on a cluster that says what it holds', () => {
  it.each<[string, Case]>([
    ['nothing is known', { capabilities: {}, pod: { gpu: { model: 'H100' } } }],
    ['a kind of node has its label', { capabilities: { nodes }, pod: { nodeSelector: { pool: 'cpu' } } }],
    [
      'a kind of node has its GPUs, and it tolerates their taint',
      { capabilities: { nodes }, pod: { gpu: { model: 'A100', count: 8 } } },
    ],
    [
      'it asks for what every node has',
      { capabilities: { nodes }, pod: { nodeSelector: { 'kubernetes.io/os': 'linux' } } },
    ],
    [
      'it asks for a zone, which nobody wrote down',
      {
        capabilities: { nodes },
        pod: {
          podTemplate: {
            spec: {
              affinity: {
                nodeAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: {
                    nodeSelectorTerms: [
                      { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-1'] }] },
                    ],
                  },
                },
              },
            },
          },
        },
      },
    ],
    [
      'it asks for a resource whose amount is not known',
      { capabilities: { nodes: [{ allocatable: {} }] }, pod: asked({ cpu: '400' }) },
    ],
    ['nothing is known of what the nodes have', { capabilities: { nodes: [{}] }, pod: { gpu: {} } }],
    ['it fits the quota', { capabilities: { quotas: { train: { cpu: 1, pods: 1 } } }, pod: asked({ cpu: '1' }) }],
    ['the quota is for another namespace', { capabilities: { quotas: { etl: { cpu: 1 } } }, pod: asked({ cpu: '2' }) }],
    ['its namespace is taken', { capabilities: { namespaces: ['train'] } }],
    [
      'it is on another cluster',
      { capabilities: { nodes }, pod: { nodeSelector: { pool: 'tpu' } }, plan: { cluster: 'other' } },
    ],
  ])('is all right when %s', (_why, given) => {
    expect([problemsOf(given, 'workflow'), problemsOf(given, 'task')]).toEqual([[], []]);
  });

  const none = 'spec: no node that the cluster "gpu-eu" declares can hold the pod:';
  const spot: ClusterCapabilities = { nodes: [...nodes, { labels: { 'eks.amazonaws.com/capacityType': 'SPOT' } }] };
  it.each<[string, Case, readonly string[]]>([
    ['it goes to spot nodes, and there are some', { capabilities: spot, plan: { spot: true } }, []],
    [
      'its task does, and the plan keeps it off them',
      { capabilities: { nodes }, pod: { spot: true }, plan: { spot: false } },
      [],
    ],
    [
      'it goes to spot nodes, of which there are none',
      { capabilities: { nodes }, plan: { spot: { selector: { pool: 'spot' } } } },
      [
        'step fit on spot nodes: spec: no node that the cluster "gpu-eu" declares can hold the pod: nodes[0] has pool=cpu, not spot (spec.nodeSelector.pool); place the plan elsewhere, or correct what it asks or what the cluster declares (on gpu-eu)',
      ],
    ],
    [
      'its task does',
      { capabilities: { nodes }, pod: { spot: { selector: { pool: 'spot' } } } },
      [
        'step fit on spot nodes: spec: no node that the cluster "gpu-eu" declares can hold the pod: nodes[0] has pool=cpu, not spot (spec.nodeSelector.pool); place the plan elsewhere, or correct what it asks or what the cluster declares (on gpu-eu)',
      ],
    ],
    [
      'what it says of spot nodes makes no pod',
      { capabilities: {}, plan: { spot: { selector: { 'a b': 'x' } } } },
      [
        'CronJob p: step fit on spot nodes: spec.nodeSelector.a b: the key "a b" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit; rename it (on gpu-eu)',
      ],
    ],
  ])('and its steps are looked at where %s', (_why, given, expected) => {
    expect(problemsOf(given, 'workflow')).toEqual(expected.map((problem) => `[c/p] ${problem}`));
  });

  it('is no more told of than its steps when these make no pod at all', () => {
    const pod = { podTemplate: { spec: { $patch: 'x' } as never } };
    expect(problemsOf({ capabilities: { nodes }, pod }, 'workflow')).toEqual([
      expect.stringMatching(/^\[c\/w\/fit\] podTemplate\.spec: \$patch is "x"/),
    ]);
  });

  it.each<[string, Case, readonly string[]]>([
    [
      'no node has its label',
      { capabilities: { nodes }, pod: { nodeSelector: { pool: 'tpu' } } },
      [`${none} nodes[0] has pool=cpu, not tpu (spec.nodeSelector.pool)`],
    ],
    [
      'no node has so many GPUs',
      { capabilities: { nodes }, pod: { gpu: { model: 'A100', count: 16 } } },
      [`${none} nodes[1] has 8 of 16 nvidia.com/gpu (spec.containers.resources)`],
    ],
    [
      'no node has any GPU',
      { capabilities: { nodes: nodes.slice(0, 1) }, pod: { gpu: {} } },
      [`${none} nodes[0] has no nvidia.com/gpu, of which 1 is asked (spec.containers.resources)`],
    ],
    [
      'no node is of the model',
      { capabilities: { nodes: nodes.slice(1) }, pod: { gpu: { model: 'H100' } } },
      [`${none} nodes[0] has nvidia.com/gpu.product=A100, not H100 (spec.nodeSelector.nvidia.com/gpu.product)`],
    ],
    [
      'it does not tolerate the taint',
      { capabilities: { nodes }, pod: { nodeSelector: { pool: 'gpu' } } },
      [
        `${none} nodes[0] has pool=cpu, not gpu (spec.nodeSelector.pool); nodes[1] has the taint nvidia.com/gpu:NoSchedule, which is not tolerated (spec.tolerations)`,
      ],
    ],
    [
      'the plan changes its pod to one that does not fit',
      { capabilities: { nodes }, plan: { podTemplate: { spec: { nodeSelector: { pool: 'tpu' } } } } },
      [`${none} nodes[0] has pool=cpu, not tpu (spec.nodeSelector.pool)`],
    ],
    [
      'it is a backup there',
      {
        capabilities: { nodes },
        pod: { nodeSelector: { pool: 'tpu' } },
        plan: { cluster: 'other', backups: ['gpu-eu'] },
      },
      [`${none} nodes[0] has pool=cpu, not tpu (spec.nodeSelector.pool)`],
    ],
    [
      'one pod is more than the quota',
      {
        capabilities: { quotas: { train: { 'requests.cpu': 1, 'limits.memory': '1Gi', pods: 0 } } },
        pod: { resources: { requests: { cpu: '1500m' }, limits: { memory: '2Gi' } } },
      },
      [
        'spec.containers.resources: 1500m is more requests.cpu than the cluster "gpu-eu" has for the namespace "train": 1',
        'spec.containers.resources: 2Gi is more limits.memory than the cluster "gpu-eu" has for the namespace "train": 1Gi',
        'spec.containers.resources: 1 is more pods than the cluster "gpu-eu" has for the namespace "train": 0',
      ],
    ],
  ])('is refused when %s', (_why, given, problems) => {
    const told = (before: string) => problems.map((problem) => expect.stringContaining(`[c/p] ${before}${problem}`));
    expect(problemsOf(given, 'workflow')).toEqual(told('step fit: '));
    expect(problemsOf(given, 'task')).toEqual(told(''));
  });

  it('is refused in a namespace that the cluster does not take', () => {
    for (const namespace of ['etl', undefined])
      expect(problemsOf({ capabilities: { namespaces: ['ml', 'ops'] }, namespace }, 'workflow')).toEqual([
        `[c/p] namespace: "${namespace ?? 'train'}" is none that the cluster "gpu-eu" takes plans in; it takes ml, ops (on gpu-eu)`,
      ]);
  });
});
