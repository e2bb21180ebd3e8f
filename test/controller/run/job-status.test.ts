import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepReason } from '../../../lib/engine/reasons.ts';
import type { RunPhase } from '../../../lib/engine/record.ts';
import {
  isDone,
  projectStatus,
  sameStatus,
  suspendedStatus,
  type Progress,
} from '../../../lib/controller/run/job-status.ts';
import { hasCondition, type JobStatus } from '../../../lib/controller/objects.ts';
import { statusProblems } from './job-status-rules.ts';

const start = Date.parse('2026-01-01T00:00:00.700Z');

/** A run as it goes on: what is done and failed may be told in any order, and wrongly fall. */
const progress = (phase: fc.Arbitrary<RunPhase>): fc.Arbitrary<Progress> =>
  fc.record({
    run: fc.record({
      phase,
      reason: fc.constant('Started' as const),
      startedAt: fc.constant(start),
      finishedAt: fc.option(fc.integer({ min: start - 5_000, max: start + 5_000 }), { nil: undefined }),
      message: fc.option(fc.string(), { nil: undefined }),
    }),
    active: fc.nat(5),
    done: fc.nat(9),
    failed: fc.nat(9),
    suspended: fc.boolean(),
  });

const history = fc.tuple(
  fc.boolean(),
  fc.array(progress(fc.constant('Running')), { maxLength: 6 }),
  progress(fc.constantFrom('Succeeded', 'Failed', 'Cancelled')),
);

describe('the status of a run', () => {
  it('obeys the rules of the API server at every step, whatever happens', () => {
    fc.assert(
      fc.property(history, ([asleep, going, end]) => {
        let now = start;
        let status: JobStatus | undefined = asleep ? suspendedStatus(undefined, now) : undefined;
        for (const next of [...going, end]) {
          now += 700;
          const projected = projectStatus(status, next, now);
          expect(statusProblems(projected, status)).toEqual([]);
          status = projected;
        }
        expect(hasCondition(status?.conditions, end.run.phase === 'Succeeded' ? 'Complete' : 'Failed')).toBe(true);
        // A run that was taken up again after its end says the same.
        expect(sameStatus(status, projectStatus(status, end, now + 9_000))).toBe(true);
      }),
    );
  });

  it('keeps the conditions of others, and the times of its own', () => {
    const other = { type: 'Checked', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' };
    const run = { phase: 'Running', reason: 'Started', startedAt: start } as const;
    const going = { run, active: 1, done: 0, failed: 0, suspended: true };
    const first = projectStatus({ conditions: [other] }, going, start);
    const second = projectStatus(first, going, start + 60_000);
    expect(second.conditions).toEqual(first.conditions);
    expect(second.conditions?.[0]).toEqual(other);
  });
});

describe('a step is done', () => {
  it.each<[boolean, Parameters<typeof isDone>[0]]>([
    [true, { phase: 'Succeeded', reason: 'Completed' }],
    [true, { phase: 'Skipped', reason: 'WhenFalse' }],
    [true, { phase: 'Skipped', reason: 'InputUnavailable' }],
    [false, { phase: 'Skipped', reason: 'UpstreamFailed' }],
    [false, { phase: 'Skipped', reason: 'RunFailing' }],
    [false, { phase: 'Cancelled', reason: 'CancelRequested' as StepReason }],
    [false, { phase: 'Failed', reason: 'ExitCode' }],
    [false, { phase: 'Running', reason: 'ContainerRunning' }],
  ])('%s: %j', (done, step) => {
    expect(isDone(step)).toBe(done);
  });
});
