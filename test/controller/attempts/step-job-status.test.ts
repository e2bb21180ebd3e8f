import { describe, expect, it } from 'vitest';
import { attemptJob } from '../../../lib/controller/attempts/attempt-object.ts';
import type { Job, Pod } from '../../../lib/controller/objects.ts';
import { endingPod, livelierPod, stepJobState, tellsEnd } from '../../../lib/controller/attempts/step-job-status.ts';
import type { TaskStep } from '../../../lib/graph/graph.ts';
import type { PodTemplate } from '../../../lib/pods/template.ts';

const job = (spec: Job['spec'], end?: 'Complete' | 'Failed'): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'r-a-1' },
  spec,
  status: { conditions: end ? [{ type: end, status: 'True' }] : [] },
});
const pod = (uid: string, phase: string, index?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: uid,
    uid,
    labels: index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': index },
  },
  status: {
    phase,
    ...(phase === 'Running' && {
      containerStatuses: [{ name: 'main', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
    }),
  },
});

describe('the Job of a step', () => {
  it('that is suspended waits, and says so', () => {
    expect(stepJobState(job({ suspend: true }), undefined, false, 0)).toEqual({
      kind: 'pending',
      message: 'its Job is suspended',
    });
    expect(stepJobState(job({ suspend: false }), undefined, false, 0)).toEqual({ kind: 'pending' });
  });

  it('ends as the pod of index 0 among those that ended as it did', () => {
    const pods = [pod('failed', 'Failed', '0'), pod('two', 'Succeeded', '2'), pod('zero', 'Succeeded', '0')];
    expect(endingPod(job({}, 'Complete'), pods)?.metadata.uid).toBe('zero');
    expect(endingPod(job({}, 'Failed'), pods)?.metadata.uid).toBe('failed');
    expect(endingPod(job({}, 'Complete'), [])).toBeUndefined();
  });

  it('is asked for its other pods when the known one does not tell its end', () => {
    const done = pod('a', 'Succeeded');
    expect(tellsEnd(job({ completions: 1 }, 'Complete'), done)).toBe(true);
    expect(tellsEnd(job({ completions: 3 }, 'Complete'), done)).toBe(false);
    expect(tellsEnd(job({ completions: 1 }, 'Complete'), pod('a', 'Failed'))).toBe(false);
    expect(tellsEnd(job({}, 'Complete'), undefined)).toBe(false);
  });

  it('runs while one of its pods runs, also when another is new', () => {
    const running = pod('a', 'Running');
    expect(livelierPod(running, pod('b', 'Pending'), 0)).toBe(running);
    const ended = pod('a', 'Succeeded');
    expect(livelierPod(running, ended, 0)).toBe(ended);
    expect(livelierPod(pod('a', 'Pending'), running, 0)).toBe(running);
  });

  it('has the fields of its author around the pod, and never retries', () => {
    const step = {
      kind: 'task',
      name: 'a',
      task: 'a',
      template: 't',
      inputs: {},
      runAs: 'Job',
    } satisfies TaskStep;
    const ofAuthor = {
      metadata: { labels: { queue: 'gpu', 'cdk8s-workflows.dev/step': 'b' }, annotations: { note: 'x' } },
      spec: { suspend: true, completions: 3, backoffLimit: 5 },
    };
    const run = job({});
    const template: PodTemplate = {
      metadata: { labels: { team: 'ml', queue: 'none' } },
      spec: { containers: [{ name: 'main', image: 'x' }] },
    };
    const made = attemptJob({ run, mode: 'managed', step, attempt: 1, inputs: {}, template, job: ofAuthor });
    expect(made.metadata).toMatchObject({
      labels: { team: 'ml', queue: 'gpu', 'cdk8s-workflows.dev/step': 'a' },
      annotations: { note: 'x' },
    });
    expect(made.spec).toMatchObject({ suspend: true, completions: 3, parallelism: 1, backoffLimit: 0 });
  });
});
