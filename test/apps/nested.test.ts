import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './support.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nested-'));
  const app = `node ${join(import.meta.dirname, 'fixtures/nested.ts')}`;
  expect(await cli(['synth', '--app', app, '--output', 'dist'], directory)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(directory, { recursive: true }));

it('workflows within workflows run on this machine', async () => {
  const args = ['run', 'dist', 'nested', '--local', '--input', 'word=hello', '-o', 'json'];
  const { stdout } = await cli(args, directory);
  const run = JSON.parse(stdout) as { steps: { name: string; phase: string; reason: string }[] };
  expect(run).toMatchObject({ phase: 'Succeeded', outputs: { said: 'hello x5 x1' } });
  expect(Object.fromEntries(run.steps.map(({ name, phase, reason }) => [name, `${phase}/${reason}`]))).toEqual({
    'both-one-measure': 'Succeeded/Completed',
    'both-one-say': 'Succeeded/Completed',
    'both-one-refuse': 'Skipped/WhenFalse',
    'both-one': 'Succeeded/Completed',
    'both-two-begin': 'Succeeded/Completed',
    'both-two-measure': 'Succeeded/Completed',
    'both-two-say': 'Succeeded/Completed',
    'both-two-refuse': 'Failed/ExitCode',
    'both-two': 'Failed/StepsFailed',
    'both-repair': 'Succeeded/Completed',
    both: 'Succeeded/Completed',
    report: 'Succeeded/Completed',
  });
});

it('a picture has the parts with where they begin and end', async () => {
  const { stdout } = await cli(['graph', 'dist', 'nested'], directory);
  expect(stdout).toContain('greet begins');
  expect(stdout).toContain('twice ends');
});
