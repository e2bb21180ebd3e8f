import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../lib/controller/objects.ts';
import { attemptState, deletedState, hasLeftovers } from '../../../lib/controller/attempts/pod-status.ts';

const now = Date.parse('2026-01-01T00:10:00Z');
const started = '2026-01-01T00:00:00Z';
const ended = '2026-01-01T00:00:05Z';

type Status = NonNullable<Pod['status']>;
type State = NonNullable<Status['containerStatuses']>[number]['state'];

const pod = (status: Status, rest: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  spec: { nodeName: 'n1', containers: [{ name: 'main' }] },
  status,
  ...rest,
  metadata: { name: 'p', ...rest.metadata },
});
const main = (state: State) => [{ name: 'main', state }];
const exited = (exitCode: number, more: object = {}): State => ({
  terminated: {
    exitCode,
    startedAt: started,
    finishedAt: ended,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    ...more,
  },
});
const waiting = (reason: string, message?: string): State => ({ waiting: { reason, ...(message && { message }) } });
const disrupted = (reason: string) => [{ type: 'DisruptionTarget', status: 'True', reason, message: 'why' }];
const times = { startedAt: Date.parse(started), finishedAt: Date.parse(ended) };

describe('a pod that has ended says of its attempt', () => {
  const succeeded = { kind: 'succeeded', ...times };
  const failed = (failure: string, reason: string, more: object = {}) => ({ kind: 'failed', failure, reason, ...more });
  const cases: Record<string, [Status, object]> = {
    'exit code 0: it succeeded': [{ phase: 'Succeeded', containerStatuses: main(exited(0)) }, succeeded],
    'exit code 0 with a message: these are its outputs': [
      { phase: 'Succeeded', containerStatuses: main(exited(0, { message: '{"a":1}' })) },
      { ...succeeded, outputs: { text: '{"a":1}' } },
    ],
    'a message of 4096 bytes: it was cut off': [
      { phase: 'Succeeded', containerStatuses: main(exited(0, { message: 'é'.repeat(2048) })) },
      { ...succeeded, outputs: { text: 'é'.repeat(2048), cutAt: 4096 } },
    ],
    'main has ended, and a sidecar has not: its end counts': [
      {
        phase: 'Running',
        containerStatuses: [...main(exited(0))!, { name: 'log', state: { running: { startedAt: started } } }],
      },
      succeeded,
    ],
    'exit code 3: its own failure, with the code and what it said': [
      { phase: 'Failed', containerStatuses: main(exited(3, { message: 'no such table' })) },
      failed('user', 'ExitCode', { exitCode: 3, message: 'exit code 3: no such table', ...times }),
    ],
    'killed for its memory': [
      { phase: 'Failed', containerStatuses: main(exited(137, { reason: 'OOMKilled' })) },
      failed('user', 'OOMKilled', { exitCode: 137 }),
    ],
    'a command that is not there': [
      {
        phase: 'Failed',
        containerStatuses: main(exited(128, { reason: 'StartError', message: 'exec: "etl": not found' })),
      },
      failed('user', 'StartError', { message: 'exec: "etl": not found' }),
    ],
    'a container that was lost': [
      { phase: 'Failed', containerStatuses: main(exited(137, { reason: 'ContainerStatusUnknown' })) },
      failed('system', 'NodeLost'),
    ],
    'the kubelet evicted it': [
      { phase: 'Failed', reason: 'Evicted', message: 'low on memory', containerStatuses: main(exited(137)) },
      failed('system', 'Evicted', { message: 'Evicted: low on memory' }),
    ],
    'evicted, and the container took it well: no success': [
      { phase: 'Failed', reason: 'Evicted', containerStatuses: main(exited(0)) },
      failed('system', 'Evicted'),
    ],
    'evicted by the API': [
      { phase: 'Failed', conditions: disrupted('EvictionByEvictionAPI'), containerStatuses: main(exited(143)) },
      failed('system', 'Evicted', { message: 'EvictionByEvictionAPI: why' }),
    ],
    'preempted by the scheduler': [
      { phase: 'Failed', conditions: disrupted('PreemptionByScheduler'), containerStatuses: main(exited(143)) },
      failed('system', 'Preempted'),
    ],
    'preempted by the kubelet': [{ phase: 'Failed', reason: 'Preempting' }, failed('system', 'Preempted')],
    'its node did not answer': [
      { phase: 'Failed', conditions: disrupted('DeletionByTaintManager') },
      failed('system', 'NodeLost'),
    ],
    'its node is gone': [{ phase: 'Failed', conditions: disrupted('DeletionByPodGC') }, failed('system', 'NodeLost')],
    'its node shut down': [{ phase: 'Failed', reason: 'Terminated', message: 'shutdown' }, failed('system', 'Evicted')],
    'a disruption that it survived': [
      { phase: 'Succeeded', conditions: disrupted('EvictionByEvictionAPI'), containerStatuses: main(exited(0)) },
      succeeded,
    ],
    'its deadline': [
      { phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: main(exited(137)) },
      failed('user', 'AttemptTimeout'),
    ],
    'the kubelet refused it': [
      { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected' },
      failed('system', 'StartError', { message: 'OutOfcpu: Pod was rejected' }),
    ],
    'an init container failed': [
      {
        phase: 'Failed',
        initContainerStatuses: [{ name: 'fetch', state: exited(7) }],
        containerStatuses: main(waiting('PodInitializing')),
      },
      failed('user', 'ExitCode', { exitCode: 7, message: 'init container "fetch": exit code 7' }),
    ],
    'no details at all': [{ phase: 'Failed' }, failed('system', 'StartError')],
    'success without details': [{ phase: 'Succeeded' }, { kind: 'succeeded', finishedAt: now }],
  };
  it.each(Object.entries(cases))('%s', (_, [status, expected]) => {
    const state = attemptState(pod(status), now);
    expect(state).toMatchObject(expected);
    if ((expected as { kind: string }).kind === 'succeeded') expect(state).toEqual(expected);
  });
});

describe('a pod that has not ended says of its attempt', () => {
  const cases: Record<string, [Status, object]> = {
    'nothing yet': [{}, { kind: 'pending' }],
    'it waits for a node, and no other pod may be moved away for it': [
      {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message:
              '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
          },
        ],
      },
      {
        kind: 'pending',
        message: 'pod unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu',
      },
    ],
    'it is gated': [
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      { kind: 'pending', message: 'SchedulingGated' },
    ],
    'it is being made': [
      { phase: 'Pending', containerStatuses: main(waiting('ContainerCreating')) },
      { kind: 'pending' },
    ],
    'its image cannot be pulled': [
      { phase: 'Pending', containerStatuses: main(waiting('ImagePullBackOff', 'Back-off pulling')) },
      { kind: 'pending', message: 'container "main": ImagePullBackOff: Back-off pulling' },
    ],
    'a Secret is missing': [
      { phase: 'Pending', containerStatuses: main(waiting('CreateContainerConfigError', 'secret "x" not found')) },
      { kind: 'pending', message: 'container "main": CreateContainerConfigError: secret "x" not found' },
    ],
    'an init container runs': [
      { phase: 'Pending', initContainerStatuses: [{ name: 'fetch', state: { running: { startedAt: started } } }] },
      { kind: 'pending', message: 'init container "fetch" is running' },
    ],
    'it runs': [
      { phase: 'Running', containerStatuses: main({ running: { startedAt: started } }) },
      { kind: 'running', startedAt: Date.parse(started) },
    ],
    'a sidecar failed, and it runs': [
      {
        phase: 'Running',
        containerStatuses: [...main({ running: { startedAt: started } })!, { name: 'x', state: exited(1) }],
      },
      { kind: 'running', startedAt: Date.parse(started) },
    ],
  };
  it.each(Object.entries(cases))('%s', (_, [status, expected]) => {
    expect(attemptState(pod(status), now)).toEqual(expected);
  });

  describe('with native sidecars', () => {
    const spec = {
      containers: [{ name: 'main' }],
      initContainers: [{ name: 'proxy', restartPolicy: 'Always' }, { name: 'fetch' }],
    };
    const runs = { running: { startedAt: started } };
    const sidecars: Record<string, [Status, object]> = {
      'main has ended, and the sidecar is not told yet: its end counts': [
        {
          phase: 'Running',
          initContainerStatuses: [{ name: 'proxy', state: runs }],
          containerStatuses: main(exited(0, { message: '{"a":1}' })),
        },
        { kind: 'succeeded', outputs: { text: '{"a":1}' } },
      ],
      'the sidecar was killed after main: its exit code says nothing': [
        {
          phase: 'Succeeded',
          initContainerStatuses: [{ name: 'proxy', state: exited(137) }],
          containerStatuses: main(exited(0)),
        },
        { kind: 'succeeded' },
      ],
      'an init container failed, and the sidecar was killed then: the former is told': [
        {
          phase: 'Failed',
          initContainerStatuses: [
            { name: 'proxy', state: exited(143) },
            { name: 'fetch', state: exited(4) },
          ],
          containerStatuses: main(waiting('PodInitializing')),
        },
        { kind: 'failed', exitCode: 4, message: 'init container "fetch": exit code 4' },
      ],
      'the sidecar starts again and again, and main runs': [
        {
          phase: 'Running',
          initContainerStatuses: [{ name: 'proxy', state: waiting('CrashLoopBackOff') }],
          containerStatuses: main(runs),
        },
        { kind: 'running' },
      ],
      'the sidecar keeps main waiting': [
        {
          phase: 'Pending',
          initContainerStatuses: [{ name: 'proxy', state: waiting('CrashLoopBackOff', 'back-off 10s') }],
          containerStatuses: main(waiting('PodInitializing')),
        },
        { kind: 'pending', message: 'container "proxy": CrashLoopBackOff: back-off 10s' },
      ],
    };
    it.each(Object.entries(sidecars))('%s', (_, [status, expected]) => {
      expect(attemptState(pod(status, { spec }), now)).toMatchObject(expected);
      expect(hasLeftovers(pod(status, { spec }))).toBe(false);
    });
  });

  it('an image name that is none is permanent', () => {
    const state = attemptState(
      pod({ phase: 'Pending', containerStatuses: main(waiting('InvalidImageName', 'bad')) }),
      now,
    );
    expect(state).toMatchObject({ kind: 'failed', failure: 'permanent', reason: 'InvalidImage' });
  });

  it('being deleted is no end, until half a minute after its grace period', () => {
    const status = { phase: 'Running', containerStatuses: main({ running: { startedAt: started } }) };
    const at = (seconds: number) => ({
      metadata: { name: 'p', deletionTimestamp: new Date(now - seconds * 1000).toISOString() },
    });
    expect(attemptState(pod(status, at(29)), now).kind).toBe('running');
    expect(attemptState(pod(status, at(30)), now)).toMatchObject({
      kind: 'failed',
      failure: 'system',
      reason: 'NodeLost',
    });
  });
});

