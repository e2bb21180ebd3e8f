import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StepRecord } from '../../lib/engine/record.ts';
import { LocalCache } from '../../lib/local/local-cache.ts';
import { LocalRunner } from '../../lib/local/local-runner.ts';
import { systemProcesses } from '../../lib/local/process-table.ts';
import { RecordFile } from '../../lib/local/record-file.ts';
import { RunDirectory, type LocalRun } from '../../lib/local/run-directory.ts';
import { graphOf, objectSchema, template, templatesOf, temporaryDirectory, type WorkflowFixture } from './fixtures.ts';

interface Prepared {
  readonly run: LocalRun;
  readonly directory: RunDirectory;
  readonly runner: LocalRunner;
  readonly lines: string[];
  step(name: string): StepRecord;
}

function prepare(
  root: string,
  workflow: WorkflowFixture,
  settings: Partial<Pick<LocalRun, 'cache' | 'inputs' | 'layers' | 'parallelism' | 'timeoutSeconds'>> & {
    readonly results?: LocalCache;
    readonly now?: () => number;
  } = {},
): Prepared {
  const { directory, name } = RunDirectory.create(root, 'r1');
  const lines: string[] = [];
  const run: LocalRun = {
    name,
    graph: graphOf(workflow),
    templates: templatesOf(workflow),
    configMaps: {},
    inputs: settings.inputs ?? {},
    parallelism: settings.parallelism ?? 4,
    timeoutSeconds: settings.timeoutSeconds,
    cache: settings.cache,
    layers: settings.layers,
    workingDirectory: root,
  };
  const onLine = (step: string, line: string) => lines.push(`${step}: ${line}`);
  const runner = new LocalRunner({
    run,
    directory,
    cache: settings.results,
    now: settings.now,
    env: process.env,
    onLine,
  });
  return { run, directory, runner, lines, step: (step) => RecordFile.read(directory)!.steps.get(step)! };
}

test('values pass from step to step and out of the run', async () => {
  using directory = temporaryDirectory();
  const { runner, lines } = prepare(
    directory.path,
    {
      inputs: objectSchema({ site: 'string' }),
      outputs: { rows: { step: 'double', output: 'rows' } },
      steps: {
        extract: {
          inputs: { site: { input: 'site' } },
          outputs: { rows: 'integer' },
          script:
            'echo "reading $INPUT_SITE in $(basename "$PWD")"; echo "{\\"rows\\": ${#INPUT_SITE}}" > "$WORKFLOW_OUTPUTS"',
        },
        double: {
          inputs: { rows: { step: 'extract', output: 'rows' } },
          outputs: { rows: 'integer' },
          script: 'printf "no line end" ; echo "{\\"rows\\": $((INPUT_ROWS * 2))}" > "$WORKFLOW_OUTPUTS"',
        },
      },
    },
    { inputs: { site: 'site-a; rm -rf $HOME "' } },
  );
  const state = await runner.execute();
  expect(state).toMatchObject({ phase: 'Succeeded', outputs: { rows: 44 } });
  expect(lines).toEqual([
    `extract: reading site-a; rm -rf $HOME " in ${directory.path.split('/').at(-1)}`,
    'double: no line end',
  ]);
});

test('independent steps run at the same time, up to the limit', async () => {
  using directory = temporaryDirectory();
  const script = 'echo start >> marks; sleep 0.3; echo end >> marks';
  const { runner } = prepare(
    directory.path,
    { steps: { a: { script }, b: { script }, c: { script } } },
    { parallelism: 2 },
  );
  await runner.execute();
  const marks = readFileSync(join(directory.path, 'marks'), 'utf8').trim().split('\n');
  expect(marks.slice(0, 2)).toEqual(['start', 'start']);
  let running = 0;
  for (const mark of marks) expect((running += mark === 'start' ? 1 : -1)).toBeLessThanOrEqual(2);
});

