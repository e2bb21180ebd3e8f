import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeFindings, unknownFindings } from '../../../lib/fleet/preflight/node-check.ts';
import { nodeMismatches, type NodeObject } from '../../../lib/pods/node-match.ts';
import type { PlanAsk } from '../../../lib/fleet/preflight/plan-asks.ts';
import { podAmounts, type ContainerDefaults } from '../../../lib/pods/pod-amounts.ts';
import type { PodTemplate } from '../../../lib/pods/template.ts';

type Spec = NonNullable<PodTemplate['spec']>;
const none: ContainerDefaults = { requests: {}, limits: {} };

const node = (
  name: string,
  labels: Record<string, string>,
  fields: { spec?: object; status?: object } = {},
): NodeObject =>
  ({
    metadata: { name, labels },
    spec: fields.spec ?? {},
    status: { allocatable: { cpu: '8', memory: '32Gi', pods: '110' }, ...fields.status },
  }) as never;

const mismatches = (spec: object, of: NodeObject): string[] => {
  const pod = { containers: [], ...spec } as Spec;
  return nodeMismatches(pod, podAmounts(pod, none).requests, of).map(({ text }) => text);
};
const asks = (requests: object) => ({ containers: [{ name: 'main', resources: { requests } }] });
const affinity = (...terms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
});
const expression = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });
const tainted = (effect: string) => ({ spec: { taints: [{ key: 'dedicated', value: 'gpu', effect }] } });

it.each<[string, object, NodeObject, string[]]>([
  ['nothing asked', {}, node('n', {}), []],
  ['a selector that fits', { nodeSelector: { gpu: 'a100' } }, node('n', { gpu: 'a100' }), []],
  [
    'a selector with another value',
    { nodeSelector: { gpu: 'a100' } },
    node('n', { gpu: 'v100' }),
    ['has gpu=v100, not a100'],
  ],
  ['a selector without a label', { nodeSelector: { gpu: 'a100' } }, node('n', {}), ['lacks the label gpu=a100']],
  [
    'a taint',
    {},
    node('n', {}, tainted('NoSchedule')),
    ['has the taint dedicated=gpu:NoSchedule, which is not tolerated'],
  ],
  ['a taint that only prefers', {}, node('n', {}, tainted('PreferNoSchedule')), []],
  [
    'a taint that is tolerated',
    { tolerations: [{ key: 'dedicated', value: 'gpu' }] },
    node('n', {}, tainted('NoExecute')),
    [],
  ],
  [
    'a taint that is tolerated whatever it is',
    { tolerations: [{ operator: 'Exists' }] },
    node('n', {}, tainted('NoExecute')),
    [],
  ],
  [
    'a taint whose other effect is tolerated',
    { tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }] },
    node('n', {}, tainted('NoSchedule')),
    ['has the taint dedicated=gpu:NoSchedule, which is not tolerated'],
  ],
  [
    'a cordoned node',
    {},
    node('n', {}, { spec: { unschedulable: true } }),
    ['has the taint node.kubernetes.io/unschedulable:NoSchedule, which is not tolerated'],
  ],
  [
    'a node that is not ready',
    {},
    node('n', {}, { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }),
    ['is not ready'],
  ],
  ['too little of a resource', asks({ cpu: '12' }), node('n', {}), ['has 8 of 12 cpu']],
  [
    'a resource that there is not',
    asks({ 'nvidia.com/gpu': '2' }),
    node('n', {}),
    ['has no nvidia.com/gpu, of which 2 is asked'],
  ],
  [
    'affinity: one of two terms',
    affinity({ matchExpressions: [expression('a', 'In', 'x')] }, { matchExpressions: [expression('b', 'Exists')] }),
    node('n', { b: '1' }),
    [],
  ],
  [
    'affinity: all expressions of a term',
    affinity({
      matchExpressions: [expression('a', 'NotIn', 'x'), expression('b', 'DoesNotExist'), expression('size', 'Gt', '4')],
    }),
    node('n', { a: 'y', b: '1', size: '4' }),
    ['has b=1, not DoesNotExist', 'has size=4, not Gt 4'],
  ],
  ['affinity: an empty term', affinity({}), node('n', {}), ['is matched by no term of the required node affinity']],
  [
    'affinity: the name of a node',
    affinity({ matchFields: [expression('metadata.name', 'In', 'n')] }),
    node('n', {}),
    [],
  ],
])('tells why a node cannot hold a pod: %s', (_, spec, of, reasons) => {
  expect(mismatches(spec, of)).toEqual(reasons);
});

it('lets a pod onto a node that has exactly what it asks for, and not onto one with less', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64_000 }), (milli) => {
      const of = (cpu: number) => node('n', {}, { status: { allocatable: { cpu: `${cpu}m` } } });
      const pod = asks({ cpu: `${milli}m` });
      expect(mismatches(pod, of(milli))).toEqual([]);
      expect(mismatches(pod, of(milli - 1))).toHaveLength(1);
    }),
  );
});

describe('steps that no node can hold', () => {
  const plan = (name: string, ...specs: object[]): PlanAsk => ({
    kind: 'plan',
    name,
    namespace: 'etl',
    managed: true,
    fires: true,
    unknown: [],
    runs: [
      {
        parallelism: 4,
        pods: specs.map((spec, index) => ({
          step: `train/s${index}`,
          template: { spec: { containers: [], ...spec } },
          atOnce: 1,
          runAsJob: false,
        })),
      },
    ],
  });
  const told = (plans: PlanAsk[], nodes: NodeObject[]) =>
    nodeFindings(plans, nodes, () => none).map(({ message }) => message);
  const a100 = { nodeSelector: { gpu: 'a100' } };
  const nodes = [node('cpu-1', {}), node('gpu-1', { gpu: 'v100' }), node('gpu-2', { gpu: 'v100' })];

  it('are told once, with the plans that have them and the nearest nodes', () => {
    expect(told([plan('p', a100, {}, a100), plan('q', a100), plan('r', a100)], nodes)).toEqual([
      'no node can hold train/s0, train/s2 (p and 2 more): the nearest are cpu-1 (lacks the label gpu=a100); gpu-1 and 1 more (has gpu=v100, not a100)',
    ]);
  });

  it('are cut after three, as are plans of which something is not known', () => {
    expect(told([plan('p', a100, a100, a100, a100, a100)], [node('cpu-1', {})])).toEqual([
      'no node can hold train/s0, train/s1, train/s2 and 2 more (p): the nearest is cpu-1 (lacks the label gpu=a100)',
    ]);
    const unknown = ['p', 'q', 'r', 's', 't'].map((name) => ({ ...plan(name), unknown: ['its graph g is gone'] }));
    expect(unknownFindings([...unknown, { ...plan('u'), unknown: ['else'] }]).map(({ message }) => message)).toEqual([
      'what it asks for is not known: p, q, r and 2 more: its graph g is gone',
      'what it asks for is not known: u: else',
    ]);
  });

  it('are nearest to the nodes that lack least', () => {
    const large = { ...a100, ...asks({ cpu: '16' }) };
    const better = node('gpu-3', { gpu: 'a100' });
    expect(told([plan('p', large)], [...nodes, better])).toEqual([
      'no node can hold train/s0 (p): the nearest is gpu-3 (has 8 of 16 cpu)',
    ]);
  });

  it('are none where one node fits, and all where there are no nodes', () => {
    expect(told([plan('p', a100)], [...nodes, node('gpu-3', { gpu: 'a100' })])).toEqual([]);
    expect(told([plan('p', {})], [])).toEqual(['no node can hold train/s0 (p): the cluster has no nodes']);
  });
});
