import { describe, expect, it } from 'vitest';
import {
  endedJobState,
  hasUnseenItems,
  indexedJobState,
  indexesOf,
  seeItem,
  type SeenItems,
} from '../../../lib/controller/attempts/indexed-job-state.ts';
import { indexedJob } from '../../../lib/controller/attempts/indexed-job.ts';
import { itemConfigMaps } from '../../../lib/controller/attempts/item-config-maps.ts';
import type { Job, Pod } from '../../../lib/controller/objects.ts';
import type { IndexedItems } from '../../../lib/engine/advance.ts';
import type { IndexedMapStep } from '../../../lib/graph/graph.ts';
import { attemptNameOf } from '../../../lib/graph/object-names.ts';
import { validateManifest } from '../../../lib/manifests/validate.ts';
import { InvalidError } from '../../../lib/values/problems.ts';
import { run, workflow } from '../support.ts';

const T0 = Date.UTC(2025, 0, 1);
const time = new Date(T0).toISOString();
const rows = { properties: { rows: { type: 'integer' } }, required: ['rows'] };

const step = (more: Partial<IndexedMapStep> = {}): IndexedMapStep => ({
  kind: 'indexedMap',
  runAs: 'Job',
  name: 'm',
  task: 'score',
  template: 'm-1',
  inputs: { shard: { item: 'shard' } },
  over: [{ input: 'shard', list: { value: [] } }],
  itemOutputs: rows,
  outputs: { properties: { rows: { type: 'array' } }, required: ['rows'] },
  ...more,
});

const template = (container: object = {}) => ({ spec: { containers: [{ name: 'main', image: 'i:1', ...container }] } });
const itemsOf = (lists: IndexedItems['lists'], more: Partial<IndexedItems> = {}): IndexedItems => {
  const count = Object.values(lists).reduce((product, { length }) => product * length, 1);
  return { lists, count, concurrency: 10, required: count, ...more };
};
const plan = (items: IndexedItems, more: Partial<IndexedMapStep> = {}, container: object = {}, job: object = {}) => ({
  run: { ...run(workflow('w', []), 'r'), metadata: { ...run(workflow('w', []), 'r').metadata, uid: 'u' } } as Job,
  mode: 'managed' as const,
  step: step(more),
  attempt: 1,
  inputs: { model: 'x' },
  template: template(container) as never,
  items,
  configMaps: ['r-m-1-items-0'],
  job,
});

