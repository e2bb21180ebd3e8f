import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerDefaults, limitRangeFindings, type LimitRange } from '../../../lib/fleet/preflight/limit-check.ts';
import type { PlanAsk } from '../../../lib/fleet/preflight/plan-asks.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import { limitRanges, namespaces, pods } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';

let cluster: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'limits', scheduler: false });
  client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

type Amounts = Readonly<Record<string, string>>;

const container = (requests: Amounts, limits: Amounts = {}, name = 'main') => ({
  name,
  image: 'x',
  resources: { requests, limits },
});

const PODS: Readonly<Record<string, object>> = {
  silent: { containers: [container({})] },
  small: { containers: [container({ cpu: '100m', memory: '64Mi' })] },
  'small-limit': { containers: [container({ cpu: '100m' }, { cpu: '200m', memory: '64Mi' })] },
  middle: { containers: [container({ cpu: '1', memory: '1Gi' }, { cpu: '2', memory: '2Gi' })] },
  large: { containers: [container({ cpu: '1', memory: '1Gi' }, { cpu: '8', memory: '16Gi' })] },
  two: { containers: [container({ cpu: '2' }, { cpu: '2' }), container({ cpu: '2' }, { cpu: '2' }, 'beside')] },
  begins: { initContainers: [container({ cpu: '4' }, { cpu: '4' }, 'first')], containers: [container({ cpu: '1' })] },
};

const RANGES: readonly (readonly [string, readonly object[]])[] = [
  ['nothing but defaults', [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }]],
  ['a maximum of containers', [{ type: 'Container', max: { cpu: '2' } }]],
  ['a minimum of containers', [{ type: 'Container', min: { cpu: '500m' } }]],
  ['a minimum above what is filled in', [{ type: 'Container', min: { memory: '128Mi' }, max: { memory: '4Gi' } }]],
  ['a maximum of pods', [{ type: 'Pod', max: { cpu: '3' } }]],
  ['a minimum of pods', [{ type: 'Pod', min: { memory: '100Mi' } }]],
  [
    'both, with defaults',
    [
      { type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '100m', memory: '100Mi' } },
      { type: 'Pod', max: { cpu: '3', memory: '3Gi' } },
    ],
  ],
];

describe('a pod that a LimitRange refuses', () => {
  it.each(RANGES)('is told as the API server decides: %s', async (name, limits) => {
    const namespace = `limits-${RANGES.findIndex(([each]) => each === name)}`;
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'range', namespace }, spec: { limits } };
    const written = (await client.create(limitRanges, range, { namespace })) as LimitRange;
    // As it is before it is applied, and as the API server fills it in.
    const told = (of: LimitRange) =>
      Object.keys(PODS).filter((pod) => limitRangeFindings([asks(pod)], [of], containerDefaults([of])).length > 0);
    await eventually(async () => expect(await refused(namespace)).toEqual(told(range as LimitRange)));
    expect(told(written)).toEqual(told(range as LimitRange));
  });

  it('is told by its step and container, with what it asks for and what there may be', () => {
    const metadata = { name: 'range', namespace: 'etl' };
    const limits = [{ type: 'Container', min: { memory: '128Mi' }, max: { cpu: '2' } }];
    const range = { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } } as LimitRange;
    const findings = (pod: string) => limitRangeFindings([asks(pod)], [range], containerDefaults([range]));
    expect(findings('large').map(({ message }) => message)).toEqual([
      'etl/large, container main, asks for 8 of cpu, which is at most 2 a container in the LimitRange range of namespace etl: its pods are refused',
    ]);
    expect(findings('small').map(({ message }) => message)).toEqual([
      'etl/small, container main, asks for 64Mi of memory, which is at least 128Mi a container in the LimitRange range of namespace etl: its pods are refused',
    ]);
  });
});

function asks(pod: string): PlanAsk {
  const template = { spec: PODS[pod] } as PlanAsk['runs'][number]['pods'][number]['template'];
  const pods = [{ step: `etl/${pod}`, template, atOnce: 1, runAsJob: false }];
  const runs = [{ parallelism: 1, pods }];
  return { kind: 'plan', name: 'etl', namespace: 'etl', managed: true, fires: true, runs, unknown: [] };
}

/** Which of the pods the API server refuses. */
async function refused(namespace: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, spec] of Object.entries(PODS)) {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
    await client.create(pods, pod, { namespace, dryRun: true }).catch(() => found.push(name));
  }
  return found;
}
