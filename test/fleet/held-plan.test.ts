import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCanary, versionMoves } from '../../lib/fleet/canary.ts';
import {
  heldManifest,
  keepingPrevious,
  movedManifest,
  nextOf,
  plannedGraph,
  plannedVersion,
  previousOf,
  rolledBack,
} from '../../lib/fleet/held-plan.ts';
import { isAsApplied } from '../../lib/fleet/apply/drift.ts';
import { APPLY_MANAGER } from '../../lib/fleet/apply/field-managers.ts';
import type { FieldSet } from '../../lib/fleet/apply/managed-fields.ts';
import { objectKey } from '../../lib/fleet/object-key.ts';
import { ownedPart } from '../../lib/fleet/owned-part.ts';
import { annotations, CONTROLLER_NAME, labels } from '../../lib/graph/labels.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';

function plan(name: string, version: string, inputs = '{}', group = 'sites'): KubeObject {
  const own = { [labels.group]: group, [labels.version]: version };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: 'etl', labels: own, annotations: { [annotations.fixedInputs]: inputs } },
    spec: {
      schedule: `0 ${version.length} * * *`,
      jobTemplate: {
        metadata: {
          labels: own,
          annotations: { [annotations.graph]: `etl-${version}`, [annotations.inputs]: inputs },
        },
        spec: {
          managedBy: CONTROLLER_NAME,
          completions: 1,
          template: { spec: { containers: [{ name: 'driver', image: 'x' }], restartPolicy: 'Never' } },
        },
      },
    },
  };
}

/** As the API server has it after an apply of ours: with the fields noted, and defaults that are nobody's. */
function applied(manifest: KubeObject): KubeObject {
  const { apiVersion, metadata, spec } = structuredClone(manifest);
  const { labels: own, annotations: notes } = metadata;
  const fieldsV1 = fieldsOf({ metadata: { labels: own, annotations: notes }, spec });
  const entry = { manager: APPLY_MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 };
  const { jobTemplate } = spec as { jobTemplate: { spec: { template: { spec: Record<string, unknown> } } } };
  Object.assign(jobTemplate.spec.template.spec, { dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler' });
  const live = { ...metadata, uid: 'uid', resourceVersion: '7', managedFields: [entry] };
  return { ...manifest, metadata: live, spec: { ...(spec as object), concurrencyPolicy: 'Allow' } };
}

function fieldsOf(value: unknown): FieldSet {
  if (Array.isArray(value))
    return Object.fromEntries(
      (value as { name: string }[]).map((item) => [
        `k:${JSON.stringify({ name: item.name })}`,
        { '.': {}, ...fieldsOf(item) },
      ]),
    );
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [`f:${name}`, fieldsOf(inner)]));
}

describe('what is ours of an object', () => {
  it('is its manifest, and applied once more it changes nothing', () => {
    const live = applied(plan('a', 'v1'));
    expect(ownedPart(live)).toEqual(plan('a', 'v1'));
    expect(isAsApplied(ownedPart(live)!, live, APPLY_MANAGER)).toBe(true);
    expect(ownedPart({ ...live, metadata: { name: 'a' } })).toBeUndefined();
  });
});

