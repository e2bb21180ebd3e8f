import { describe, expect, it } from 'vitest';
import { spanText } from '../../lib/engine/span.ts';
import { begin, graphOf, T0 } from './scenario.ts';

const upstreams = { extract: {}, clean: {}, transform: {}, one: {}, two: {}, three: {} };

describe('the explanation of a step', () => {
  it('names the upstreams it waits for', () => {
    const run = begin(graphOf({ ...upstreams, load: { after: ['extract', 'clean', 'transform'] } }))
      .succeed('extract')
      .succeed('clean');
    expect(run.run.explain('load', T0)).toBe('2 of 3 upstreams done; waiting for transform');
  });

  it('names three upstreams at most', () => {
    const run = begin(graphOf({ ...upstreams, load: { after: Object.keys(upstreams) } })).succeed('clean');
    expect(run.run.explain('load', T0)).toBe('1 of 6 upstreams done; waiting for extract, transform, one and 2 more');
  });

  it('counts down to a retry', () => {
    const run = begin(graphOf({ a: { retries: { limit: 5, delaySeconds: 14, jitter: 0, factor: 1 } } }))
      .fail('a')
      .after(14)
      .fail('a');
    expect(run.run.explain('a', run.now)).toBe('retry 2 of 5 in 14 s, after: exit code 1');
    expect(run.run.explain('a', run.now + 12_500)).toBe('retry 2 of 5 in 2 s, after: exit code 1');
    expect(run.run.explain('a', run.now + 99_000)).toBe('retry 2 of 5 in 0 s, after: exit code 1');
  });

  it('names the limit it waits for', () => {
    const run = begin(graphOf({ a: {}, b: {} }), { parallelism: 1 });
    expect(run.run.explain('b', T0)).toBe('limit of 1 running steps reached');
    expect(run.ask({ suspended: true }).run.explain('b', T0)).toBe('run is suspended');
  });

  it('follows an attempt', () => {
    const run = begin(graphOf({ a: { attemptTimeoutSeconds: 60 }, b: {} }));
    expect(run.run.explain('a', T0 + 3000)).toBe('attempt 1 was asked for 3 s ago and not seen yet');
    run.pending('a').pending('b', 'pulling image "x"');
    expect(run.run.explain('a', T0)).toBe('attempt 1 waits for its container: its pod is pending');
    expect(run.run.explain('b', T0)).toBe('attempt 1 waits for its container: pulling image "x"');
    run.runs('a').after(60);
    expect(run.run.explain('b', T0)).toContain('attempt 1 waits');
    expect(run.run.explain('a', run.now)).toBe('attempt 1 is being stopped (AttemptTimeout)');
    expect(run.runs('b').run.explain('b', run.now + 9000)).toBe('attempt 1 runs for 9 s');
  });

  it('says since when and why an attempt cannot be created', () => {
    const run = begin(graphOf({ a: {} })).see('a', { kind: 'unseen', message: 'exceeded quota: few' });
    expect(run.run.explain('a', T0 + 7000)).toBe('attempt 1 cannot be created, for 7 s now: exceeded quota: few');
  });

  it('says until when a container may take to start', () => {
    const run = begin(graphOf({ a: { pendingTimeoutSeconds: 600 } }));
    run.pending('a', 'pod unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu');
    expect(run.run.explain('a', T0 + 60_000)).toBe(
      'attempt 1 waits for its container: pod unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu; it is stopped in 9 min if it does not start',
    );
  });

  it('gives the end and its reason', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] }, c: {} }))
      .succeed('c')
      .fail('a', { exitCode: 2 });
    expect(run.run.explain('a', T0)).toBe('ExitCode: exit code 2');
    expect(run.run.explain('b', T0)).toBe('UpstreamFailed: step a failed');
    expect(run.run.explain('c', T0)).toBe('Completed');
  });

  it('is there before the run has begun', () => {
    expect(begin(graphOf({ a: {} })).run.explain('a', T0 - 9999)).toBe(
      'attempt 1 was asked for 0 s ago and not seen yet',
    );
  });
});

it.each([
  [0, '0 s'],
  [400, '1 s'],
  [14_000, '14 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
  [86_397_000, '23 h 59 min'],
  [86_400_000, '1 d'],
  [187_200_000, '2 d 4 h'],
  [-5000, '0 s'],
])('%i ms are said as %s', (span, text) => {
  expect(spanText(T0, T0 + span)).toBe(text);
});
