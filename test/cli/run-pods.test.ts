import { describe, expect, it } from 'vitest';
import { controllerWarning } from '../../lib/cli/cluster/controller-seen.ts';
import { choosePods, missingPods } from '../../lib/cli/cluster/runs/run-logs.ts';
import { containerState, inOrder, mainContainer, podSelector, unitOf } from '../../lib/cli/cluster/runs/run-pods.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { RunJob, RunPod } from '../../lib/runs/run-objects.ts';
import { workflow } from '../controller/support.ts';

const { graph } = workflow('flow', [{ name: 'b' }, { name: 'a', after: ['b'] }]);

function pod(step: string | undefined, attempt: number, second = 0): RunPod {
  const labels: Record<string, string> =
    step === undefined ? {} : { 'cdk8s-workflows.dev/step': step, 'cdk8s-workflows.dev/attempt': String(attempt) };
  const metadata = { name: `${step}-${attempt}-${second}`, labels, creationTimestamp: `2026-03-01T10:00:0${second}Z` };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'proxy' }, { name: 'main' }] } };
}

const names = (pods: readonly RunPod[]): string[] => pods.map(({ metadata }) => metadata.name);

describe('the pods of a run', () => {
  const all = inOrder([pod('a', 2, 1), pod('a', 1, 0), pod('b', 1, 0), pod('a', 10, 2)], graph);

  it('come in the order in which they were made, then in that of the graph', () => {
    expect(names(all)).toEqual(['b-1-0', 'a-1-0', 'a-2-1', 'a-10-2']);
  });

  it('are chosen by step and attempt; without a number each step’s last', () => {
    expect(names(choosePods(all, { allAttempts: false }))).toEqual(['b-1-0', 'a-10-2']);
    expect(names(choosePods(all, { allAttempts: true, step: 'a' }))).toEqual(['a-1-0', 'a-2-1', 'a-10-2']);
    expect(names(choosePods(all, { allAttempts: false, attempt: 1 }))).toEqual(['b-1-0', 'a-1-0']);
    const single = [pod(undefined, 1, 0), pod(undefined, 1, 3)];
    expect(names(choosePods(single, { allAttempts: false }))).toEqual(['undefined-1-3']);
  });

  it('of an Indexed Job are named by their index, and of several tries the last is chosen', () => {
    const at = (index: number, second: number, attempt = 1): RunPod => {
      const { metadata, ...rest } = pod('a', attempt, second);
      const labels = { ...metadata.labels, 'batch.kubernetes.io/job-completion-index': String(index) };
      return { ...rest, metadata: { ...metadata, name: `a-${attempt}-${index}-${second}`, labels } };
    };
    const pods = inOrder([at(10, 1), at(2, 1), at(2, 3), at(0, 1)], graph);
    expect(pods.map(unitOf)).toEqual(['a-0', 'a-2', 'a-10', 'a-2']);
    expect(names(choosePods(pods, { allAttempts: false }))).toEqual(['a-1-0-1', 'a-1-10-1', 'a-1-2-3']);
    expect(names(choosePods(pods, { allAttempts: false, step: 'a-2' }))).toEqual(['a-1-2-3']);
    expect(names(choosePods(pods, { allAttempts: true, step: 'a-2' }))).toEqual(['a-1-2-1', 'a-1-2-3']);
    expect(names(choosePods([...pods, at(2, 4, 2)], { allAttempts: false }))).toEqual(['a-2-2-4']);
  });

  it('are missed when their attempt ran and they are gone', () => {
    const attempt = {
      number: 1,
      phase: 'Succeeded',
      reason: 'Completed',
      createdAt: 0,
      startedAt: 1,
      finishedAt: 2,
    } as const;
    const step = { phase: 'Succeeded', reason: 'Completed', attempts: [attempt] } as const;
    const record = {
      run: { phase: 'Succeeded', reason: 'Completed', startedAt: 0 },
      steps: new Map([['b', step]]),
    } as const;
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'r' }, spec: {} } as RunJob;
    expect(missingPods({ job, graph, record, notes: [] }, [], { allAttempts: false })).toEqual([
      '[b] the pod of attempt 1 is gone, and its log with it (pod r-b-1)',
    ]);
    expect(missingPods({ job, graph, record, notes: [] }, [pod('b', 1)], { allAttempts: false })).toEqual([]);
  });

  it('are found by the labels of the controller, or of the built-in one for a single task', () => {
    const job = (annotations: Record<string, string>) =>
      podSelector({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'r', annotations }, spec: {} });
    expect(job({ 'cdk8s-workflows.dev/graph': 'g' })).toBe('cdk8s-workflows.dev/run=r,cdk8s-workflows.dev/step');
    expect(job({})).toBe('batch.kubernetes.io/job-name=r');
  });

  it('have their log in the container main', () => {
    expect(mainContainer(pod('a', 1))).toBe('main');
    const state = (main: object): string =>
      containerState({
        ...pod('a', 1),
        status: { phase: 'Running', containerStatuses: [{ name: 'main', state: main }] },
      });
    expect([state({ waiting: {} }), state({ running: {} }), state({ terminated: {} })]).toEqual([
      'waiting',
      'running',
      'over',
    ]);
    expect(containerState({ ...pod('a', 1), status: { phase: 'Failed', reason: 'Evicted' } })).toBe('over');
  });
});

describe('the warning that no controller is there', () => {
  const now = Date.UTC(2026, 2, 1, 10);
  const lease = (spec: object) => ({ metadata: { name: 'cdk8s-workflows-controller', namespace: 'system' }, spec });
  const warn = (...answers: (readonly object[] | Error)[]): Promise<string | undefined> => {
    const list = (): Promise<unknown> => {
      const answer = answers.shift()!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ items: answer });
    };
    return controllerWarning({ list, namespace: 'etl' } as unknown as KubeClient, now);
  };
  const forbidden = new KubeError(
    { kind: 'Status', code: 403, reason: 'Forbidden' },
    { verb: 'list', object: 'leases' },
  );

  it('comes when no Lease is held or renewed', async () => {
    const renewed = (ago: number) =>
      lease({ holderIdentity: 'a', renewTime: new Date(now - ago * 1000).toISOString() });
    expect(await warn([renewed(5)])).toBeUndefined();
    expect(await warn([renewed(500), renewed(5)])).toBeUndefined();
    expect(await warn([])).toMatch(/^no controller was seen on this cluster/);
    expect(await warn([renewed(600)])).toBe(
      'the controller has not renewed the Lease system/cdk8s-workflows-controller for 10m: the run stays Pending until one runs',
    );
    expect(await warn([lease({})])).toMatch(/^no controller holds the Lease system/);
  });

  it('does not come when we may not look', async () => {
    expect(await warn(forbidden, forbidden)).toBeUndefined();
    expect(await warn(forbidden, [])).toMatch(/^no controller was seen/);
  });
});