test('a failed attempt is tried again with its number, and both logs are kept', async () => {
  using directory = temporaryDirectory();
  const {
    runner,
    step,
    directory: kept,
  } = prepare(directory.path, {
    steps: {
      flaky: {
        script: 'echo try $WORKFLOW_ATTEMPT >&2; test $WORKFLOW_ATTEMPT = 2',
        retries: { limit: 1, delaySeconds: 0 },
      },
    },
  });
  expect((await runner.execute()).phase).toBe('Succeeded');
  expect(step('flaky').attempts.map(({ phase, exitCode, message }) => ({ phase, exitCode, message }))).toEqual([
    { phase: 'Failed', exitCode: 1, message: 'exit code 1: try 1' },
    { phase: 'Succeeded', exitCode: undefined, message: undefined },
  ]);
  expect(readFileSync(kept.logFile('flaky', 2), 'utf8')).toBe('try 2\n');
});

test('waits go by their list, only for the failures that the rules name, and what is for pods changes nothing', async () => {
  using directory = temporaryDirectory();
  const { runner, step } = prepare(directory.path, {
    failurePolicy: 'RunIndependent',
    steps: {
      busy: {
        script: 'echo the store is busy >&2; test $WORKFLOW_ATTEMPT = 3 || exit 75',
        pendingTimeoutSeconds: 1,
        retries: {
          limit: 2,
          delaysSeconds: [0.01, 0.2],
          jitter: 0,
          when: [{ exitCodes: [75], message: 'store is busy' }],
          resourcesAfterOOM: [{ limits: { memory: '8Gi' } }],
        },
      },
      wrong: { script: 'exit 64', retries: { limit: 2, unless: [{ exitCodes: [64] }] } },
    },
  });
  expect((await runner.execute()).phase).toBe('Failed');
  const { phase, attempts } = step('busy');
  expect([phase, attempts.length]).toEqual(['Succeeded', 3]);
  const waits = attempts.slice(1).map(({ createdAt }, index) => createdAt - attempts[index]!.finishedAt!);
  expect(waits[0]).toBeGreaterThanOrEqual(10);
  expect(waits[1]).toBeGreaterThanOrEqual(200);
  expect(step('wrong').attempts).toMatchObject([{ reason: 'ExitCode', exitCode: 64 }]);
});

test.each<[string, WorkflowFixture['steps'][string], Partial<StepRecord>]>([
  [
    'a program that is not here',
    { template: template('', { command: ['no-such-program'] }), retries: { limit: 3 } },
    {
      reason: 'StartError',
      message: 'cannot run "no-such-program": not found on this machine; install it, or run the workflow on a cluster',
    },
  ],
  [
    'a file that is no program',
    { template: template('', { command: ['/etc/passwd'] }) },
    { reason: 'StartError', message: 'cannot run "/etc/passwd": it may not be executed' },
  ],
  ['an end by a signal', { script: 'echo bye; kill -9 $$' }, { reason: 'ExitCode', message: 'ended by SIGKILL: bye' }],
  [
    'no outputs',
    { outputs: { rows: 'integer' } },
    { reason: 'OutputsMissing', message: 'it wrote no outputs; rows must be there' },
  ],
  [
    'outputs that are too large',
    { outputs: { text: 'string' }, script: `printf '{"text":"%04086d"}' 0 > $WORKFLOW_OUTPUTS` },
    { reason: 'OutputsTooLarge', message: 'the outputs have 4097 bytes; 4096 bytes fit' },
  ],
])('%s fails the step with a sentence', async (_, fixture, expected) => {
  using directory = temporaryDirectory();
  const { runner, step } = prepare(directory.path, { steps: { a: fixture } });
  expect((await runner.execute()).phase).toBe('Failed');
  expect(step('a')).toMatchObject({ phase: 'Failed', ...expected });
  expect(step('a').attempts).toHaveLength(1);
});

test('outputs of exactly 4096 bytes fit', async () => {
  using directory = temporaryDirectory();
  const { runner } = prepare(directory.path, {
    steps: { a: { outputs: { text: 'string' }, script: `printf '{"text":"%04085d"}' 0 > $WORKFLOW_OUTPUTS` } },
  });
  expect((await runner.execute()).phase).toBe('Succeeded');
});

