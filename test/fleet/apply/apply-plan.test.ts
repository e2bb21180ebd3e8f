import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApplyPlan, DesiredObject } from '../../../lib/fleet/apply/apply-plan.ts';
import { applySetKeys, inventoryId, parentManifest } from '../../../lib/fleet/apply/applyset.ts';
import { isDone, stagesOf } from '../../../lib/fleet/apply/apply-stages.ts';
import { exceeds, parsePruneLimit } from '../../../lib/fleet/prune/prune-limit.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import { desired, ModelCluster, ref } from './apply-model.ts';

const object = (kind: string, name: string, fields: object = {}, namespace = 'etl'): KubeObject => ({
  apiVersion: kind === 'CronJob' ? 'batch/v1' : 'v1',
  kind,
  metadata: { name, ...(kind !== 'Namespace' && { namespace }) },
  ...fields,
});
const plans = (...names: string[]): DesiredObject[] => names.map((name) => desired(object('CronJob', name)));

const actions = (plan: ApplyPlan): string[] =>
  plan.objects.map(({ action, object: { kind, metadata } }) => `${action} ${kind} ${metadata.name}`);
const writes = (plan: ApplyPlan): string[][] =>
  stagesOf(plan).map((stage) =>
    stage.map((write) => (write.kind === 'record' ? 'record' : `${write.kind} ${write.planned.object.metadata.name}`)),
  );

/** A cluster to which these were applied. */
function cluster(...applied: readonly DesiredObject[]): ModelCluster {
  const model = new ModelCluster();
  model.execute(model.plan(applied));
  return model;
}

describe('a plan', () => {
  it('creates, changes, leaves alone and deletes, with the inventory around it', () => {
    const model = cluster(...plans('same', 'changed', 'gone'), desired(object('ServiceAccount', 'old')));
    const changed = desired(object('CronJob', 'changed', { spec: { suspend: true } }));
    const plan = model.plan([...plans('same', 'new'), changed]);
    expect(actions(plan)).toEqual([
      'unchanged CronJob same',
      'create CronJob new',
      'change CronJob changed',
      'delete CronJob gone',
      'delete ServiceAccount old',
    ]);
    expect(writes(plan)).toEqual([['apply new', 'apply changed'], ['delete gone'], ['delete old'], ['record']]);
  });

  it('writes the inventory first, but after the namespace that it is in', () => {
    const plan = new ModelCluster().plan([
      ...plans('a'),
      desired(object('Namespace', 'etl')),
      desired(object('Namespace', 'z')),
    ]);
    expect(writes(plan)).toEqual([['apply etl'], ['record'], ['apply z'], ['apply a']]);
  });

  it('writes nothing when there is nothing to do, and no inventory for nothing', () => {
    expect(isDone(cluster(...plans('a')).plan(plans('a')))).toBe(true);
    expect(isDone(new ModelCluster().plan([]))).toBe(true);
  });

  it('does not look at what it does not know: without an inventory nothing is deleted', () => {
    expect(actions(cluster(...plans('a', 'b')).plan(plans('a'), { inventory: undefined }))).toEqual([
      'refuse CronJob a',
    ]);
    const model = new ModelCluster();
    model.execute(model.plan(plans('a', 'b'), { inventory: undefined }));
    expect(actions(model.plan(plans('a'), { inventory: undefined }))).toEqual(['unchanged CronJob a']);
  });

  it('makes no version a member, and deletes none', () => {
    const graph = object('ConfigMap', 'etl-abc', { immutable: true, data: { 'graph.json': '{}' } });
    const version = { ...graph, metadata: { ...graph.metadata, labels: { 'cdk8s-workflows.dev/version': 'abc' } } };
    const model = cluster(...plans('a'), desired(version));
    expect(model.objects.get('ConfigMap etl/etl-abc')!.metadata.labels).not.toHaveProperty([applySetKeys.partOf]);
    expect(actions(model.plan(plans('a')))).toEqual(['unchanged CronJob a']);
  });
});

