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

test('what only waits is told apart from what runs, and says what it waits for', async () => {
  using directory = temporaryDirectory();
  const text = { type: 'string' } as const;
  writeManifests(
    directory.path,
    manifestsOf({
      inputs: { properties: { night: text }, required: ['night'] },
      steps: {
        build: { outputs: { rows: 'integer' } },
        release: { gate: { waitsFor: 'approval' }, after: ['build'], outputs: { approvedBy: 'string' } },
        amount: { gate: { waitsFor: 'input' }, outputs: { value: 'integer' } },
        rest: { gate: { waitsFor: 'sleep', seconds: { value: 90 } }, after: ['amount'] },
        night: { gate: { waitsFor: 'time', until: { input: 'night' } }, when: { cel: 'true', steps: [] } },
        deploy: { inputs: { by: { step: 'release', output: 'approvedBy' } }, after: ['rest', 'night'] },
      },
    }),
  );
  const { stdout } = await cli(['graph', directory.path]);
  expect(stdout.split('\n').slice(1, 7)).toEqual([
    '  s0["build"]',
    '  s1(["release<br><small>waits for approval</small>"])',
    '  s2(["amount<br><small>waits for input (integer)</small>"])',
    '  s3(["rest<br><small>sleeps 90 s</small>"])',
    '  s4(["night<br><small>waits until inputs.night</small><br><small>when true</small>"])',
    '  s5["deploy"]',
  ]);
  const svg = join(directory.path, 'gates.svg');
  await cli(['graph', directory.path, '-o', svg]);
  const picture = readFileSync(svg, 'utf8');
  expect(picture.match(/<g class="step pill/g)).toHaveLength(4);
  expect(picture).toContain('<title>release\ngate: waits for approval</title>');
});
