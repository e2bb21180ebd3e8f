import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StepRecord } from '../../lib/engine/record.ts';
import type { IndexedMapStep } from '../../lib/graph/graph.ts';
import { LocalRunner } from '../../lib/local/local-runner.ts';
import { systemProcesses } from '../../lib/local/process-table.ts';
import { RecordFile } from '../../lib/local/record-file.ts';
import { RunDirectory, type LocalRun } from '../../lib/local/run-directory.ts';
import { graphOf } from '../engine/scenario.ts';
import { objectSchema, template, temporaryDirectory } from './fixtures.ts';

interface Prepared {
  readonly directory: RunDirectory;
  readonly runner: LocalRunner;
  readonly lines: string[];
  readonly step: () => StepRecord;
}

/** A run of one map as one Job over four items, whose items run a script. */
function prepare(root: string, script: string, more: Partial<IndexedMapStep> = {}, record?: StepRecord): Prepared {
  const { directory, name } = RunDirectory.create(root, 'r1');
  const lines: string[] = [];
  const over = [{ input: 'n', list: { value: ['a', 'b', 'c', 'd'] } }];
  const graph = graphOf({ m: { kind: 'indexedMap', over, inputs: { n: { item: 'n' } }, ...more } });
  const workingDirectory = join(root, 'work');
  mkdirSync(workingDirectory);
  const templates = { 'm-template': template(script) };
  const run: LocalRun = { name, graph, templates, configMaps: {}, inputs: {}, parallelism: 4, workingDirectory };
  const state = { phase: 'Running', reason: 'Started', startedAt: 1 } as const;
  const runner = new LocalRunner({
    run,
    directory,
    env: process.env,
    onLine: (step, line) => lines.push(`${step}: ${line}`),
    ...(record && { record: { run: state, steps: new Map([['m', record]]) } }),
  });
  return { directory, runner, lines, step: () => RecordFile.read(directory)!.steps.get('m')! };
}

test('items run as many at once as the map allows, each with its value in a file', async () => {
  using root = temporaryDirectory();
  const script =
    'echo "$WORKFLOW_STEP $(cat "$INPUT_N_FILE") ${INPUT_N-none}"; mkdir slot || mkdir other; sleep 0.1; rmdir slot';
  const { runner, lines, step } = prepare(root.path, script, { concurrency: 1 });
  expect(await runner.execute()).toMatchObject({ phase: 'Succeeded' });
  expect(lines).toEqual(['m-0: m-0 a none', 'm-1: m-1 b none', 'm-2: m-2 c none', 'm-3: m-3 d none']);
  expect(existsSync(join(root.path, 'work', 'other'))).toBe(false);
  expect(step()).toMatchObject({ indexes: 4, attempts: [{ number: 1, phase: 'Succeeded' }] });
});

test('an item is tried again as often as it may be, with a log for each try', async () => {
  using root = temporaryDirectory();
  const script = 'test "$JOB_COMPLETION_INDEX" = 2 || exit 0; echo here; ! mkdir tried';
  const { directory, runner, lines, step } = prepare(root.path, script, { itemRetries: { limit: 1 } });
  expect(await runner.execute()).toMatchObject({ phase: 'Succeeded' });
  expect(lines.filter((line) => line === 'm-2: here')).toHaveLength(2);
  expect(readFileSync(directory.logFile('m-2', 1, 2), 'utf8')).toMatch(/^here\n/);
  expect(step()).toMatchObject({ phase: 'Succeeded', attempts: [{ number: 1 }] });
});

test('when too many items have failed those that run are ended, and no more start', async () => {
  using root = temporaryDirectory();
  const script = 'test "$JOB_COMPLETION_INDEX" != 0 || exit 9; echo began; sleep 60';
  const { runner, lines, step } = prepare(root.path, script, { concurrency: 2 });
  expect(await runner.execute()).toMatchObject({ phase: 'Failed' });
  expect(lines.length).toBeLessThan(3);
  expect(step()).toMatchObject({ reason: 'ItemsFailed', message: '1 of 4 items failed: m-0 (exit code 9)' });
});

test.each<[string, string, object]>([
  [
    'a command that reads the variable of an item',
    'echo "$INPUT_N"',
    { reason: 'Rejected', message: expect.stringContaining('read the file "$INPUT_N_FILE"') as string },
  ],
  ['outputs that an item did not write', 'true', { reason: 'ItemsFailed' }],
])('%s fails the step', async (_name, script, end) => {
  using root = temporaryDirectory();
  const outputs = { itemOutputs: objectSchema({ n: 'integer' }), outputs: objectSchema({ n: 'array' }) };
  const { runner, step } = prepare(root.path, script, outputs);
  await runner.execute();
  expect(step()).toMatchObject({ phase: 'Failed', ...end });
});

test('what an interrupted run left of items is ended, and the map runs again as a whole', async () => {
  using root = temporaryDirectory();
  const attempt = { number: 1, phase: 'Running', reason: 'ItemsRunning', createdAt: 1, startedAt: 1 } as const;
  const before = { phase: 'Running', reason: 'ItemsRunning', indexes: 4, readyAt: 1, attempts: [attempt] } as const;
  const { directory, runner, step } = prepare(root.path, 'true', {}, before);
  const table = systemProcesses();
  const env = { ...process.env, WORKFLOW_OUTPUTS: directory.outputsFile('m-3', 1) };
  const left = spawn('sleep', ['60'], { detached: true, env });
  const ended = new Promise((resolve) => left.once('exit', (_, signal) => resolve(signal)));
  directory.writeJson(directory.processFile('m-3', 1), table.identify(left.pid!));
  expect(await runner.execute()).toMatchObject({ phase: 'Succeeded' });
  expect(await ended).toBe('SIGTERM');
  expect(step().attempts.map(({ reason }) => reason)).toEqual(['NodeLost', 'Completed']);
});