test('an exit by signal has the exit code that shells give it', async () => {
  using directory = temporaryDirectory();
  const { runner, step } = prepare(directory.path, { steps: { a: { script: 'kill -TERM $$' } } });
  await runner.execute();
  expect(step('a').attempts[0]).toMatchObject({ exitCode: 143, failure: 'user' });
});

test('nothing outlives the first process of a step', async () => {
  using directory = temporaryDirectory();
  const { runner } = prepare(directory.path, { steps: { a: { script: '(sleep 0.6; touch survived) & true' } } });
  await runner.execute();
  await delay(900);
  expect(existsSync(join(directory.path, 'survived'))).toBe(false);
});

test('a step that takes too long is asked to end, then killed with all that it started', async () => {
  using directory = temporaryDirectory();
  const slow = template('trap "echo asked" TERM; sleep 60 & wait; sleep 60', {}, { terminationGracePeriodSeconds: 1 });
  const { runner, step, lines } = prepare(directory.path, {
    steps: { a: { template: slow, attemptTimeoutSeconds: 1 } },
  });
  const began = performance.now();
  await runner.execute();
  expect(performance.now() - began).toBeLessThan(5000);
  expect(step('a')).toMatchObject({ phase: 'Failed', reason: 'AttemptTimeout' });
  expect(lines).toContain('a: asked');
});

test('cancelling stops what runs, starts nothing, and keeps the record', async () => {
  using directory = temporaryDirectory();
  const {
    runner,
    step,
    directory: kept,
  } = prepare(directory.path, {
    steps: { a: { script: 'sleep 60' }, b: { after: ['a'], script: 'touch never' } },
  });
  setTimeout(() => runner.cancel('Now'), 200);
  const state = await runner.execute();
  expect(state).toMatchObject({ phase: 'Cancelled', reason: 'CancelRequested' });
  expect(step('a').phase).toBe('Cancelled');
  expect(step('b').phase).toBe('Cancelled');
  expect(RecordFile.read(kept)!.run.phase).toBe('Cancelled');
});

test('killing ends steps that do not listen', async () => {
  using directory = temporaryDirectory();
  const { runner } = prepare(directory.path, { steps: { a: { script: 'trap "" TERM; sleep 60 & wait; sleep 60' } } });
  setTimeout(() => runner.cancel('Now'), 150);
  setTimeout(() => runner.kill(), 350);
  const began = performance.now();
  await runner.execute();
  expect(performance.now() - began).toBeLessThan(3000);
});

test('when the record cannot be written, nothing is left running', async () => {
  using directory = temporaryDirectory();
  const { runner, directory: kept } = prepare(directory.path, {
    steps: {
      a: { script: 'sleep 0.3; rm -rf "$(dirname "$WORKFLOW_OUTPUTS")"' },
      b: { script: 'echo $$ > pid; sleep 60' },
    },
  });
  await expect(runner.execute()).rejects.toThrow('ENOENT');
  await delay(100);
  expect(existsSync(kept.path)).toBe(false);
  const pid = Number(readFileSync(join(directory.path, 'pid'), 'utf8'));
  expect(systemProcesses().identify(pid)).toBeUndefined();
});

test.each([
  ['is not JSON', '{"run": ', /record\.json:\n {2}is not JSON: /],
  ['is no object', '[]', 'must be an object with run and steps'],
  [
    'has a phase that does not exist',
    '{"run": {"phase": "Great", "reason": "Started", "startedAt": "2026-01-01T00:00:00.000Z"}, "steps": {}}',
    'run.phase',
  ],
])('a record that %s is refused', (_, text, message) => {
  using directory = temporaryDirectory();
  const { directory: kept } = RunDirectory.create(directory.path, 'r1');
  writeFileSync(kept.recordFile, text);
  expect(() => RecordFile.read(kept)).toThrow(message);
});

