import { expect, it } from 'vitest';
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
