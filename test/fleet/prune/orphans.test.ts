import { expect, it } from 'vitest';
import { orphanLines } from '../../../lib/cli/cluster/apply/orphan-lines.ts';
import { Output } from '../../../lib/cli/terminal/output.ts';
import { applySetKeys } from '../../../lib/fleet/apply/applyset.ts';
import { outsideOf, unplanned } from '../../../lib/fleet/prune/orphans.ts';
import type { KubeObject, ObjectMeta } from '../../../lib/kube/objects.ts';

const role = (name: string, metadata: Partial<ObjectMeta> = {}): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name, namespace: 'etl', ...metadata },
});
const orphans = (object: KubeObject) =>
  outsideOf(unplanned([object], new Set(['Role.rbac.authorization.k8s.io etl/planned'])), new Set(['set']));

it.each<[string, KubeObject, boolean]>([
  ['of no inventory', role('a'), true],
  ['of an inventory that is gone', role('a', { labels: { [applySetKeys.partOf]: 'gone' } }), true],
  ['of an inventory', role('a', { labels: { [applySetKeys.partOf]: 'set' } }), false],
  ['of the directory', role('planned'), false],
  ['of the same name elsewhere', role('planned', { namespace: 'other' }), true],
  ['on its way out', role('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  [
    'of somebody who deletes it',
    role('a', { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'run', uid: 'u' }] }),
    false,
  ],
])('knows whether an object %s is an orphan', (_, object, is) => {
  expect(orphans(object)).toHaveLength(is ? 1 : 0);
});

const plain = new Output({ write: () => undefined }, {}).colors;
const session = (names: readonly string[], inventory?: string, cluster?: string) => ({
  orphans: names.map((name) => ({ kind: 'Role', namespace: 'etl', name })),
  title: 'test',
  target: { directory: 'dist/test', manifests: [], inventory, cluster },
});

it('names some orphans, and counts the others', () => {
  expect(orphanLines([session(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'acme', 'test')], {}, plain)).toEqual([
    'note: test: 7 objects of this project are in no inventory and not in the directory: Role etl/a, Role etl/b, Role etl/c, ' +
      'Role etl/d, Role etl/e and 2 more; kubectl delete what nobody needs, unless it is applied from elsewhere',
  ]);
});

it.each<[string, string | undefined, readonly string[], object, readonly string[]]>([
  ['it has an inventory', 'acme', ['a'], { yesDelete: true }, []],
  ['nothing is left and nobody asks', undefined, [], {}, []],
  ['something is left', undefined, ['a'], {}, ['without a name']],
  ['somebody asks for deletions', undefined, [], { yesDelete: true }, ['without a name']],
  ['somebody asks for some deletions', undefined, [], { pruneLimit: { count: 1 } }, ['without a name']],
])('says once that a fleet without a name is never pruned, or not when %s', (_, inventory, names, options, said) => {
  const sessions = [session(names, inventory, 'test'), session(names, inventory, 'prod')];
  const lines = orphanLines(sessions, options, plain).filter((line) => line.includes('never deletes'));
  expect(lines).toEqual(said.map((words) => expect.stringContaining(words) as string));
});

it('says of a directory without a fleet what it can be given', () => {
  expect(orphanLines([session([])], { yesDelete: true }, plain)).toEqual([
    'note: a directory without a fleet has no inventory, so apply never deletes what leaves it; give it one by --applyset',
  ]);
});