/** Each row: what happened, and what the plan does about `gone`, which left the directory. */
describe('what is never deleted', () => {
  const label = { [applySetKeys.partOf]: inventoryId(ref) };
  const member = (given: KubeObject): KubeObject => ({
    ...given,
    metadata: { ...given.metadata, labels: { ...given.metadata.labels, ...label } },
  });

  it.each<[string, (model: ModelCluster) => ApplyPlan, string | undefined]>([
    ['with an empty directory', (model) => model.plan([]), 'nothing is deleted for an empty directory'],
    ['with --no-prune', (model) => model.plan(plans('a'), { prune: false }), '--no-prune'],
    [
      'when an object cannot be applied',
      (model) => model.plan([...plans('a'), { ...plans('b')[0]!, failure: { message: 'is wrong' } }]),
      'nothing is deleted while something cannot be applied',
    ],
    [
      'when an object belongs to another inventory',
      (model) => {
        const other = object('CronJob', 'b');
        model.put({ ...other, metadata: { ...other.metadata, labels: { [applySetKeys.partOf]: 'applyset-x-v1' } } });
        return model.plan(plans('a', 'b'));
      },
      'nothing is deleted while something cannot be applied',
    ],
    [
      'when members may have been overlooked',
      (model) => {
        const wanted = plans('a');
        const unseen = { message: 'is kept: Cannot list cronjobs' };
        return planWith(model, wanted, { unseen });
      },
      'Cannot list cronjobs',
    ],
  ])('%s', (_, plan, message) => {
    const model = cluster(...plans('a', 'gone'));
    const kept = plan(model).objects.find(({ object: { metadata } }) => metadata.name === 'gone')!;
    expect(kept.action).toBe('keep');
    expect(kept.reason?.message).toContain(message);
    expect(writes(plan(model)).flat()).not.toContain('delete gone');
  });

  it.each<[string, KubeObject, string]>([
    ['a Namespace', object('Namespace', 'etl'), 'keep'],
    ['a PersistentVolumeClaim', object('PersistentVolumeClaim', 'x'), 'keep'],
    ['a Job that runs', { ...object('Job', 'x'), apiVersion: 'batch/v1' }, 'keep'],
    [
      'a Job that has ended',
      {
        ...object('Job', 'x', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }),
        apiVersion: 'batch/v1',
      },
      'delete',
    ],
    ['a pod that runs', object('Pod', 'x', { status: { phase: 'Running' } }), 'keep'],
    ['a pod that has ended', object('Pod', 'x', { status: { phase: 'Failed' } }), 'delete'],
  ])('%s: its kind decides', (_, given, action) => {
    const model = cluster(...plans('a'));
    const left = { object: member(given), resource: { kind: given.kind } as never };
    const plan = planWith(model, plans('a'), { members: [left] });
    expect(plan.objects.at(-1)!.action).toBe(action);
    // What is kept stays in the inventory, so that it is not forgotten.
    expect([...plan.inventory!.after.groupKinds].length).toBe(action === 'keep' ? 2 : 1);
  });

  it('what is being deleted already', () => {
    const model = cluster(...plans('a', 'gone'));
    const gone = model.objects.get('CronJob.batch etl/gone')!;
    model.put({ ...gone, metadata: { ...gone.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(actions(model.plan(plans('a')))).toEqual(['unchanged CronJob a']);
    expect(model.plan(plans('a', 'gone')).objects[1]!.reason?.message).toBe('is being deleted');
  });

  function planWith(model: ModelCluster, wanted: readonly DesiredObject[], change: object): ApplyPlan {
    const observe = model.observe.bind(model);
    model.observe = (given) => ({ ...observe(given), ...change });
    return model.plan(wanted);
  }
});

describe('the limit on deletions', () => {
  const many = Array.from({ length: 20 }, (_, index) => `site-${index}`);

  it('refuses the whole plan of a cluster, before anything is written', () => {
    const model = cluster(...plans(...many));
    const plan = model.plan(plans('site-0', 'new'));
    expect(plan.failure).toEqual({
      message: 'it would delete 19 of 20 objects, and --prune-limit allows 10',
      fix: 'check that this is the right directory; then give --yes-delete, or --no-prune to delete nothing',
    });
    expect(stagesOf(plan)).toEqual([]);
    expect(model.plan(plans('site-0'), { yesDelete: true }).failure).toBeUndefined();
    expect(model.plan(plans('site-0'), { prune: false }).failure).toBeUndefined();
    expect(model.plan(plans('site-0'), { pruneLimit: { count: 19 } }).failure).toBeUndefined();
  });

  it('is half of the inventory or five objects, unless one was given', () => {
    expect([exceeds(undefined, 5, 5), exceeds(undefined, 6, 8), exceeds(undefined, 10, 20)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(exceeds({ count: 0 }, 1, 9)).toBe(true);
    expect([exceeds({ percent: 25 }, 2, 8), exceeds({ percent: 25 }, 3, 8)]).toEqual([false, true]);
    expect(['20', '25%', ' 0 ', '101%', '-1', 'x', ''].map(parsePruneLimit)).toEqual([
      { count: 20 },
      { percent: 25 },
      { count: 0 },
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('laws of apply', () => {
  const directory = fc
    .uniqueArray(
      fc.record({
        kind: fc.constantFrom('CronJob', 'ServiceAccount', 'Role', 'ConfigMap', 'Namespace'),
        name: fc.constantFrom('a', 'b', 'c', 'd'),
        namespace: fc.constantFrom('etl', 'other'),
        value: fc.nat(2),
      }),
      {
        maxLength: 12,
        selector: ({ kind, name, namespace }) => (kind === 'Namespace' ? name : `${kind} ${name} ${namespace}`),
      },
    )
    .map((items) =>
      items.map(({ kind, name, namespace, value }) => desired(object(kind, name, { spec: { value } }, namespace))),
    );
  const options = { yesDelete: true };
  const shuffled =
    (seed: number) =>
    <T>(stage: readonly T[]) =>
      stage
        .map((item, index) => [(seed * (index + 1)) % 7, item] as const)
        .sort(([a], [b]) => a - b)
        .map(([, item]) => item);

  it('interrupted anywhere and applied again is as applied once, and then there is nothing to do', () => {
    fc.assert(
      fc.property(directory, directory, fc.nat(40), fc.nat(6), (before, after, killedAt, seed) => {
        const straight = cluster(...before);
        straight.execute(straight.plan(after, options));
        const interrupted = cluster(...before);
        interrupted.execute(interrupted.plan(after, options), killedAt, shuffled(seed));
        interrupted.execute(interrupted.plan(after, options));
        expect(interrupted.state).toEqual(straight.state);
        expect(isDone(interrupted.plan(after, options))).toBe(true);
      }),
    );
  });

  it('interrupted on the way to one directory, and then another is applied, leaves nothing of the first', () => {
    fc.assert(
      fc.property(directory, directory, directory, fc.nat(40), fc.nat(6), (before, tried, after, killedAt, seed) => {
        fc.pre(after.length > 0);
        const straight = cluster(...before);
        straight.execute(straight.plan(after, options));
        const model = cluster(...before);
        model.execute(model.plan(tried, options), killedAt, shuffled(seed));
        model.execute(model.plan(after, options));
        // Namespaces stay, as what is kept does.
        const kept = (state: unknown) =>
          (state as KubeObject[]).filter(
            ({ kind, metadata }) => kind !== 'Namespace' && metadata.name !== 'applyset-acme',
          );
        expect(kept(model.state)).toEqual(kept(straight.state));
      }),
    );
  });

  it('touches nothing that it did not apply', () => {
    fc.assert(
      fc.property(directory, directory, (before, after) => {
        const model = cluster(...before);
        const foreign = object('CronJob', 'foreign');
        const other = parentManifest(
          { name: 'other', namespace: 'etl' },
          { groupKinds: new Set(), namespaces: new Set() },
          '1',
        );
        model.put(foreign);
        model.put(other);
        model.execute(model.plan(after, options));
        expect(model.objects.get('CronJob.batch etl/foreign')!.metadata.resourceVersion).toBeDefined();
        expect(model.deleted).not.toContain('CronJob.batch etl/foreign');
        expect(model.objects.has('ConfigMap etl/applyset-other')).toBe(true);
      }),
    );
  });
});
