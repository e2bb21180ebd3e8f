import {
  all,
  allDone,
  any,
  cancelled,
  ContainerTask,
  eq,
  failed,
  finished,
  noneFailed,
  not,
  oneFailed,
  oneSucceeded,
  skipped,
  succeeded,
  Workflow,
  z,
  type EndCondition,
  type StepIn,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import { conditionText } from '../../lib/graph/end-condition.ts';
import { find, synth, synthProblems } from './support.ts';

const tasks = (scope: Construct) => ({
  work: new ContainerTask(scope, 'work', { image: 'i:1', outputs: { rows: z.int() } }),
  tell: new ContainerTask(scope, 'tell', {
    image: 'i:1',
    inputs: { text: z.string().optional(), rows: z.int().optional(), tries: z.int().optional() },
  }),
});

function stepsOf(define: (chart: Construct) => void) {
  const decoded = decodeGraph(find(synth(define), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps;
}

describe('after', () => {
  it.each<[string, (a: StepIn<never>, b: StepIn<never>) => EndCondition<never>, string]>([
    ['succeeded', (a) => succeeded(a), 'succeeded(a)'],
    ['any and failed', (a, b) => any(succeeded(a), failed(b)), 'any(succeeded(a), failed(b))'],
    ['not, skipped and cancelled', (a, b) => not(all(skipped(a), cancelled(b))), 'not(all(skipped(a), cancelled(b)))'],
    ['finished', (a) => finished(a), 'finished(a)'],
    ['allDone', (a, b) => allDone(a, b), 'all(finished(a), finished(b))'],
    ['oneFailed', (a, b) => oneFailed(a, b), 'any(failed(a), failed(b))'],
    ['noneFailed', (a, b) => noneFailed(a, b), 'all(not(failed(a)), not(failed(b)))'],
    ['oneSucceeded', (a, b) => oneSucceeded(a, b), 'any(succeeded(a), succeeded(b))'],
  ])('takes conditions on ends: %s', (_name, condition, text) => {
    const steps = stepsOf((chart) => {
      const { work } = tasks(chart);
      new Workflow(chart, 'w', {}, ({ step }) => {
        const [a, b] = [step('a', work), step('b', work)];
        step('c', work).after(condition(a as never, b as never) as never);
      });
    });
    expect(conditionText(steps[2]!.depends!)).toBe(text);
    expect(steps[2]).not.toHaveProperty('after');
  });

  it('takes steps and conditions together; all of them must hold', () => {
    const steps = stepsOf((chart) => {
      const { work } = tasks(chart);
      new Workflow(chart, 'w', {}, ({ step }) => {
        const [a, b] = [step('a', work), step('b', work)];
        step('c', work).after(a, failed(b)).after(finished(a));
      });
    });
    expect(steps[2]!.after).toEqual(['a']);
    expect(conditionText(steps[2]!.depends!)).toBe('all(failed(b), finished(a))');
  });
});

describe('the status of a step', () => {
  it('is passed on as a value, and read by conditions', () => {
    const steps = stepsOf((chart) => {
      const { work, tell } = tasks(chart);
      new Workflow(chart, 'w', {}, ({ step }) => {
        const a = step('a', work);
        step('c', tell, { text: a.status.message, tries: a.status.attempt }).when(eq(a.status.phase, 'Failed'));
      });
    });
    expect(steps[1]).toMatchObject({
      inputs: { text: { status: 'a', field: 'message' }, tries: { status: 'a', field: 'attempt' } },
      when: { cel: 'steps.a.status.phase == "Failed"', steps: [], statuses: ['a'] },
    });
  });
});

it('a step says by itself that it runs at the end of the run', () => {
  const steps = stepsOf((chart) => {
    const { work, tell } = tasks(chart);
    new Workflow(chart, 'w', {}, ({ step }) => {
      const a = step('a', work);
      step('warn', tell, { text: a.status.reason }).onFailure();
      step('clean', tell, { rows: a.outputs.rows.or(0) }).finally();
    });
  });
  expect(steps.map(({ role }) => role)).toEqual([undefined, 'onFailure', 'finally']);
});

describe('synth tells', () => {
  it('all that cannot be', () => {
    const problems = synthProblems((chart) => {
      const { work, tell } = tasks(chart);
      const other = new Workflow(chart, 'other', {}, ({ step }) => void step('elsewhere', work));
      new Workflow(chart, 'w', {}, ({ step }) => {
        const a = step('a', work);
        const clean = step('clean', tell, { rows: a.outputs.rows }).after(a).finally();
        step('late', tell, {}).after(clean);
        step('later', tell, { text: clean.status.phase });
        step('never', tell, { rows: a.outputs.rows }).after(failed(a));
        step('foreign', tell, {}).after(failed(other.steps[0]! as never));
      });
    });
    expect(problems).toEqual([
      expect.stringMatching(/^\[w\] clean\.after: has no meaning: it runs when all others have ended; remove it/),
      expect.stringMatching(/^\[w\] clean: takes outputs of step "a", which there are none of when/),
      expect.stringMatching(/^\[w\] late: waits for "clean", which runs when all others have ended; /),
      expect.stringMatching(/^\[w\] later: waits for "clean"/),
      expect.stringMatching(
        /^\[w\] never: needs steps\.a\.outputs\.rows, but never runs when a has succeeded: failed\(a\); give the reference a default/,
      ),
      expect.stringMatching(/^\[w\] foreign: there is no step "elsewhere"/),
      expect.stringMatching(/^\[w\/foreign\] after: step "elsewhere" belongs to workflow "other"/),
    ]);
  });
});
