import { describe, expect, it } from 'vitest';
import { applyFailure } from '../../../lib/fleet/apply/apply-failure.ts';
import { inApplyOrder } from '../../../lib/fleet/apply/apply-order.ts';
import { applyTargets, type TargetChoice } from '../../../lib/fleet/apply/apply-target.ts';
import { inParallel } from '../../../lib/fleet/in-parallel.ts';
import { outcomeOf } from '../../../lib/fleet/apply/outcome.ts';
import { ConnectionError, KubeError } from '../../../lib/kube/errors.ts';
import { leavingSwitched } from '../../../lib/fleet/failover/failover-record.ts';
import { HAND_MANAGER } from '../../../lib/fleet/apply/field-managers.ts';
import { annotations } from '../../../lib/graph/labels.ts';
import type { KubeObject, StatusCause } from '../../../lib/kube/objects.ts';

function object(kind: string, name = 'x', fields: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name }, ...fields };
}

describe('the order of an apply', () => {
  it('puts what others need first and what starts work last', () => {
    const kinds = [
      'CronJob',
      'Widget',
      'ConfigMap',
      'RoleBinding',
      'Role',
      'Job',
      'PodTemplate',
      'ServiceAccount',
      'Namespace',
    ];
    const groups = inApplyOrder(kinds.map((kind) => ({ object: object(kind) })));
    expect(groups.map((group) => group.map((item) => item.object.kind))).toEqual([
      ['Namespace'],
      ['ServiceAccount'],
      ['Role'],
      ['RoleBinding'],
      ['PodTemplate'],
      ['ConfigMap'],
      ['Widget'],
      ['CronJob', 'Job'],
    ]);
  });
});

describe('a refusal of the API server', () => {
  const refused = (code: number, reason: string, message: string, causes: StatusCause[] = []) =>
    applyFailure(
      new KubeError({ kind: 'Status', code, reason, message, details: { causes } }, { verb: 'apply', object: 'x' }),
    );
  const conflict = (manager: string, field: string): StatusCause => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${manager}" using batch/v1 at 2026-03-01T10:00:00Z`,
    field,
  });

  it('names every other manager with its fields', () => {
    const causes = [
      conflict('argocd', '.spec.suspend'),
      conflict('kubectl', '.spec.schedule'),
      conflict('argocd', '.metadata.labels.a'),
    ];
    expect(refused(409, 'Conflict', 'Apply failed with 3 conflicts', causes)).toEqual({
      message: '.spec.suspend, .metadata.labels.a are set by "argocd"; .spec.schedule is set by "kubectl"',
      fix: 'leave these fields to "argocd", "kubectl", or take over with --force-conflicts',
    });
    expect(refused(409, 'Conflict', '', [conflict('cdk8s-workflows-by-hand', '.spec.suspend')])).toEqual({
      message: '.spec.suspend is set by "cdk8s-workflows-by-hand"',
      fix: 'undo what was done by hand (activate, deactivate or failback), or take over with --force-conflicts',
    });
    expect(refused(409, 'Conflict', 'the object has been modified')).toEqual({
      message: 'the object has been modified',
      fix: 'apply again',
    });
  });

  it('says what to do about a quota and a namespace that is going', () => {
    expect(refused(403, 'Forbidden', 'jobs "a" is forbidden: exceeded quota: q').fix).toBe(
      'free some of the quota, or ask for more',
    );
    expect(refused(403, 'Forbidden', 'unable to create: namespace a is being terminated').fix).toContain(
      'wait until the namespace is gone',
    );
  });

  it('passes other errors on', () => {
    expect(() => applyFailure(new TypeError('a mistake'))).toThrow('a mistake');
    const lost = new ConnectionError(
      'https://a',
      { verb: 'apply', object: 'x' },
      Object.assign(new Error(''), { code: 'ECONNREFUSED' }),
    );
    expect(applyFailure(lost).message).toContain('Nothing listens there');
  });
});

