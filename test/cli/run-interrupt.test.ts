import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemProcesses } from '../../lib/local/process-table.ts';
import { manifestsOf, temporaryDirectory, writeManifests, type WorkflowFixture } from '../local/fixtures.ts';
import { CliProcess } from './cli.ts';

const alive = (file: string) => systemProcesses().identify(Number(readFileSync(file, 'utf8'))) !== undefined;

function appOf(root: string, workflow: WorkflowFixture): void {
  writeManifests(join(root, 'app'), manifestsOf(workflow));
}

/** A step that notes its process and then takes long; how it takes the request to end is the rest of the script. */
const long = (onTerm: string) => `echo $$ > ../pid; trap '${onTerm}' TERM; sleep 60 & wait; sleep 60`;

test('Ctrl-C cancels the run, lets its steps end in order and exits with 130', { timeout: 30_000 }, async () => {
  using directory = temporaryDirectory();
  appOf(directory.path, { steps: { a: { script: long('echo cleaned > ../cleaned; exit 1') }, b: { after: ['a'] } } });
  const run = new CliProcess(['run', 'app', '--local', '--run', 'r'], directory.path);
  await run.said('a  runs');
  await delay(200);
  run.child.kill('SIGINT');
  expect(await run.end()).toBe(130);
  expect(run.stderr).toContain('Cancelling the run: its steps are asked to end. Ctrl-C again kills them.');
  expect(readFileSync(join(directory.path, 'cleaned'), 'utf8')).toBe('cleaned\n');
  expect(run.stdout).toContain('a      ⊘ Cancelled');
  expect(run.stdout).toMatch(/⊘ r cancelled in /);
  expect(alive(join(directory.path, 'pid'))).toBe(false);
});

test('a second Ctrl-C kills steps that do not end', { timeout: 30_000 }, async () => {
  using directory = temporaryDirectory();
  appOf(directory.path, { steps: { a: { script: long('true') } } });
  const run = new CliProcess(['run', 'app', '--local', '--run', 'r', '-o', 'json'], directory.path);
  await run.said('a  runs');
  await delay(200);
  run.child.kill('SIGINT');
  await run.said('is being stopped');
  await delay(200);
  expect(alive(join(directory.path, 'pid'))).toBe(true);
  run.child.kill('SIGINT');
  expect(await run.end()).toBe(130);
  expect(JSON.parse(run.stdout)).toMatchObject({ phase: 'Cancelled', steps: [{ name: 'a', phase: 'Cancelled' }] });
  expect(alive(join(directory.path, 'pid'))).toBe(false);
});

test('a run that was killed goes on where it was', { timeout: 40_000 }, async () => {
  using directory = temporaryDirectory();
  appOf(directory.path, {
    outputs: { word: { step: 'last', output: 'word' } },
    steps: {
      first: {
        script: `echo first >> ../ran; echo '{"word": "kept"}' > $WORKFLOW_OUTPUTS`,
        outputs: { word: 'string' },
      },
      slow: {
        after: ['first'],
        script: `echo slow >> ../ran; echo $$ > ../pid; test $WORKFLOW_ATTEMPT = 2 || exec sleep 60`,
      },
      last: {
        after: ['slow'],
        inputs: { word: { step: 'first', output: 'word' } },
        outputs: { word: 'string' },
        script: 'echo last >> ../ran; echo "{\\"word\\": \\"$INPUT_WORD\\"}" > $WORKFLOW_OUTPUTS',
      },
    },
  });
  const run = new CliProcess(['run', 'app', '--local', '--run', 'r'], directory.path);
  await run.said('slow   runs');
  await delay(200);
  run.child.kill('SIGKILL');
  expect(await run.end()).toBe(137);
  const pid = readFileSync(join(directory.path, 'pid'), 'utf8');
  expect(systemProcesses().identify(Number(pid))).toBeDefined();

  const again = new CliProcess(['run', '--local', '--resume'], directory.path);
  expect(await again.end()).toBe(0);
  expect(again.stderr).toContain('Going on with r: 1 of 3 steps are done.');
  expect(again.stdout).toContain('word     kept');
  expect(readFileSync(join(directory.path, 'ran'), 'utf8')).toBe('first\nslow\nslow\nlast\n');
  expect(systemProcesses().identify(Number(pid))).toBeUndefined();
  const record = JSON.parse(readFileSync(join(directory.path, '.workflows/runs/r/record.json'), 'utf8')) as {
    steps: { slow: { attempts: unknown[] } };
  };
  expect(record.steps.slow.attempts[0]).toMatchObject({
    failure: 'system',
    reason: 'NodeLost',
    message: 'the process that ran the workflow ended before it',
  });
});

test('two processes do not drive one run', { timeout: 30_000 }, async () => {
  using directory = temporaryDirectory();
  appOf(directory.path, { steps: { a: { script: 'until test -e ../go; do sleep 0.05; done' } } });
  const run = new CliProcess(['run', 'app', '--local', '--run', 'r'], directory.path);
  await run.said('a  runs');
  const second = new CliProcess(['run', '--resume', 'r'], directory.path);
  expect(await second.end()).toBe(1);
  expect(second.stderr).toBe(
    `error: run r is in other hands: process ${run.child.pid} is running it; wait for it, or end that process first\n`,
  );
  const go = new CliProcess(['run', 'app', '--local', '--run', 'r'], directory.path);
  expect(await go.end()).toBe(2);
  expect(go.stderr).toContain('there is a run "r" already; take another name, or --resume r to go on with it');
  run.child.kill('SIGTERM');
  expect(await run.end()).toBe(143);
  expect(existsSync(join(directory.path, '.workflows/runs/r/lock.1'))).toBe(false);
});
