import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifestsOf, temporaryDirectory, writeManifests, type WorkflowFixture } from '../local/fixtures.ts';
import { cli } from './cli.ts';

const etl: WorkflowFixture = {
  steps: {
    extract: { outputs: { rows: 'integer', uri: 'string' } },
    end: {
      inputs: { uri: { step: 'extract', output: 'uri' } },
      when: { cel: 'steps.extract.outputs.rows > 3 && "a;b" != "#"', steps: ['extract'] },
    },
    report: { after: ['end', 'extract'] },
  },
};

test('a workflow is drawn as Mermaid text', async () => {
  using directory = temporaryDirectory();
  writeManifests(directory.path, manifestsOf(etl));
  const { code, stdout } = await cli(['graph', directory.path]);
  expect(stdout).toBe(
    [
      'flowchart TD',
      '  s0["extract"]',
      '  s1{{"end<br><small>when steps.extract.outputs.rows #62; 3 #38;#38; #34;a#59;b#34; != #34;#35;#34;</small>"}}',
      '  s2["report"]',
      '  s0 -->|"uri, rows"| s1',
      '  s1 -.-> s2',
      '  s0 -.-> s2',
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
});

test('a workflow is drawn as a picture in which every text fits its box', async () => {
  using directory = temporaryDirectory();
  writeManifests(directory.path, manifestsOf(etl));
  await cli(['graph', directory.path, 'etl', '-o', 'pictures/etl.svg', '--direction', 'right'], {
    cwd: directory.path,
  });
  const svg = readFileSync(join(directory.path, 'pictures/etl.svg'), 'utf8');
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg.match(/<g class="step/g)).toHaveLength(3);
  expect(svg.match(/<g class="edge order"/g)).toHaveLength(2);
  expect(svg).toContain('<title>extract → end: uri, rows</title>');
  expect(svg).toContain('when extract.rows &#62; 3 &#38;&#38; &#34;a;b&#34; != &#34;#&#34;');
  expect(svg).not.toMatch(/NaN|undefined|https?:\/\/(?!www\.w3\.org)/);
});

test('a workflow is given as JSON', async () => {
  using directory = temporaryDirectory();
  writeManifests(directory.path, manifestsOf(etl));
  const { stdout } = await cli(['graph', directory.path, '--format', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    workflow: 'etl',
    steps: [{ name: 'extract' }, { name: 'end' }, { name: 'report' }],
  });
});