describe('where to apply', () => {
  const placement = {
    fleet: 'acme',
    clusters: {
      test: { context: 'kind-test', namespace: 'etl', enabled: true },
      prod: { enabled: true },
      old: { enabled: false },
    },
    plans: {},
  };
  const targets = (choice: Partial<TargetChoice>, directories: readonly string[] = []) =>
    applyTargets({ output: 'dist', isDirectory: (path) => directories.includes(path), ...choice });

  it('is every cluster of the fleet when nothing is named, or the output without a fleet', () => {
    expect(targets({ placement })).toEqual([
      { cluster: 'test', directory: 'dist/test', context: 'kind-test', namespace: 'etl', inventory: 'acme' },
      { cluster: 'prod', directory: 'dist/prod', inventory: 'acme' },
    ]);
    expect(targets({ context: 'c' })).toEqual([{ directory: 'dist', context: 'c' }]);
  });

  it('is a cluster by its name or its directory, and the options win over the placement', () => {
    const test = { cluster: 'test', directory: 'dist/test', context: 'other', namespace: 'n', inventory: 'acme' };
    for (const argument of ['test', 'dist/test', './dist/test/'])
      expect(targets({ argument, placement, context: 'other', namespace: 'n' })).toEqual([test]);
    expect(targets({ argument: 'else', placement }, ['else'])).toEqual([{ directory: 'else' }]);
    expect(targets({ argument: 'test' }, ['dist/test'])).toEqual([{ cluster: 'test', directory: 'dist/test' }]);
  });

  it('is listed in the inventory of the fleet, or of the name that is given; a fleet without a name has none', () => {
    const inventoryOf = (choice: Partial<TargetChoice>) => targets(choice, ['dir'])[0]!.inventory;
    expect(inventoryOf({ placement, inventory: 'mine' })).toBe('mine');
    expect(inventoryOf({ placement: { ...placement, fleet: 'default' } })).toBeUndefined();
    expect(inventoryOf({ placement, argument: 'dir' })).toBeUndefined();
    expect(inventoryOf({ argument: 'dir', inventory: 'mine' })).toBe('mine');
  });

  it('is nowhere for an unknown cluster, or for one context with several clusters', () => {
    expect(() => targets({ argument: 'tset', placement })).toThrow(
      '"tset" is neither a cluster of the fleet nor a directory; did you mean "test"?',
    );
    expect(() => targets({ argument: 'old', placement })).toThrow(
      'the cluster "old" is disabled; enable it in the fleet',
    );
    expect(() => targets({ argument: 'x' })).toThrow('run synth first');
    expect(() => targets({ placement, context: 'c' })).toThrow(
      '--context: is one cluster, and the fleet has several; name one cluster: test, prod',
    );
  });
});

describe('what an apply did', () => {
  const options = { dryRun: false, manager: 'cdk8s-workflows' };
  const at = (resourceVersion: string, time = 't1'): KubeObject => {
    const managedFields = [{ manager: 'cdk8s-workflows', operation: 'Apply', time }];
    return object('CronJob', 'x', { metadata: { name: 'x', resourceVersion, creationTimestamp: 't1', managedFields } });
  };

  it('follows from the versions before and after', () => {
    expect(outcomeOf(undefined, at('1'), options)).toBe('created');
    expect(outcomeOf(undefined, at('1', 't2'), options)).toBe('configured');
    expect(outcomeOf(at('1'), at('1'), options)).toBe('unchanged');
    for (const dryRun of [false, true]) {
      expect(outcomeOf(at('1'), { ...at('2'), spec: {} }, { ...options, dryRun })).toBe('configured');
      expect(outcomeOf(at('1'), { ...at('2', 't2'), status: {} }, { ...options, dryRun })).toBe('unchanged');
    }
  });
});

describe('work in parallel', () => {
  it('keeps to its limit and to the order of results', async () => {
    let running = 0;
    let most = 0;
    const results = await inParallel([3, 1, 2, 0], 2, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, item));
      running--;
      return item * 2;
    });
    expect(results).toEqual([6, 2, 4, 0]);
    expect(most).toBe(2);
  });
});

describe('a plan that was paused by hand', () => {
  const plan = (notes: Record<string, string>, managedFields: unknown[] = []): KubeObject => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'p', managedFields },
    spec: { suspend: false, jobTemplate: { metadata: { annotations: notes }, spec: {} } },
  });
  const said = { [annotations.pausedUntil]: '2026-03-01T00:00:00Z', [annotations.inputs]: '{}' };
  const path = { 'f:metadata': { 'f:annotations': { [`f:${annotations.pausedUntil}`]: {} } } };
  const byHand = [{ manager: HAND_MANAGER, fieldsV1: { 'f:spec': { 'f:jobTemplate': path } } }];

  it('is applied without what its manifest says of the pause, and with all the rest', () => {
    const live = plan({ [annotations.pausedUntil]: '2027-01-01T00:00:00Z' }, byHand);
    expect(leavingSwitched(plan(said), live)).toEqual(plan({ [annotations.inputs]: '{}' }));
    const unpaused = plan({ [annotations.inputs]: '{}' });
    expect(leavingSwitched(unpaused, live)).toBe(unpaused);
  });

  it('is applied as it is when nobody paused it but its author', () => {
    const manifest = plan(said);
    expect(leavingSwitched(manifest, plan(said))).toBe(manifest);
  });
});
