import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kustomization } from '../../lib/graph/kustomization.ts';
import { labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { temporaryDirectory } from '../local/fixtures.ts';
import { cli } from './cli.ts';

const ROOT = join(import.meta.dirname, '../..');

/** An app without cdk8s: what it writes is in `files.json`. */
const APP = `
const { dirname, join } = require('node:path');
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const files = JSON.parse(readFileSync('files.json', 'utf8'));
mkdirSync(process.env.CDK8S_OUTDIR, { recursive: true });
for (const [file, text] of Object.entries(files)) {
  const path = join(process.env.CDK8S_OUTDIR, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log('printed by the app');
`;

function makeApp(path: string, files: Readonly<Record<string, string>>): string {
  writeFileSync(join(path, 'main.cjs'), APP);
  writeFileSync(join(path, 'cdk8s.yaml'), 'language: typescript\napp: node main.cjs\n');
  setFiles(path, files);
  return path;
}

function setFiles(path: string, files: Readonly<Record<string, string>>): void {
  writeFileSync(join(path, 'files.json'), JSON.stringify(files));
}

const object = (name: string, own: Readonly<Record<string, string>> = {}) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  labels: ${JSON.stringify(own)}\n`;

const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

test('writes what the app gives, and says what', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a'), 'b.k8s.yaml': object('b') });
  const { code, stdout, stderr } = await cli(['synth'], { cwd: directory.path });
  expect(stdout).toBe(
    'PLANS   WORKFLOWS   TEMPLATES   OTHER\n0       0           0           2\n✓ dist: 2 files written, 0 unchanged\n',
  );
  expect(stderr).toBe('printed by the app\n');
  expect(code).toBe(0);
  expect(filesIn(join(directory.path, 'dist'))).toEqual(['a.k8s.yaml', 'b.k8s.yaml']);
  expect(readdirSync(directory.path).filter((name) => name.startsWith('.dist'))).toEqual([]);
});

test('a second synth touches no file', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a'), 'test/b.k8s.yaml': object('b') });
  await cli(['synth'], { cwd: directory.path });
  const file = join(directory.path, 'dist/a.k8s.yaml');
  utimesSync(file, 1000, 1000);
  const { stdout } = await cli(['synth', '--json'], { cwd: directory.path });
  expect(JSON.parse(stdout)).toMatchObject({
    written: [],
    unchanged: ['a.k8s.yaml', 'test/b.k8s.yaml'],
    removed: [],
    kept: [],
  });
  expect(statSync(file).mtimeMs).toBe(1_000_000);
});

test('removes what the last synth wrote and this one did not, with the directory left empty; keeps what is foreign', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a'), 'old/b.k8s.yaml': object('b'), 'placement.json': '{}' });
  await cli(['synth'], { cwd: directory.path });
  writeFileSync(join(directory.path, 'dist/kustomization.yaml'), 'resources: []\n');
  writeFileSync(join(directory.path, 'dist/README'), 'mine');
  setFiles(directory.path, { 'a.k8s.yaml': object('a2') });
  const { stdout } = await cli(['synth'], { cwd: directory.path });
  expect(stdout).toContain('removed dist/old/b.k8s.yaml: no longer part of the app\n');
  expect(stdout).toContain('kept dist/kustomization.yaml: not written by synth\n');
  expect(stdout).toContain('✓ dist: 1 file written, 0 unchanged, 2 removed\n');
  expect(filesIn(join(directory.path, 'dist'))).toEqual(['README', 'a.k8s.yaml', 'kustomization.yaml']);
  expect(existsSync(join(directory.path, 'dist/old'))).toBe(false);
});

test('without a list of the last synth, generated files with objects of ours are told by what they hold', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a') });
  mkdirSync(join(directory.path, 'dist'));
  writeFileSync(join(directory.path, 'dist/stale.k8s.yaml'), object('stale', { [labels.managedBy]: MANAGED_BY }));
  writeFileSync(join(directory.path, 'dist/other.k8s.yaml'), object('other'));
  writeFileSync(join(directory.path, 'dist/mine.yaml'), object('mine', { [labels.managedBy]: MANAGED_BY }));
  const { stdout } = await cli(['synth', '--json'], { cwd: directory.path });
  expect(JSON.parse(stdout)).toMatchObject({ removed: ['stale.k8s.yaml'], kept: ['mine.yaml', 'other.k8s.yaml'] });
});

test('the kustomization of a cluster goes with it, whether there is a list of the last synth or not', async () => {
  using directory = temporaryDirectory();
  const ours = { 'test/a.k8s.yaml': object('a', { [labels.managedBy]: MANAGED_BY }), 'placement.json': '{}' };
  for (const list of [true, false]) {
    makeApp(directory.path, { ...ours, 'test/kustomization.yaml': kustomization(['a.k8s.yaml'], 'etl') });
    await cli(['synth'], { cwd: directory.path });
    expect(filesIn(join(directory.path, 'dist/test'))).toEqual(['a.k8s.yaml', 'kustomization.yaml']);
    if (!list) rmSync(join(directory.path, '.workflows'), { recursive: true });
    setFiles(directory.path, { 'placement.json': '{}' });
    await cli(['synth'], { cwd: directory.path });
    expect(filesIn(join(directory.path, 'dist'))).toEqual(['placement.json']);
  }
});

test('the kustomization of somebody else is not overwritten, and nothing else is', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, {
    'test/a.k8s.yaml': object('a'),
    'test/kustomization.yaml': kustomization(['a.k8s.yaml'], 'etl'),
  });
  mkdirSync(join(directory.path, 'dist/test'), { recursive: true });
  writeFileSync(join(directory.path, 'dist/test/kustomization.yaml'), 'resources: []\n');
  const { code, stderr } = await cli(['synth'], { cwd: directory.path });
  expect(stderr).toContain('test/kustomization.yaml was not written by synth, which writes one there; move it');
  expect(code).toBe(1);
  expect(filesIn(join(directory.path, 'dist'))).toEqual(['test/kustomization.yaml']);
});

test('the list of an output directory goes when the directory has gone', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a') });
  const lists = join(directory.path, '.workflows/outputs');
  await cli(['synth', '-o', 'here/out'], { cwd: directory.path });
  expect(readdirSync(lists)).toEqual(['here%2Fout.json']);
  rmSync(join(directory.path, 'here'), { recursive: true });
  await cli(['synth'], { cwd: directory.path });
  expect(readdirSync(lists)).toEqual(['dist.json']);
});

test('an app that fails changes nothing', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a') });
  await cli(['synth'], { cwd: directory.path });
  rmSync(join(directory.path, 'files.json'));
  const { code, stderr } = await cli(['synth'], { cwd: directory.path });
  expect(stderr).toContain("ENOENT: no such file or directory, open 'files.json'");
  expect(stderr).toMatch(/error: the app failed \(exit code 1\): node main\.cjs\n$/);
  expect(code).toBe(1);
  expect(filesIn(join(directory.path, 'dist'))).toEqual(['a.k8s.yaml']);
});

test('an output directory that is a link stays one', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a') });
  mkdirSync(join(directory.path, 'elsewhere'));
  symlinkSync('elsewhere', join(directory.path, 'dist'));
  await cli(['synth'], { cwd: directory.path });
  expect(filesIn(join(directory.path, 'elsewhere'))).toEqual(['a.k8s.yaml']);
});

test('-p prints the manifests and writes nothing', async () => {
  using directory = temporaryDirectory();
  makeApp(directory.path, { 'a.k8s.yaml': object('a'), 'b.k8s.yaml': `---\n${object('b')}`, 'placement.json': '{}' });
  const { stdout } = await cli(['synth', '-p'], { cwd: directory.path });
  expect(stdout).toBe(`${object('a')}---\n${object('b')}`);
  expect(existsSync(join(directory.path, 'dist'))).toBe(false);
});

const see = 'See cdk8s-workflows synth --help\n';
test.each<[string, string, string[], string]>([
  [
    'no app',
    'language: typescript\n',
    [],
    `error: cdk8s.yaml has no app; set app: <command>, or give --app <command>\n${see}`,
  ],
  ['no manifests, no app', '', ['none'], `error: there is no file or directory none\n${see}`],
  [
    'an app of another type',
    'app: [1]\noutput: 3\n',
    [],
    'cdk8s.yaml:\n  app: must be text, not [1]\n  output: must be text, not 3\n',
  ],
  ['a broken cdk8s.yaml', 'app: "a\n', [], 'cdk8s.yaml:\n  is not YAML: '],
  [
    'helm',
    'app: a\nsynthConfig: { format: helm }\n',
    [],
    'synthConfig.format: is "helm", which only cdk8s itself writes; use npx cdk8s synth\n',
  ],
  ['both -o and -p', 'app: a\n', ['-p', '-o', 'x'], `error: --output and --stdout exclude each other\n${see}`],
  [
    'an app that writes elsewhere',
    'app: "true"\n',
    [],
    'error: the app wrote nothing: true; it must call synth() on its App or Fleet, and leave the output directory to CDK8S_OUTDIR\n',
  ],
])('refuses %s', async (_, config, args, message) => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'cdk8s.yaml'), config);
  const { code, stderr } = await cli(['synth', ...args], { cwd: directory.path });
  expect(stderr).toContain(message);
  expect(code).toBe(message.includes('wrote nothing') ? 1 : 2);
});

test('cdk8s synth and this write the same files', { timeout: 60_000 }, async () => {
  using directory = temporaryDirectory();
  const [ours, theirs] = [join(directory.path, 'ours'), join(directory.path, 'theirs')];
  const app = join(ROOT, 'apps/site-etl');
  const env = { ...process.env, NODE_OPTIONS: '--conditions=source' };
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules/cdk8s-cli/bin/cdk8s'), 'synth', '--check-upgrade=false', '-o', theirs],
    { cwd: app, env, stdio: 'ignore' },
  );
  const { code } = await cli(['synth', 'apps/site-etl', '-o', ours], { cwd: ROOT });
  expect(code).toBe(0);
  expect(filesIn(ours)).toEqual(filesIn(theirs));
  for (const file of filesIn(ours))
    expect(readFileSync(join(ours, file), 'utf8')).toBe(readFileSync(join(theirs, file), 'utf8'));
});
