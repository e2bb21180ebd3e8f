import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { cli, root } from './support.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'child-runs-'));
  const app = `node ${join(import.meta.dirname, 'fixtures/child-runs.ts')}`;
  expect(await cli(['synth', '--app', app, '--output', 'dist'], directory)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Result {
  readonly phase: string;
  readonly message?: string;
  readonly outputs?: object;
  readonly steps: readonly { readonly name: string; readonly phase: string; readonly reason: string }[];
}

async function local(workflow: string, run: string, ...args: readonly string[]) {
  const ended = await cli(['run', 'dist', workflow, '--local', '--run', run, '-o', 'json', ...args], directory);
  return { ...ended, result: JSON.parse(ended.stdout) as Result };
}

const recordOf = (...path: readonly string[]) =>
  JSON.parse(readFileSync(join(directory, '.workflows/runs', ...path, 'record.json'), 'utf8')) as {
    run: { phase: string };
    steps: Record<string, { phase: string; attempts?: readonly object[] }>;
  };

it('steps that are runs of their own run on this machine, each in a directory of its own', async () => {
  const { result, stderr } = await local('uses', 'one', '--input', 'word=hi');
  expect(result, stderr).toMatchObject({ phase: 'Succeeded', outputs: { said: 'hi' } });
  expect(Object.fromEntries(result.steps.map(({ name, phase, reason }) => [name, `${phase}/${reason}`]))).toEqual({
    first: 'Succeeded/Completed',
    second: 'Succeeded/Completed',
    tried: 'Failed/RunFailed',
    repair: 'Succeeded/Completed',
    late: 'Failed/AttemptTimeout',
    anyway: 'Succeeded/Completed',
  });
  expect(recordOf('one', 'first-1').steps.tidy?.phase).toBe('Succeeded');
  expect(recordOf('one', 'tried-2').run.phase).toBe('Failed');
  // A run that is stopped ends in good order.
  expect(recordOf('one', 'late-1')).toMatchObject({
    run: { phase: 'Cancelled' },
    steps: { tidy: { phase: 'Succeeded' } },
  });
});

it('a run goes on after this process was killed, and so do the runs that are its steps', async () => {
  const bin = join(root, 'lib/cli/bin.ts');
  const args = ['run', 'dist', 'pauses', '--local', '--run', 'killed'];
  const env = { ...process.env, NODE_OPTIONS: '--conditions=source', NO_COLOR: '1' };
  const first = spawn(process.execPath, [bin, ...args], { cwd: directory, env, stdio: 'ignore' });
  await eventually(() => expect(recordOf('killed', 'child-1').steps.nap?.phase).toBe('Running'), 20_000);
  first.kill('SIGKILL');
  await new Promise((resolve) => first.once('exit', resolve));
  const { stdout, stderr } = await cli(['run', '--local', '--resume', 'killed', '-o', 'json'], directory);
  expect(JSON.parse(stdout), stderr).toMatchObject({ phase: 'Succeeded', outputs: { said: 'hi' } });
  const { attempts } = recordOf('killed').steps.child!;
  expect(attempts).toHaveLength(1);
});

it('a workflow launches itself, and adds up on the way back', async () => {
  const { result } = await local('countdown', 'down', '--input', 'n=4');
  expect(result).toMatchObject({ phase: 'Succeeded', outputs: { sum: 10 } });
  expect(existsSync(join(directory, '.workflows/runs/down/next-1/next-1/next-1'))).toBe(true);
});

it('a workflow that launches itself too often comes to its limit', async () => {
  const { result, code } = await local('countdown', 'deep', '--input', 'n=9');
  expect(code).not.toBe(0);
  expect(result.phase).toBe('Failed');
  expect(result.message).toContain(
    'RecursionLimit: 5 runs are one in the other already, and at most 5 may be: deep -> ',
  );
});
