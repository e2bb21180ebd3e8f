import { describe, expect, test } from 'vitest';
import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { EventRecorder, type EventRecorderOptions } from '../../lib/kube/events.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { ManualClock, settle } from './manual-clock.ts';

const job: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'etl', namespace: 'data', uid: 'u1', resourceVersion: '5' },
};

function recorder(options: Partial<EventRecorderOptions> = {}): {
  clock: ManualClock;
  events: Record<string, unknown>[];
  patches: [string, unknown][];
  faults: unknown[];
  errors: unknown[];
  recorder: EventRecorder;
} {
  const clock = new ManualClock();
  const events: Record<string, unknown>[] = [];
  const patches: [string, unknown][] = [];
  const faults: unknown[] = [];
  const errors: unknown[] = [];
  const fail = (): void => {
    const fault = faults.shift();
    if (fault) throw fault;
  };
  const client = {
    namespace: 'default',
    create: async (_: unknown, event: Record<string, unknown>) => {
      fail();
      events.push(event);
      return event;
    },
    patch: async (_: unknown, name: string, patch: unknown) => {
      fail();
      patches.push([name, patch]);
      return patch;
    },
  } as unknown as KubeClient;
  return {
    clock,
    events,
    patches,
    faults,
    errors,
    recorder: new EventRecorder(client, {
      component: 'workflow-controller',
      instance: 'pod-1',
      environment: { clock, random: () => 0.5 },
      onError: (error) => errors.push(error),
      ...options,
    }),
  };
}

function refusal(code: number, reason: string): KubeError {
  return new KubeError({ kind: 'Status', code, reason }, { verb: 'create', object: 'Event' });
}

describe('EventRecorder', () => {
  test('writes an event as kubectl describe looks for it', async () => {
    const { recorder: events, events: written } = recorder();
    events.record(job, { reason: 'StepFailed', message: 'load ended with exit code 1', type: 'Warning' });
    await events.flush();
    expect(written).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^etl\.[0-9a-f]+$/), namespace: 'data' },
        involvedObject: {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: 'etl',
          namespace: 'data',
          uid: 'u1',
          resourceVersion: '5',
        },
        reason: 'StepFailed',
        message: 'load ended with exit code 1',
        type: 'Warning',
        count: 1,
        firstTimestamp: '2026-01-02T03:04:05Z',
        lastTimestamp: '2026-01-02T03:04:05Z',
        source: { component: 'workflow-controller' },
        reportingComponent: 'workflow-controller',
        reportingInstance: 'pod-1',
      },
    ]);
  });

  test('counts repeats: those that wait in one write, later ones by a patch', async () => {
    const { recorder: events, events: written, patches, clock } = recorder();
    for (let i = 0; i < 3; i++) events.record(job, { reason: 'Waiting', message: 'for a lock' });
    await events.flush();
    expect(written).toMatchObject([{ count: 3 }]);
    await clock.advance(60_000);
    events.record(job, { reason: 'Waiting', message: 'for a lock' });
    events.record(job, { reason: 'Waiting', message: 'for a gate' });
    await events.flush();
    const name = (written[0]?.['metadata'] as { name: string }).name;
    expect(patches).toEqual([[name, { count: 4, lastTimestamp: '2026-01-02T03:05:05Z' }]]);
    expect(written).toMatchObject([{ count: 3 }, { count: 1, message: 'for a gate' }]);
  });

  test('writes a new event when the repeat comes late, or the old one is no more', async () => {
    const { recorder: events, events: written, clock, faults } = recorder();
    const note = { reason: 'Waiting', message: 'for a lock' };
    events.record(job, note);
    await events.flush();
    await clock.advance(601_000);
    events.record(job, note);
    await events.flush();
    faults.push(refusal(404, 'NotFound'));
    events.record(job, note);
    await events.flush();
    expect(written.length).toBe(3);
  });

  test('tells events of another object of the same name apart', async () => {
    const { recorder: events, events: written } = recorder();
    const note = { reason: 'Started', message: 'it runs' };
    events.record(job, note);
    events.record({ ...job, metadata: { ...job.metadata, uid: 'u2' } }, note);
    await events.flush();
    expect(written.length).toBe(2);
  });

  test('never throws, and counts what it drops', async () => {
    const { recorder: events, events: written, faults, errors } = recorder({ queueLimit: 2 });
    faults.push(refusal(403, 'Forbidden'));
    for (const message of ['a', 'b', 'c']) events.record(job, { reason: 'R', message });
    await events.flush();
    expect(written.map(({ message }) => message)).toEqual(['b']);
    expect(events.dropped).toBe(2);
    expect(errors).toEqual([expect.objectContaining({ code: 403 })]);
  });

  test('writes no faster than it may', async () => {
    const { recorder: events, events: written, clock } = recorder({ burst: 3, rate: 1 });
    for (let i = 0; i < 10; i++) events.record(job, { reason: 'R', message: `${i}` });
    await settle();
    expect(written.length).toBe(3);
    await clock.advance(4100);
    expect(written.length).toBe(7);
    await clock.advance(10_000);
    await events.flush();
    expect(written.length).toBe(10);
  });

  test('a flush ends with its signal', async () => {
    const { recorder: events } = recorder({ burst: 1, rate: 0.001 });
    for (let i = 0; i < 3; i++) events.record(job, { reason: 'R', message: `${i}` });
    await events.flush(AbortSignal.timeout(10));
    await events.flush(AbortSignal.abort());
  });

  test('cuts a message that the API server would refuse, between characters', async () => {
    const { recorder: events, events: written } = recorder();
    events.record(job, { reason: 'R', message: 'ü'.repeat(1000) });
    await events.flush();
    const message = String(written[0]?.['message']);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^ü{510}…$/);
  });

  test('writes about objects without a namespace in the default one', async () => {
    const { recorder: events, events: written } = recorder();
    events.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }, { reason: 'R', message: 'm' });
    await events.flush();
    expect(written).toMatchObject([{ metadata: { namespace: 'default' } }]);
  });
});
