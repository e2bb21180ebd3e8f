import { Duration } from 'cdk8s';
import { ContainerTask, gt, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { StepNode } from '../../lib/graph/graph.ts';
import { find, synth, synthProblems } from './support.ts';

const inputs = { pause: z.number(), day: z.string() };
type Inputs = typeof inputs;

type Build = <S>(workflow: WorkflowBuilder<Inputs, S>, chart: Construct) => void;

const define = (build: Build) => (chart: Construct) => {
  new Workflow(chart, 'etl', { inputs }, (workflow) => build(workflow, chart));
};

function stepsOf(build: Build): readonly StepNode[] {
  const decoded = decodeGraph(find(synth(define(build)), 'ConfigMap') as never);
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return decoded.graph.steps;
}

const problemsOf = (build: Build) => synthProblems(define(build));

describe('gates', () => {
  it('are steps of the graph without a pod', () => {
    const build: Build = ({ approve, waitForInput, sleep, waitUntil, inputs }) => {
      approve('release', { message: inputs.day, timeout: Duration.hours(1), default: 'deny' });
      waitForInput('amount', z.int().min(1), { timeout: Duration.minutes(5), default: 10 });
      sleep('rest', Duration.seconds(90));
      sleep('pause', inputs.pause, { timeout: Duration.hours(1), default: 'continue' });
      waitUntil('night', new Date('2026-01-31T18:00:00Z'), { continueOnFailure: true });
      waitUntil('day', inputs.day);
    };
    expect(synth(define(build)).map(({ kind }) => kind)).toEqual(['ConfigMap']);
    expect(stepsOf(build)).toEqual([
      {
        kind: 'gate',
        name: 'release',
        gate: { waitsFor: 'approval', message: { input: 'day' }, default: 'deny' },
        outputs: {
          properties: { approvedBy: { type: 'string' }, approvedAt: { type: 'string' } },
          required: ['approvedBy', 'approvedAt'],
        },
        timeoutSeconds: 3600,
      },
      {
        kind: 'gate',
        name: 'amount',
        gate: { waitsFor: 'input', default: 10 },
        outputs: {
          properties: { value: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
          required: ['value'],
        },
        timeoutSeconds: 300,
      },
      { kind: 'gate', name: 'rest', gate: { waitsFor: 'sleep', seconds: { value: 90 } } },
      {
        kind: 'gate',
        name: 'pause',
        gate: { waitsFor: 'sleep', seconds: { input: 'pause' }, default: 'continue' },
        timeoutSeconds: 3600,
      },
      {
        kind: 'gate',
        name: 'night',
        gate: { waitsFor: 'time', until: { value: '2026-01-31T18:00:00.000Z' } },
        continueOnFailure: true,
      },
      { kind: 'gate', name: 'day', gate: { waitsFor: 'time', until: { input: 'day' } } },
    ]);
  });

  it('come after other steps, under a condition, and pass on what they gave', () => {
    const steps = stepsOf(({ approve, waitForInput, step }, chart) => {
      const load = new ContainerTask(chart, 'load', { image: 'etl:1', inputs: { amount: z.int(), by: z.string() } });
      const amount = waitForInput('amount', z.int());
      const release = approve('release').after(amount).when(gt(amount.outputs.value, 100));
      step('load', load, { amount: amount.outputs.value, by: release.outputs.approvedBy.or('nobody') });
    });
    expect(steps[1]).toMatchObject({
      after: ['amount'],
      when: { cel: 'steps.amount.outputs.value > 100', steps: ['amount'] },
    });
    expect(steps[2]).toMatchObject({
      inputs: {
        amount: { step: 'amount', output: 'value' },
        by: { step: 'release', output: 'approvedBy', default: 'nobody' },
      },
    });
  });

  it('are refused with all that is wrong with them', () => {
    expect(
      problemsOf(({ approve, waitForInput, sleep, waitUntil }) => {
        approve('a'.repeat(56));
        waitForInput('b'.repeat(58), z.string());
        approve('never', { default: 'deny' });
        waitForInput('amount', z.int(), { timeout: Duration.hours(1), default: 1.5 });
        waitForInput('date', z.date());
        waitUntil('invalid', new Date('soon'));
        waitUntil('local', '2026-01-31T18:00:00');
        sleep('none', Duration.seconds(3), { timeout: Duration.seconds(0) });
      }),
    ).toEqual([
      `[etl] ${'a'.repeat(56)}: the step name "${'a'.repeat(56)}" has 56 characters; at most 55 fit the annotation that opens it; choose a shorter one`,
      `[etl] ${'b'.repeat(58)}: the step name "${'b'.repeat(58)}" has 58 characters; at most 57 fit the annotation that opens it; choose a shorter one`,
      '[etl] never.default: is never taken; set a timeout, after which it is',
      '[etl] amount.default: must be integer, but is 1.5',
      '[etl] invalid.until: "Invalid Date" is no time; write it as 2026-01-31T18:00:00Z, with its zone',
      '[etl] local.until: "2026-01-31T18:00:00" is no time; write it as 2026-01-31T18:00:00Z, with its zone',
      '[etl] none.timeoutSeconds: must be more than 0, not 0',
      '[etl/date] outputs.value: Date cannot be represented in JSON Schema; use a type that JSON has: strings, numbers, booleans, lists and objects of them',
    ]);
  });

  it('take no values of another workflow', () => {
    const problems = synthProblems((chart) => {
      new Workflow(chart, 'one', { inputs: { day: z.string() } }, ({ inputs }) => {
        new Workflow(chart, 'two', {}, ({ approve, waitUntil }) => {
          approve('release', { message: inputs.day as never });
          waitUntil('night', inputs.day as never);
        });
      });
    });
    expect(problems).toContain(
      '[two/release] message: inputs.day belongs to another workflow; pass it in as an input of this workflow',
    );
    expect(problems).toContain(
      '[two/night] until: inputs.day belongs to another workflow; pass it in as an input of this workflow',
    );
  });
});
