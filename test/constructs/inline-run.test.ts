import { App, Chart } from 'cdk8s';
import { cel, ContainerTask, failed, gt, Workflow, z } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { recoveredRecord } from '../../lib/engine/recover.ts';
import { begin, T0 } from '../engine/scenario.ts';

describe('a run of a workflow with parts', () => {
  const simple = (policy: 'FinishRunning' | 'RunIndependent' = 'FinishRunning', look = true) => {
    const chart = new Chart(new App(), 'chart');
    const list = new ContainerTask(chart, 'list', {
      image: 'etl:1',
      inputs: { site: z.string() },
      outputs: { rows: z.int() },
    });
    const note = new ContainerTask(chart, 'note', { image: 'etl:1', inputs: { text: z.string() } });
    const nothing = new ContainerTask(chart, 'nothing', { image: 'etl:1' });
    const part = new Workflow(
      chart,
      'part',
      { inputs: { site: z.string() }, failurePolicy: policy },
      ({ inputs, step }) => {
        const raw = step('list', list, { site: inputs.site });
        const other = step('other', nothing);
        step('last', nothing)
          .after(other)
          .when(cel`${inputs.site} == "x" && ${raw.outputs.rows} > 1`);
        return { rows: raw.outputs.rows };
      },
    );
    const workflow = new Workflow(
      chart,
      'outer',
      { inputs: { site: z.string() }, failurePolicy: policy },
      ({ inputs, step }) => {
        const first = step('first', list, { site: inputs.site });
        const a = step('a', part, { site: 'x' }).when(gt(first.outputs.rows, 0));
        step('next', nothing).after(a);
        if (look) step('repair', note, { text: a.status.message }).after(failed(a));
        return { rows: a.outputs.rows };
      },
    );
    return workflow.graph;
  };
  const rows = (count: number) => ({ rows: count });

  it('goes through the steps of the part and gives its outputs', () => {
    const run = begin(simple(), { inputs: { site: 'y' } }).succeed('first', rows(1));
    expect(run.asked).toEqual(['start a-list 1', 'start a-other 1']);
    run.succeed('a-list', rows(7)).succeed('a-other');
    expect(run.asked).toEqual(['start a-last 1']);
    run.succeed('a-last');
    expect(run.phase('a')).toBe('Succeeded/Completed');
    expect(run.run.step('a').outputs).toEqual({ rows: 7 });
    expect(run.asked).toEqual(['start next 1']);
    run.succeed('next');
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.state.outputs).toEqual({ rows: 7 });
  });

  it('skips the whole part when its condition is false, and goes on after it', () => {
    const run = begin(simple(), { inputs: { site: 'y' } }).succeed('first', rows(0));
    expect(run.phases()).toMatchObject({
      'a-begin': 'Skipped/WhenFalse',
      'a-list': 'Skipped/AfterFalse',
      'a-last': 'Skipped/UpstreamSkipped',
      a: 'Skipped/WhenFalse',
      next: 'Running/Created',
      repair: 'Skipped/AfterFalse',
    });
  });

  it('skips the whole part when what comes before it failed', () => {
    const run = begin(simple('RunIndependent'), { inputs: { site: 'y' } }).fail('first');
    expect(run.phases()).toMatchObject({ a: 'Skipped/UpstreamFailed', next: 'Skipped/UpstreamSkipped' });
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('lets the part end before its failure counts, where somebody looks at it', () => {
    const run = begin(simple(), { inputs: { site: 'y' } })
      .succeed('first', rows(1))
      .fail('a-list', { exitCode: 3 });
    expect(run.run.state.reason).toBe('Started');
    run.succeed('a-other');
    expect(run.phases()).toMatchObject({
      'a-last': 'Skipped/UpstreamFailed',
      a: 'Failed/StepsFailed',
      next: 'Skipped/UpstreamFailed',
    });
    expect(run.asked).toEqual(['start repair 1']);
    expect(run.commands[0]).toMatchObject({ inputs: { text: 'a-list (exit code 3) failed' } });
    expect(run.succeed('repair').end).toBe('Succeeded/Completed');
  });

  it('fails at once with a step of the part, where nobody looks at it', () => {
    const run = begin(simple('FinishRunning', false), { inputs: { site: 'y' } })
      .succeed('first', rows(1))
      .fail('a-list', { exitCode: 3 });
    expect(run.run.state.reason).toBe('StepFailed');
    run.succeed('a-other');
    expect(run.phases()).toMatchObject({ 'a-last': 'Skipped/UpstreamFailed', next: 'Skipped/UpstreamSkipped' });
    expect(run.run.state.message).toBe('1 of 7 steps failed: a-list (exit code 3)');
  });

  it('gives what its steps gave: what takes the rest is skipped, unless it has something else', () => {
    const chart = new Chart(new App(), 'chart');
    const count = new ContainerTask(chart, 'count', {
      image: 'etl:1',
      inputs: { n: z.int() },
      outputs: { n: z.int() },
    });
    const part = new Workflow(chart, 'part', { inputs: { n: z.int() } }, ({ inputs, step }) => ({
      n: step('count', count, { n: inputs.n }).when(gt(inputs.n, 5)).outputs.n,
    }));
    const { graph } = new Workflow(chart, 'outer', {}, ({ step }) => {
      const { n } = step('a', part, { n: 1 }).outputs;
      step('takes', count, { n });
      step('reads', count, { n: 1 }).when(gt(n, 0));
      step('falls-back', count, { n: n.or(2) });
    });
    const run = begin(graph);
    expect(run.phases()).toMatchObject({
      'a-count': 'Skipped/WhenFalse',
      a: 'Succeeded/Completed',
      takes: 'Skipped/InputUnavailable',
      reads: 'Skipped/InputUnavailable',
    });
    expect(run.asked).toEqual(['start falls-back 1']);
    expect(run.run.step('takes').message).toBe('there is no value for steps.a.outputs.n');
  });

  it('is skipped by hand with all of its steps', () => {
    const run = begin(simple(), { inputs: { site: 'y' } });
    run.ask({ skips: { a: 'not today' } }).succeed('first', rows(1));
    const byHand = 'Skipped/SkippedByHand';
    expect(run.phases()).toMatchObject({ a: byHand, 'a-begin': byHand, 'a-list': byHand, next: 'Running/Created' });
  });

  it('is run again with all of its steps', () => {
    const run = begin(simple(), { inputs: { site: 'y' } }).succeed('first', rows(1));
    run.succeed('a-list', rows(1)).succeed('a-other').succeed('next');
    expect(run.end).toBe('Succeeded/Completed');
    const recovery = { run: 'before', record: run.run.record(), rerun: ['a'] };
    expect([...recoveredRecord(run.topology, recovery, T0).steps.keys()]).toEqual(['first']);
  });
});