describe('the Job of an indexed map', () => {
  it('is one that Kubernetes takes, with an index for each item', () => {
    const items = itemsOf({ shard: ['a', 'b', 'c'] }, { required: 2, concurrency: 50 });
    const retries = { limit: 3, when: [{ exitCodes: [75, 1] }], unless: [{ exitCodes: [64] }] };
    const rule = { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } };
    const job = { metadata: { labels: { queue: 'q' } }, spec: { suspend: true, podFailurePolicy: { rules: [rule] } } };
    const object = indexedJob(plan(items, { itemRetries: retries, itemTimeoutSeconds: 60 }, {}, job));
    expect(validateManifest(object as never)).toEqual([]);
    expect(object).toMatchObject({
      metadata: { name: 'r-m-1', labels: { queue: 'q', 'cdk8s-workflows.dev/step': 'm' } },
      spec: {
        suspend: true,
        completionMode: 'Indexed',
        completions: 3,
        parallelism: 3,
        backoffLimitPerIndex: 3,
        maxFailedIndexes: 1,
        podFailurePolicy: {
          rules: [
            rule,
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
            { action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [64] } },
            { action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'NotIn', values: [1, 75] } },
          ],
        },
        template: { spec: { restartPolicy: 'Never', activeDeadlineSeconds: 60 } },
      },
    });
  });

  it('gives its containers the values that are the same as variables, and the paths of those that are not', () => {
    const own = {
      env: [{ name: 'WHERE', value: '$(INPUT_SHARD_FILE)' }],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    };
    const { spec } = indexedJob(plan(itemsOf({ shard: ['a'] }), {}, own)) as never as {
      spec: { template: { spec: object } };
    };
    expect(spec.template.spec).toMatchObject({
      containers: [
        {
          env: [
            { name: 'INPUT_MODEL', value: 'x' },
            { name: 'WORKFLOW_RUN', value: 'r' },
            { name: 'WORKFLOW_ATTEMPT', value: '1' },
            { name: 'WORKFLOW_OUTPUTS', value: '/dev/termination-log' },
            { name: 'JOB_COMPLETION_INDEX' },
            { name: 'WORKFLOW_STEP', value: 'm-$(JOB_COMPLETION_INDEX)' },
            { name: 'INPUT_SHARD_FILE', value: '/var/run/workflow/INPUT_SHARD' },
            { name: 'WHERE', value: '$(INPUT_SHARD_FILE)' },
          ],
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { mountPath: '/var/run/workflow/INPUT_SHARD', subPathExpr: 'INPUT_SHARD.$(JOB_COMPLETION_INDEX)' },
          ],
        },
      ],
      volumes: [{ projected: { sources: [{ configMap: { name: 'r-m-1-items-0' } }] } }],
    });
  });

  it('is refused when the run makes its pods read a variable that they do not have', () => {
    const reading = plan(itemsOf({ shard: ['a'] }), {}, { args: ['--shard', '$(INPUT_SHARD)'] });
    expect(() => indexedJob(reading)).toThrow(InvalidError);
    expect(() => indexedJob(plan(itemsOf({ shard: ['a'] }), {}, { args: ['$$(INPUT_SHARD)'] }))).not.toThrow();
  });

  it('has a name that leaves room for the index in the host names of its pods', () => {
    const name = attemptNameOf({ name: 'r'.repeat(60) }, { kind: 'indexedMap', name: 'm' }, 1);
    expect(`${name}-9999`.length).toBeLessThanOrEqual(63);
    expect(attemptNameOf({ name: 'r' }, { kind: 'indexedMap', name: 'm' }, 1)).toBe('r-m-1');
  });
});

describe('the ConfigMaps of items', () => {
  const keysOf = (items: IndexedItems) =>
    itemConfigMaps(plan(items), items).map(({ data }) => Object.keys(data as object).length);

  it('have the value of each input under its index', () => {
    const items = itemsOf({ lr: [0.1, { deep: true }], name: ['x', 'y z'] });
    expect(itemConfigMaps(plan(items), items)).toMatchObject([
      {
        immutable: true,
        metadata: { name: 'r-m-1-items-0', ownerReferences: [{ uid: 'u' }] },
        data: {
          'INPUT_LR.0': '0.1',
          'INPUT_NAME.0': 'x',
          'INPUT_LR.1': '0.1',
          'INPUT_NAME.1': 'y z',
          'INPUT_LR.2': '{"deep":true}',
          'INPUT_NAME.2': 'x',
          'INPUT_LR.3': '{"deep":true}',
          'INPUT_NAME.3': 'y z',
        },
      },
    ]);
  });

  it('are as many as their keys and their size ask for', () => {
    expect(keysOf(itemsOf({ shard: Array.from({ length: 4_500 }, (_, item) => item) }))).toEqual([2_000, 2_000, 500]);
    expect(keysOf(itemsOf({ shard: Array.from({ length: 5 }, () => 'x'.repeat(300_000)) }))).toEqual([2, 2, 1]);
  });
});

