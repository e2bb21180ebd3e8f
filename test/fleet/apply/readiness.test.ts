import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import { readinessOf } from '../../../lib/fleet/apply/readiness.ts';

const workload = (kind: string, spec: object, status: object, generation = 2): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'a', namespace: 'etl', generation },
  spec,
  status: { observedGeneration: 2, ...status },
});
const told = (object: KubeObject) => {
  const is = readinessOf(object);
  return is.state === 'ready' ? 'ready' : `${is.state}: ${is.reason}`;
};
const all = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const stuck = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'it timed out' };
const refused = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' };

describe('a Deployment', () => {
  it.each<[string, object, object, number?]>([
    ['ready', { replicas: 2 }, all],
    ['ready', { replicas: 0 }, {}],
    ['ready', {}, { replicas: 1, updatedReplicas: 1, availableReplicas: 1 }],
    ['waiting: its controller has not seen the change', { replicas: 2 }, all, 3],
    ['waiting: its controller has not seen the change', { replicas: 2 }, { ...all, observedGeneration: undefined }],
    ['waiting: 0 of 1 pods are updated', {}, {}],
    ['waiting: 1 of 2 pods are updated', { replicas: 2 }, { ...all, updatedReplicas: 1 }],
    ['waiting: 1 old pods are still there', { replicas: 2 }, { ...all, replicas: 3 }],
    ['waiting: 1 of 2 updated pods are available', { replicas: 2 }, { ...all, availableReplicas: 1 }],
    ['waiting: 0 of 2 pods are updated: exceeded quota', { replicas: 2 }, { conditions: [refused] }],
    [
      'failed: 0 of 2 updated pods are available',
      { replicas: 2 },
      { ...all, availableReplicas: 0, conditions: [stuck] },
    ],
    ['failed: it timed out', { replicas: 2 }, { ...all, conditions: [stuck] }],
  ])('is %s', (expected, spec, status, generation) => {
    expect(told(workload('Deployment', spec, status, generation))).toBe(expected);
  });
});

describe('a StatefulSet', () => {
  const revisions = { currentRevision: 'b', updateRevision: 'b' };
  const partition = { updateStrategy: { rollingUpdate: { partition: 1 } } };
  it.each<[string, object, object]>([
    ['ready', { replicas: 2 }, { readyReplicas: 2, updatedReplicas: 2, ...revisions }],
    ['waiting: 1 of 2 pods are ready', { replicas: 2 }, { readyReplicas: 1, ...revisions }],
    [
      'waiting: 1 of 2 pods are updated',
      { replicas: 2 },
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a' },
    ],
    ['ready', { replicas: 2, ...partition }, { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a' }],
    ['waiting: 0 of 1 pods are updated', { replicas: 2, ...partition }, { readyReplicas: 2 }],
    [
      'ready',
      { updateStrategy: { type: 'OnDelete' } },
      { readyReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
    ],
  ])('is %s', (expected, spec, status) => {
    expect(told(workload('StatefulSet', spec, { updateRevision: 'b', ...status }))).toBe(expected);
  });
});

describe('a DaemonSet', () => {
  it.each<[string, object, object]>([
    ['ready', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }],
    ['ready', {}, { desiredNumberScheduled: 0 }],
    [
      'waiting: 1 of 2 pods are updated',
      {},
      { desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 },
    ],
    [
      'waiting: 1 of 2 pods are available',
      {},
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
    ],
    ['ready', { updateStrategy: { type: 'OnDelete' } }, { desiredNumberScheduled: 2, numberAvailable: 2 }],
  ])('is %s', (expected, spec, status) => {
    expect(told(workload('DaemonSet', spec, status))).toBe(expected);
  });
});

it('every other kind is ready once it is written, a Job too', () => {
  for (const [apiVersion, kind] of [
    ['batch/v1', 'Job'],
    ['batch/v1', 'CronJob'],
    ['example.com/v1', 'Deployment'],
  ] as const)
    expect(told({ apiVersion, kind, metadata: { name: 'a', generation: 7 } })).toBe('ready');
});
