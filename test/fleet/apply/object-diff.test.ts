import { describe, expect, it } from 'vitest';
import { objectDifferences } from '../../../lib/fleet/apply/object-diff.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';

const object = (metadata: object, spec: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'n', ...metadata },
  spec,
});

it.each<[string, object, object, object[]]>([
  ['a value', { a: 1, b: 'x' }, { a: 2, b: 'x' }, [{ path: 'spec.a', before: 1, after: 2 }]],
  ['a field that is new', {}, { a: { b: 1 } }, [{ path: 'spec.a.b', after: 1 }]],
  ['a field that is gone', { a: { b: 1 } }, {}, [{ path: 'spec.a.b', before: 1 }]],
  ['an empty map that is new', {}, { a: {} }, [{ path: 'spec.a', after: {} }]],
  ['a map in place of a value', { a: 1 }, { a: { b: 1 } }, [{ path: 'spec.a', before: 1, after: { b: 1 } }]],
  ['a key that is no word', {}, { 'x/y.z': 1 }, [{ path: 'spec[x/y.z]', after: 1 }]],
  [
    'items by their name, wherever they stand',
    { c: [{ name: 'a', image: '1' }, { name: 'b' }] },
    { c: [{ name: 'b' }, { name: 'a', image: '2' }] },
    [{ path: 'spec.c[a].image', before: '1', after: '2' }],
  ],
  ['other lists as a whole', { c: [1, 2] }, { c: [1] }, [{ path: 'spec.c', before: [1, 2], after: [1] }]],
])('tells %s', (_, before, after, differences) => {
  expect(objectDifferences(object({}, before), object({}, after))).toEqual(differences);
});

it('passes over what the API server sets', () => {
  const live = object(
    { uid: 'u', resourceVersion: '7', generation: 2, managedFields: [{}], creationTimestamp: 't' },
    {},
  );
  expect(objectDifferences({ ...live, status: { phase: 'Running' } }, object({}, {}))).toEqual([]);
});

it('tells all fields of an object that is new', () => {
  expect(objectDifferences(undefined, object({ labels: { a: 'b' } }, { c: 1 }))).toEqual([
    { path: 'metadata.labels.a', after: 'b' },
    { path: 'spec.c', after: 1 },
  ]);
});

describe('a plan that is held carries the manifest that it is held from', () => {
  const next = (version: string, schedule: string) =>
    JSON.stringify({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'a', labels: { version } },
      spec: { schedule, jobTemplate: { metadata: { labels: { 'cdk8s-workflows.dev/version': version } } } },
    });
  const key = 'cdk8s-workflows.dev/next';
  const path = `metadata.annotations[${key}]`;
  const plan = (held?: string) =>
    object({ annotations: { note: 'x', ...(held !== undefined && { [key]: held }) } }, {});

  it('which is told by its version when it comes or goes', () => {
    const held = plan(next('v2', '0 0 * * *'));
    expect(objectDifferences(plan(), held)).toEqual([{ path, after: 'a plan of version v2' }]);
    expect(objectDifferences(held, plan())).toEqual([{ path, before: 'a plan of version v2' }]);
  });

  it('which is told field by field when it changes', () => {
    expect(objectDifferences(plan(next('v2', '0 0 * * *')), plan(next('v2', '0 1 * * *')))).toEqual([
      { path: `${path}.spec.schedule`, before: '0 0 * * *', after: '0 1 * * *' },
    ]);
  });

  it('which is told as it is when somebody broke it', () => {
    expect(objectDifferences(plan('{'), plan('['))).toEqual([{ path, before: '{', after: '[' }]);
  });
});