describe('the state of an Indexed Job', () => {
  const job = (status: Job['status'], completions = 4): Job =>
    ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', uid: 'j' }, spec: { completions }, status }) as Job;
  const ended = (type: string, more: object, reason?: string): Job =>
    job({
      startTime: time,
      ...more,
      conditions: [{ type, status: 'True', lastTransitionTime: time, reason, message: 'why' }],
    } as never);
  const pod = (index: number, exitCode: number, message?: string, at = T0): Pod =>
    ({
      kind: 'Pod',
      metadata: { name: `p${index}`, labels: { 'batch.kubernetes.io/job-completion-index': String(index) } },
      status: {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: [
          { name: 'main', state: { terminated: { exitCode, message, finishedAt: new Date(at).toISOString() } } },
        ],
      },
    }) as unknown as Pod;
  const seen = (...pods: Pod[]): SeenItems => {
    const items: SeenItems = new Map();
    for (const one of pods) seeItem(items, one, T0);
    return items;
  };

  it.each([
    ['0', [0]],
    ['0,2-4,6', [0, 2, 3, 4, 6]],
    ['', []],
    [undefined, []],
    ['1-99999999999', [1, 2, 3, 4, 5, 6, 7]],
    ['x,-1,5', [5]],
  ])('reads the indexes %j', (text, indexes) => {
    expect(indexesOf(text, 8)).toEqual(indexes);
  });

  it.each<[string, Job['status'], object]>([
    ['has not begun', {}, { kind: 'pending' }],
    ['has pods that are not ready', { startTime: time, active: 2 }, { kind: 'pending' }],
    ['has ready pods', { startTime: time, ready: 1 }, { kind: 'running', startedAt: T0, message: '0 of 4 items done' }],
    [
      'has indexes that ended',
      { startTime: time, succeeded: 2, failedIndexes: '1' },
      { kind: 'running', message: '3 of 4 items done, 1 of them failed' },
    ],
  ])('that %s is so', (_name, status, state) => {
    expect(indexedJobState(job(status), undefined, T0)).toMatchObject(state);
  });

  it('takes the last of several tries that failed, and one that succeeded before all', () => {
    const early = pod(0, 1, undefined, T0 - 1000);
    const late = pod(0, 2);
    for (const order of [
      [early, late],
      [late, early],
    ])
      expect(seen(...order).get(0)).toMatchObject({ kind: 'failed', message: 'exit code 2' });
    expect(seen(late, pod(0, 0, '{}'), early).get(0)).toMatchObject({ kind: 'succeeded' });
  });

  it('asks for the pods of indexes that ended and were not seen', () => {
    const done = ended('Complete', { completedIndexes: '0-3' });
    expect(hasUnseenItems(done, seen(pod(0, 0), pod(1, 0), pod(2, 0)))).toBe(true);
    expect(hasUnseenItems(done, seen(pod(0, 0), pod(1, 0), pod(2, 0), pod(3, 0)))).toBe(false);
    expect(hasUnseenItems(ended('Failed', { failedIndexes: '2' }), seen(pod(2, 1)))).toBe(false);
  });

  it.each<[string, Job, Pod[], object]>([
    [
      'of all its items',
      ended('Complete', { completedIndexes: '0-3', completionTime: time }),
      [0, 1, 2, 3].map((index) => pod(index, 0, `{"rows":${index}}`)),
      { kind: 'succeeded', read: { rows: [0, 1, 2, 3] }, startedAt: T0, finishedAt: T0 },
    ],
    [
      'with too many that failed',
      ended('Failed', { completedIndexes: '0', failedIndexes: '2' }, 'MaxFailedIndexesExceeded'),
      [pod(2, 3)],
      { kind: 'failed', failure: 'user', reason: 'ItemsFailed', message: '1 of 4 items failed: m-2 (exit code 3)' },
    ],
    [
      'without the pod that failed',
      ended('Failed', { failedIndexes: '2' }),
      [],
      { message: '1 of 4 items failed: m-2 (its pod is gone)' },
    ],
    [
      'with outputs that are gone',
      ended('Complete', { completedIndexes: '0-3' }),
      [0, 1, 2].map((index) => pod(index, 0, `{"rows":${index}}`)),
      { kind: 'failed', failure: 'system', reason: 'PodDeleted' },
    ],
    [
      'by its deadline',
      ended('Failed', { completedIndexes: '0' }, 'DeadlineExceeded'),
      [pod(0, 0, '{"rows":1}')],
      { failure: 'user', reason: 'AttemptTimeout', message: 'why' },
    ],
    [
      'by a rule over the failures of its pods',
      ended('Failed', {}, 'PodFailurePolicy'),
      [],
      { failure: 'user', reason: 'ItemsFailed', message: 'why' },
    ],
  ])('tells its end %s', (_name, done, pods, state) => {
    expect(endedJobState(step(), done, seen(...pods), T0)).toMatchObject(state);
  });
});
