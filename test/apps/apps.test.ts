import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, root, run } from './support.ts';

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'apps-'))));
afterAll(() => rmSync(directory, { recursive: true }));

/** Path and text of every file below a directory, sorted. */
function contents(of: string): [string, string][] {
  const entries = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return files.map((file) => [file.slice(of.length + 1), readFileSync(file, 'utf8')]);
}

describe('every app', () => {
  it.each(['quickstart', 'site-etl', 'gpu-training', 'model-release'])(
    '%s is synthesized by cdk8s and by us to the same bytes',
    async (app) => {
      const [theirs, ours, again] = ['theirs', 'ours', 'again'].map((name) => join(directory, app, name)) as [
        string,
        string,
        string,
      ];
      const main = `node ${join(root, 'apps', app, 'main.ts')}`;
      const cdk8s = await run(join(root, 'node_modules/.bin/cdk8s'), ['synth', '--app', main, '--output', theirs]);
      expect(cdk8s).toMatchObject({ code: 0 });
      expect(await cli(['synth', join('apps', app), '--output', ours])).toMatchObject({ code: 0 });
      expect(await cli(['synth', join('apps', app), '--output', again])).toMatchObject({ code: 0 });
      expect(contents(ours).length).toBeGreaterThan(0);
      expect(contents(ours)).toEqual(contents(theirs));
      expect(contents(again)).toEqual(contents(ours));
    },
  );

  it.each([
    ['quickstart', 'etl', ['site=site-a'], { rows: 12 }],
    ['site-etl', 'site-etl', ['site=site-a'], { rows: 540, quality: 'good' }],
    ['gpu-training', 'train-small', ['model=resnet'], { accuracy: 0.9 }],
    ['gpu-training', 'train-large', ['model=resnet'], { accuracy: 0.9 }],
    ['gpu-training', 'train-sized', ['model=resnet', 'gpu=a100'], { accuracy: 0.9 }],
    ['model-release', 'release', ['model=resnet'], { worst: 92, uri: 'registry://resnet' }],
  ])('%s runs %s on this machine', async (app, workflow, inputs, outputs) => {
    const given = inputs.flatMap((input) => ['--input', input]);
    const { code, stdout, stderr } = await cli(
      ['run', join(root, 'apps', app), workflow, '--local', ...given, '-o', 'json'],
      directory,
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ phase: 'Succeeded', outputs });
  });

  it.each([
    [
      'broken.ts',
      ['c/Nightly: cluster: there is no cluster "ue"; did you mean "eu"?', 'c/Nightly: name: "Nightly" must be'],
    ],
    ['broken-chart.ts', ['[c/w] a: two steps are named "a"; rename one']],
  ])('that is wrong, as %s is, says so in words', async (file, problems) => {
    const app = join(import.meta.dirname, 'fixtures', file);
    const { code, stdout, stderr } = await cli(['synth', '--app', `node ${app}`, '--output', join(directory, file)]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: (Synth found problems and wrote nothing|Validation failed with the following errors):\n/,
    );
    for (const problem of problems) expect(stderr).toContain(problem);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it('the examples of the README and of doc comments name things that exist', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const [, path] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
    expect(readdirSync(dirname(join(root, path!)))).toContain(path!.split('/').at(-1));
});