describe('a pod that was deleted', () => {
  const running = { phase: 'Running', containerStatuses: main({ running: { startedAt: started } }) };
  it.each<[string, Status, object]>([
    [
      'after its end counts by its end',
      { phase: 'Succeeded', containerStatuses: main(exited(0)) },
      { kind: 'succeeded' },
    ],
    ['before its end failed by the platform', running, { failure: 'system', reason: 'PodDeleted' }],
    ['by a drain was evicted', { ...running, conditions: disrupted('EvictionByEvictionAPI') }, { reason: 'Evicted' }],
    ['with its node is lost', { ...running, conditions: disrupted('DeletionByTaintManager') }, { reason: 'NodeLost' }],
    ['without a status failed by the platform', {}, { failure: 'system', reason: 'PodDeleted' }],
  ])('%s', (_, status, expected) => {
    expect(deletedState(pod(status), now)).toMatchObject(expected);
  });
});

describe('whatever a pod holds', () => {
  it.each([
    { metadata: { name: 'x' } },
    { metadata: { name: 'x' }, spec: {}, status: { phase: 'Unknown', containerStatuses: [{ name: 'main' }] } },
    {
      metadata: { name: 'x' },
      status: { phase: 'Future', containerStatuses: [{ name: 'main', state: { paused: {} } }] },
    },
    {
      metadata: { name: 'x' },
      status: { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: {} } }] },
    },
    {
      metadata: { name: 'x', deletionTimestamp: 'yesterday' },
      status: { conditions: [{ type: 'New', status: 'Maybe' }] },
    },
  ])('a state is found: %j', (object) => {
    const state = attemptState({ apiVersion: 'v1', kind: 'Pod', ...object } as unknown as Pod, now);
    expect(['pending', 'running', 'failed', 'succeeded']).toContain(state.kind);
  });

  it('outputs share 12 KiB with the messages of its other containers', () => {
    const spec = { containers: ['main', 'a', 'b'].map((name) => ({ name })), initContainers: [{ name: 'i' }] };
    const message = 'x'.repeat(3072);
    const state = attemptState(
      pod({ phase: 'Succeeded', containerStatuses: main(exited(0, { message })) }, { spec }),
      now,
    );
    expect(state).toMatchObject({ outputs: { cutAt: 3072 } });
  });

  it('only a container that outlives main is left over', () => {
    const sidecar = { name: 'log', state: { running: { startedAt: started } } };
    expect(hasLeftovers(pod({ phase: 'Running', containerStatuses: [...main(exited(0))!, sidecar] }))).toBe(true);
    expect(hasLeftovers(pod({ phase: 'Succeeded', containerStatuses: main(exited(0)) }))).toBe(false);
  });
});
