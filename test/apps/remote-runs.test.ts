import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './support.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'remote-runs-'));
  const app = `node ${join(import.meta.dirname, 'fixtures/remote-runs.ts')}`;
  expect(await cli(['synth', '--app', app, '--output', 'dist'], directory)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(directory, { recursive: true }));

it('steps whose runs are on another cluster run on this machine, as they would there, and a picture names that', async () => {
  const { stdout, stderr } = await cli(
    ['run', 'dist', 'outer', '--local', '--cluster', 'main', '-o', 'json'],
    directory,
  );
  expect(JSON.parse(stdout), stderr).toMatchObject({
    phase: 'Succeeded',
    outputs: { run: 'gpu-eu', launched: 'gpu-eu', here: 'main' },
  });
  const { stdout: picture } = await cli(['graph', 'dist', 'outer', '--cluster', 'main'], directory);
  expect(picture).toContain('run of inner on gpu-eu');
});