describe('a plan that is held', () => {
  const old = applied(plan('a', 'v1'));
  const wanted = plan('a', 'v22', '{"mode":"fast"}');

  it('keeps all that its runs are made of, takes the rest, and knows what it is kept from', () => {
    const held = heldManifest(wanted, old);
    expect(plannedVersion(held)).toBe('v1');
    expect(held.metadata.labels![labels.version]).toBe('v1');
    expect(held.metadata.annotations![annotations.fixedInputs]).toBe('{}');
    expect(held.spec).toMatchObject({ schedule: '0 3 * * *' });
    expect((held.spec as { jobTemplate: object }).jobTemplate).toEqual(
      (plan('a', 'v1').spec as { jobTemplate: object }).jobTemplate,
    );
    expect(nextOf(held)).toEqual(wanted);
    // Applied again there is nothing to do, and it is kept from what is applied then.
    const live = applied(held);
    expect(isAsApplied(heldManifest(wanted, live), live, APPLY_MANAGER)).toBe(true);
    expect(nextOf(heldManifest(plan('a', 'v3'), live))).toEqual(plan('a', 'v3'));
  });

  it('has the dates and turns of the schedule that it takes', () => {
    const timed = (version: string, note: string, value: string) => {
      const made = plan('a', version);
      const { jobTemplate } = made.spec as { jobTemplate: { metadata: { annotations: Record<string, string> } } };
      jobTemplate.metadata.annotations[note] = value;
      return made;
    };
    const before = applied(timed('v1', annotations.schedules, '{"cron":["0 6 * * *"]}'));
    const { spec } = heldManifest(timed('v2', annotations.between, '{"from":"2026-01-01"}'), before);
    const { annotations: notes } = (spec as { jobTemplate: { metadata: { annotations: object } } }).jobTemplate
      .metadata;
    expect(notes).toEqual({
      [annotations.graph]: 'etl-v1',
      [annotations.inputs]: '{}',
      [annotations.between]: '{"from":"2026-01-01"}',
    });
  });

  it('keeps what it has where it was applied by something else', () => {
    const held = heldManifest(wanted, { ...old, metadata: { ...old.metadata, managedFields: [] } });
    expect(plannedGraph(held)).toBe('etl-v1');
  });

  it('is what a rollback makes of it, and is let go when it is rolled back to what it is kept from', () => {
    const live = applied(wanted);
    const back = rolledBack(live, { graph: 'etl-v1', version: 'v1', steps: 4 })!;
    expect([plannedGraph(back), plannedVersion(back), back.metadata.labels![labels.version]]).toEqual([
      'etl-v1',
      'v1',
      'v1',
    ]);
    expect(back.spec).toMatchObject({ jobTemplate: { spec: { completions: 4 } } });
    expect(nextOf(back)).toEqual(wanted);
    expect(rolledBack(applied(back), { graph: 'etl-v22', version: 'v22', steps: 1 })).toEqual(wanted);
    const further = rolledBack(applied(back), { graph: 'etl-v0', version: 'v0', steps: 1 })!;
    expect([plannedGraph(further), nextOf(further)]).toEqual(['etl-v0', wanted]);
    expect(rolledBack({ ...live, metadata: { name: 'a' } }, { graph: 'g', version: 'v', steps: 1 })).toBeUndefined();
  });

  it('that went first gets back what it had with its version, and keeps it in mind as long as it has the other', () => {
    const moved = movedManifest(wanted, old);
    expect(previousOf(moved)).toEqual(plan('a', 'v1'));
    const live = applied(moved);
    expect(isAsApplied(keepingPrevious(wanted, live), live, APPLY_MANAGER)).toBe(true);
    expect(keepingPrevious(plan('a', 'v3'), live)).toEqual(plan('a', 'v3'));
    const back = rolledBack(live, { graph: 'etl-v1', version: 'v1', steps: 1 })!;
    expect(back).toEqual(heldManifest(wanted, old));
    expect(previousOf(back)).toBeUndefined();
    expect(movedManifest(wanted, { ...old, metadata: { name: 'a' } })).toEqual(wanted);
  });

  it('is not one whose annotation somebody broke', () =>
    expect(nextOf({ ...old, metadata: { name: 'a', annotations: { [annotations.next]: '{' } } })).toBeUndefined());
});

describe('a canary', () => {
  const names = Array.from({ length: 40 }, (_, index) => `etl-${index}`);
  const live = (of: readonly string[]) => new Map(of.map((name) => [objectKey(plan(name, 'v1')), plan(name, 'v1')]));
  const wanted = (of: readonly string[]) => of.map((name) => plan(name, 'v2'));
  const held = (of: readonly string[], share: number) => versionMoves(wanted(of), live(of), { '*': share }).held;

  it('is so many of the plans of a group, at least one, and a larger share only adds to them', () =>
    fc.assert(
      fc.property(fc.subarray(names, { minLength: 1 }), fc.nat(100), fc.nat(100), (some, a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(held(some, small).size).toBe(some.length - Math.ceil((small * some.length) / 100));
        for (const key of held(some, large)) expect(held(some, small).has(key)).toBe(true);
      }),
    ));

  it('holds nobody who has the version, is new, or has no group or no share', () => {
    const [first, second, third] = names as [string, string, string];
    const object = (name: string) => plan(name, 'v2');
    const known = new Map([
      [objectKey(object(first)), plan(first, 'v2')],
      [objectKey(object(third)), plan(third, 'v1', '{}', 'others')],
    ]);
    const all = [object(first), object(second), plan(third, 'v2', '{}', 'others')];
    const key = objectKey(all[2]!);
    expect(versionMoves(all, known, { sites: 0 })).toEqual({ held: new Set(), first: new Set() });
    expect(versionMoves(all, known, { '*': 0 })).toEqual({ held: new Set([key]), first: new Set() });
    expect(versionMoves(all, known, { '*': 0, others: 100 })).toEqual({ held: new Set(), first: new Set([key]) });
  });

  it('that nobody speaks of stays as it is, unless it is let go', () => {
    const old = plan('a', 'v1');
    const kept = { ...old, metadata: { ...old.metadata, annotations: { [annotations.next]: JSON.stringify(old) } } };
    const known = new Map([[objectKey(kept), kept]]);
    expect(versionMoves([plan('a', 'v2')], known).held.size).toBe(1);
    expect(versionMoves([plan('a', 'v2')], known, {}, true).held.size).toBe(0);
    expect(versionMoves([plan('a', 'v1')], known).held.size).toBe(0);
  });

  it.each([
    ['10%', ['*', 10]],
    ['sites=12.5%', ['sites', 12.5]],
    ['0%', ['*', 0]],
    ['101%', undefined],
    ['10', undefined],
    ['=10%', undefined],
  ])('%s is read as %j', (text, expected) => expect(parseCanary(text)).toEqual(expected));
});
