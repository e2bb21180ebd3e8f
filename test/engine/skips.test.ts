import { describe, expect, it } from 'vitest';
import { lateSkips, readSkips } from '../../lib/engine/skips.ts';
import { skipPrefix } from '../../lib/graph/labels.ts';
import { topology } from '../../lib/graph/topology.ts';
import { begin, graphOf, rowsOf, Scenario, withRows, type StepSketch } from './scenario.ts';

describe('a step that is skipped by hand', () => {
  it.each<[string, StepSketch, string]>([
    ['runs, when it only comes after it', { after: ['a'] }, 'Waiting/ParallelismLimit'],
    ['is skipped, when it takes its values', { inputs: { rows: rowsOf('a') } }, 'Skipped/InputUnavailable'],
    ['runs, when it has a default for its values', { inputs: { rows: rowsOf('a', 0) } }, 'Waiting/ParallelismLimit'],
    ['runs, when it waits for just that', { depends: { step: 'a', ended: 'skipped' } }, 'Waiting/ParallelismLimit'],
    ['is skipped, when it waits for its success', { depends: { step: 'a', ended: 'succeeded' } }, 'Skipped/AfterFalse'],
  ])('is to the step after it as one whose condition was false: that one %s', (_, after, expected) => {
    const run = begin(graphOf({ busy: {}, a: withRows, b: after }), { parallelism: 1, skips: { a: 'known bad' } });
    expect(run.run.step('a')).toMatchObject({ phase: 'Skipped', message: 'skipped by hand: known bad', attempts: [] });
    expect(run.phases()).toMatchObject({ a: 'Skipped/SkippedByHand', b: expected });
  });

  it('may wait for others, for room, for a retry, or for the run to go on', () => {
    const graph = graphOf({ a: { retries: { limit: 3, delaySeconds: 60 } }, b: { after: ['a'] }, c: {} });
    const run = begin(graph, { parallelism: 1 }).fail('a', { exitCode: 1 }).runs('c');
    expect(run.phases()).toEqual({
      a: 'Waiting/Backoff',
      b: 'Pending/WaitingForUpstreams',
      c: 'Running/ContainerRunning',
    });
    run.ask({ skips: { a: '', b: '' } });
    expect(run.phases()).toMatchObject({ a: 'Skipped/SkippedByHand', b: 'Skipped/SkippedByHand' });
    expect(run.run.step('a').attempts).toHaveLength(1);
    expect(run.succeed('c').end).toBe('Succeeded/Completed');
    const suspended = begin(graphOf({ a: {} }), { suspended: true }).ask({ skips: { a: '' } });
    expect(suspended.end).toBe('Succeeded/Completed');
  });

  it('may be a map, or a step for the end of the run', () => {
    const over = [{ input: 'shard', list: { value: [1, 2] } }];
    const run = begin(graphOf({ m: { kind: 'map', over }, clean: { role: 'finally' } }), {
      skips: { m: '', clean: '' },
    });
    expect(run.phases()).toEqual({ m: 'Skipped/SkippedByHand', clean: 'Skipped/SkippedByHand' });
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('stays skipped when the request is repeated or taken back', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] } })).ask({ skips: { b: '' } });
    const before = run.run.step('b');
    expect(run.ask({ skips: { b: 'again' } }).decision!.steps.size).toBe(0);
    expect(run.ask({ skips: {} }).run.step('b')).toBe(before);
  });

  it('is left alone while it runs and when it has ended, and skipped when it comes to wait again', () => {
    const graph = graphOf({ a: { retries: { limit: 1 } }, b: {} });
    const run = begin(graph)
      .succeed('b')
      .runs('a')
      .ask({ skips: { a: '', b: '' } });
    expect(run.phases()).toEqual({ a: 'Running/ContainerRunning', b: 'Succeeded/Completed' });
    expect(run.asked).toEqual([]);
    expect(run.fail('a').phases()).toMatchObject({ a: 'Skipped/SkippedByHand' });
    expect(run.asked).toEqual([]);
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('is left alone when its pod exists although nobody wrote that down', () => {
    const run = new Scenario(graphOf({ a: {} }), { skips: { a: '' } });
    run.tell({ step: 'a', attempt: 1, state: { kind: 'running', startedAt: run.now } });
    expect(run.phases()).toEqual({ a: 'Running/ContainerRunning' });
    expect(run.asked).toEqual([]);
  });
});

describe('annotations that skip steps', () => {
  const graph = topology(graphOf({ load: {}, train: {} }));

  it('name steps and say why; what makes no sense is passed over, and told', () => {
    const given = {
      other: 'x',
      [`${skipPrefix}load`]: 'no data today',
      [`${skipPrefix}train`]: 'false',
      [`${skipPrefix}trian`]: '',
      [`${skipPrefix}__proto__`]: '',
    };
    const { skips, problems } = readSkips(given, graph);
    expect(skips).toEqual({ load: 'no data today' });
    expect(problems).toEqual([
      { path: `${skipPrefix}train`, message: 'is "false"', fix: 'take it away, or say why the step is skipped' },
      { path: `${skipPrefix}trian`, message: 'is about no step of the workflow', fix: 'did you mean "train"?' },
      expect.objectContaining({ path: `${skipPrefix}__proto__` }),
    ]);
  });

  it('come too late for a step that has begun or ended, but not for one that they skipped', () => {
    const run = begin(graphOf({ load: {}, train: {}, late: { after: ['train'] } }), { skips: { load: '' } });
    run.ask({ skips: { load: '', train: '', late: '' } });
    expect(lateSkips(run.spec.skips!, (name) => run.run.step(name))).toEqual([
      { path: `${skipPrefix}train`, message: 'comes too late: the step is Running, and is left alone' },
    ]);
  });
});