test('values reach the pod of a step: its variables and arguments, as they are', async () => {
  using directory = temporaryDirectory();
  const text = (input: string) => ({ text: { input }, literal: true });
  const pod = {
    fields: {
      spec: {
        fields: {
          containers: {
            list: [
              {
                fields: {
                  name: { value: 'main' },
                  env: { list: [{ fields: { name: { value: 'A' }, value: text('a') } }] },
                  args: { list: [{ value: '--b' }, text('b'), text('none')] },
                },
              },
            ],
          },
        },
      },
    },
  };
  const printer = template('', { command: ['sh', '-c', 'echo "$A, $*"', 'sh'], env: [{ name: 'A' }] });
  const { runner, lines } = prepare(
    directory.path,
    { inputs: objectSchema({ a: 'string', b: 'integer' }), steps: { print: { template: printer, pod } } },
    { inputs: { a: '$(HOME) $$', b: 3 } },
  );
  expect(await runner.execute()).toMatchObject({ phase: 'Succeeded' });
  expect(lines).toEqual(['print: $(HOME) $$, --b 3']);
});

test('values that make no pod fail their step with the place, the value and the input', async () => {
  using directory = temporaryDirectory();
  const limits = { fields: { memory: { text: { input: 'memory' } } } };
  const main = { fields: { name: { value: 'main' }, resources: { fields: { limits } } } };
  const pod = { fields: { spec: { fields: { containers: { list: [main] } } } } };
  const { runner, step } = prepare(
    directory.path,
    { inputs: objectSchema({ memory: 'string' }), steps: { train: { pod } } },
    { inputs: { memory: '8GB' } },
  );
  expect(await runner.execute()).toMatchObject({ phase: 'Failed' });
  expect(step('train')).toMatchObject({ phase: 'Failed', reason: 'Rejected' });
  expect(step('train').message).toMatch(/limits\.memory: .*"8GB".*\(from inputs\.memory\)/);
});

test('a step with a cache runs once for all runs, until its result is forgotten, edited or not wanted', async () => {
  using directory = temporaryDirectory();
  const cache = new LocalCache(join(directory.path, 'cache'));
  const files = () => readdirSync(join(directory.path, 'cache')).map((name) => join(directory.path, 'cache', name));
  const workflow: WorkflowFixture = {
    outputs: { rows: { step: 'count', output: 'rows' } },
    steps: {
      count: {
        outputs: { rows: 'integer' },
        script: 'echo "{\\"rows\\": 7}" > "$WORKFLOW_OUTPUTS"',
        cache: { key: 'count', ttlSeconds: 3600 },
      },
    },
  };
  const play = async (settings: Parameters<typeof prepare>[2] = {}, workflowNow = workflow) => {
    const { runner, step } = prepare(directory.path, workflowNow, { ...settings, results: cache });
    expect(await runner.execute()).toMatchObject({ phase: 'Succeeded', outputs: { rows: 7 } });
    return step('count');
  };
  expect((await play()).reason).toBe('Completed');
  expect(await play()).toMatchObject({
    reason: 'Cached',
    attempts: [],
    message: expect.stringMatching(/^from the cache: step count of run r1, /) as string,
  });
  expect((await play({ cache: 'Off' })).reason).toBe('Completed');
  writeFileSync(files()[0]!, 'garbage');
  expect((await play()).reason).toBe('Completed');
  expect((await play()).reason).toBe('Cached');
  expect((await play({ now: () => Date.now() + 3_601_000 })).reason).toBe('Completed');
  rmSync(join(directory.path, 'cache'), { recursive: true });
  expect((await play()).reason).toBe('Completed');
  const image = { run: 'r', runOverride: { count: { spec: { containers: [{ name: 'main', image: 'b' }] } } } };
  expect((await play({ layers: image })).reason).toBe('Completed');
  expect(files()).toHaveLength(2);
  cache.sweep(Date.now());
  expect(files()).toHaveLength(2);
  cache.sweep(Date.now() + 91 * 24 * 3_600_000);
  expect(files()).toHaveLength(0);
});
