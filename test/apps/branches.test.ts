import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './support.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'branches-'));
  const app = `node ${join(import.meta.dirname, 'fixtures/branches.ts')}`;
  expect(await cli(['synth', '--app', app, '--output', 'dist'], directory)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(directory, { recursive: true }));

it.each([
  ['a large order', ['order=telescope', 'site=site-a'], { price: 0.5, said: 'costs 0.5' }, ['bulk']],
  ['an order of one site', ['order=nail', 'site=site-a'], { price: 1, said: 'costs 1' }, []],
  ['another order', ['order=nail', 'site=site-b'], { price: 2, said: 'costs 2' }, ['first', 'second', 'alarm']],
])('%s takes its arm on this machine', async (_name, inputs, outputs, ran) => {
  const given = inputs.flatMap((input) => ['--input', input]);
  const { code, stdout, stderr } = await cli(['run', 'dist', 'price', '--local', ...given, '-o', 'json'], directory);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const result = JSON.parse(stdout) as { steps: { name: string; phase: string; reason: string }[] };
  expect(result).toMatchObject({ phase: 'Succeeded', outputs });
  const optional = ['bulk', 'first', 'second', 'alarm'];
  const ends = Object.fromEntries(result.steps.map(({ name, phase, reason }) => [name, `${phase}/${reason}`]));
  expect(optional.map((name) => ends[name])).toEqual(
    optional.map((name) => (ran.includes(name) ? 'Succeeded/Completed' : 'Skipped/WhenFalse')),
  );
});
