import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Yaml } from 'cdk8s';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseManifests, readManifests } from '../../lib/cli/app/manifests.ts';
import { readOutput } from '../../lib/cli/app/output-tree.ts';
import { temporaryDirectory } from '../local/fixtures.ts';

function write(root: string, files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`;
const names = (files: Awaited<ReturnType<typeof readManifests>>) =>
  files.map(({ file, objects }) => [file, ...objects.map(({ metadata }) => (metadata as { name: string }).name)]);

test('reads all documents of all files below a directory, in the order of their names', async () => {
  using directory = temporaryDirectory();
  write(directory.path, {
    'b.yaml': `${object('b1')}---\n---\n# nothing\n---\n${object('b2')}`,
    'a/z.yml': object('z'),
    'a/list.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }],
    }),
    'empty.yaml': '',
    'notes.txt': 'x',
    '.hidden/c.yaml': object('hidden'),
    'placement.json': '{}',
  });
  expect(names(await readManifests(directory.path))).toEqual([
    ['a/list.json', 'p'],
    ['a/z.yml', 'z'],
    ['b.yaml', 'b1', 'b2'],
    ['empty.yaml'],
  ]);
});

test('tells every file and line that cannot be read, at once', async () => {
  using directory = temporaryDirectory();
  write(directory.path, {
    'a.yaml': `${object('a')}---\nkind: Pod\nmetadata: { name: p }\n`,
    'b.yaml': 'a: [1\nb: 2\n',
    'c.yaml': `${object('c')}---\n- 1\n`,
  });
  await expect(readManifests(directory.path)).rejects.toThrow(
    [
      `Manifests in ${directory.path}:`,
      '  a.yaml:5: is no Kubernetes object; it needs apiVersion, kind and metadata.name',
      '  b.yaml:2: is not YAML: ',
    ].join('\n'),
  );
  await expect(readManifests(directory.path)).rejects.toThrow('c.yaml:5: is no Kubernetes object');
});

test('reads what cdk8s writes as what it was', async () => {
  const manifest = fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('ConfigMap'),
    metadata: fc.record({ name: fc.constantFrom('a', '1', 'yes', '2020-01-01', '---') }),
    data: fc.jsonValue(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(manifest, { maxLength: 3 }), async (manifests) => {
      const text = manifests.map((object) => Yaml.stringify(object)).join('---\n');
      const { objects, problems } = await parseManifests(text, 'a.yaml');
      expect(problems).toEqual([]);
      expect(JSON.stringify(objects)).toBe(JSON.stringify(manifests));
    }),
  );
});

test('with a placement the directories are clusters, without one they are not', async () => {
  using directory = temporaryDirectory();
  write(directory.path, { 'test/a.k8s.yaml': object('a'), 'prod/a.k8s.yaml': object('a') });
  expect((await readOutput(directory.path)).clusters.map(({ name }) => name)).toEqual([undefined]);
  write(directory.path, { 'placement.json': '{}' });
  expect((await readOutput(directory.path)).clusters.map(({ name }) => name)).toEqual(['prod', 'test']);
});
