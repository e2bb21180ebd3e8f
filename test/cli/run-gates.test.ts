import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createContext } from '../../lib/cli/context.ts';
import { canAsk, localAnswers } from '../../lib/cli/local/answers.ts';
import { GatePrompt } from '../../lib/cli/local/gate-prompt.ts';
import type { Answer } from '../../lib/engine/answers.ts';
import type { Run } from '../../lib/engine/run.ts';
import { begin } from '../engine/scenario.ts';
import { graphOf, manifestsOf, temporaryDirectory, writeManifests, type WorkflowFixture } from '../local/fixtures.ts';
import { cli } from './cli.ts';

const approved = { approvedBy: 'string', approvedAt: 'string' };
const order: WorkflowFixture = {
  name: 'order',
  outputs: { said: { step: 'buy', output: 'said' } },
  steps: {
    amount: { gate: { waitsFor: 'input', message: { value: 'How many?' } }, outputs: { value: 'integer' } },
    release: { gate: { waitsFor: 'approval' }, outputs: approved, after: ['amount'] },
    buy: {
      inputs: { amount: { step: 'amount', output: 'value' } },
      after: ['release'],
      outputs: { said: 'string' },
      script: 'echo "{\\"said\\": \\"bought $INPUT_AMOUNT\\"}" > $WORKFLOW_OUTPUTS',
    },
  },
};
const rest: WorkflowFixture = {
  name: 'rest',
  steps: {
    pause: { gate: { waitsFor: 'sleep', seconds: { value: 0.3 } } },
    late: { gate: { waitsFor: 'approval', default: 'approve' }, timeoutSeconds: 0.2, outputs: approved },
    next: { after: ['pause', 'late'] },
  },
};

let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(() => {
  directory = temporaryDirectory();
  writeManifests(join(directory.path, 'order'), manifestsOf(order));
  writeManifests(join(directory.path, 'rest'), manifestsOf(rest));
});
afterAll(() => directory[Symbol.dispose]());
const run = (...args: string[]) => cli(['run', ...args, '--local'], { cwd: directory.path });

test('gates are opened by the command line, and their values reach the steps', async () => {
  const { code, stdout, stderr } = await run('order', '--approve', 'release', '--answer', 'amount=3', '-o', 'json');
  expect(code).toBe(0);
  const result = JSON.parse(stdout) as {
    outputs: object;
    steps: { name: string; outputs: object; message?: string }[];
  };
  expect(result.outputs).toEqual({ said: 'bought 3' });
  expect(result.steps[1]!.message).toMatch(/^approved by ./);
  expect(stderr).toMatch(/✓ amount +given by .*\n.*✓ release +approved by /);
});

test('a gate that is denied fails the run', async () => {
  const { code, stdout } = await run('order', '--answer', 'release=false', '--answer', 'amount=3');
  expect(code).toBe(1);
  expect(stdout).toMatch(/release +✗ Failed +- +- +ApprovalDenied: denied by /);
});

test('a sleep really sleeps, and a default is taken after its timeout', async () => {
  const { code, stdout, stderr } = await run('rest', '-o', 'json');
  expect(code).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: { name: string; reason: string }[] };
  expect(steps.map(({ name, reason }) => [name, reason])).toEqual([
    ['pause', 'Completed'],
    ['late', 'DefaultTaken'],
    ['next', 'Completed'],
  ]);
  expect(stderr).toMatch(/◌ pause +sleeps\n/);
  expect(stderr).toMatch(/✓ late +approved by default: no answer in 0.2 s\n/);
});

test('what nobody can answer, and what makes no sense, is said before anything runs', async () => {
  const nobody = await run('order');
  expect(nobody).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: Cannot run order:
  step amount: waits for input (integer), and nobody is here to answer; give --answer amount=<value>
  step release: waits for approval, and nobody is here to answer; give --approve release
`,
  });
  const wrong = await run('order', '--approve', 'relase', '--answer', 'amount=three', '--answer', 'release');
  expect(wrong.stderr).toBe(`error: Cannot run order:
  --approve relase: no step of that name waits for it; did you mean "release"?
  --answer amount=three: must be integer, but is "three"
  --answer release: must be <step>=<value>
  step amount: waits for input (integer), and nobody is here to answer; give --answer amount=<value>
  step release: waits for approval, and nobody is here to answer; give --approve release
`);
});

describe('on a terminal', () => {
  /** What is shown and answered when somebody types these lines. */
  async function typed(step: 'amount' | 'release', lines: string, phase = 'Waiting') {
    let shown = '';
    const context = createContext({ env: {}, stderr: { write: (text: string) => void (shown += text) } });
    const input = new PassThrough();
    const answers: [string, Answer][] = [];
    const calls: string[] = [];
    const done = Promise.withResolvers<void>();
    const progress = {
      pause: () => void calls.push('pause'),
      resume: () => {
        calls.push('resume');
        done.resolve();
      },
    };
    const onAnswer = (name: string, answer: Answer) => void answers.push([name, answer]);
    const prompt = new GatePrompt({ context, graph: graphOf(order), progress, onAnswer, input });
    const message = step === 'amount' ? 'How many?' : undefined;
    const records = {
      finished: false,
      step: (name: string) => ({ phase: name === step ? phase : 'Pending', message }),
    };
    prompt.turn(records as unknown as Run);
    input.end(lines);
    await done.promise;
    return { shown, answers, calls };
  }

  it('a gate is asked for until the answer fits', async () => {
    const { shown, answers, calls } = await typed('amount', 'three\n3\n');
    expect(shown).toBe(
      'amount waits for input (integer): How many?\nValue: cdk8s-workflows.dev/input.amount: value: must be integer, but is "three"\nValue: ',
    );
    expect(answers).toMatchObject([['amount', { value: 3 }]]);
    expect(answers[0]![1].by).toBeTypeOf('string');
    expect(calls).toEqual(['pause', 'resume']);
  });

  it.each([
    ['y\n', true],
    ['maybe\nNO\n', false],
  ])('an approval is a yes or a no: %j', async (lines, expected) => {
    expect((await typed('release', lines)).answers).toMatchObject([['release', { approved: expected }]]);
  });

  it('no answer leaves the gate waiting', async () => {
    const { shown, answers } = await typed('release', '');
    expect(answers).toEqual([]);
    expect(shown).toBe(
      'release waits for approval\nApprove? [y/n] \nNo answer: it goes on waiting. Ctrl-C cancels the run.\n',
    );
  });

  it('nobody is asked for gates that need no answer any more', () => {
    const { run: engine } = begin(graphOf(order));
    const record = engine.record();
    const steps = new Map([['release', { ...record.steps.get('amount')!, phase: 'Succeeded' as const }]]);
    const given = { answer: ['amount=3'] };
    expect(Object.keys(localAnswers(graphOf(order), given, false, { ...record, steps }))).toEqual(['amount']);
    expect(localAnswers(graphOf(order), {}, true)).toEqual({});
    expect(canAsk(true, new PassThrough())).toBe(false);
  });
});
