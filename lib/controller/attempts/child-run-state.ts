import type { AttemptState } from '../../engine/advance.ts';
import type { Instant, RunRecord } from '../../engine/record.ts';
import type { RunStep } from '../../graph/graph.ts';
import { hasCondition, type Job } from '../objects.ts';

/** What the Job of a run says of the step that it is, as long as the run goes on. */
export function openRunState({ metadata, spec, status }: Job): AttemptState {
  const startedAt = Date.parse(status?.startTime ?? '');
  if (!Number.isNaN(startedAt)) return { kind: 'running', startedAt };
  const why = spec?.suspend === true ? 'is suspended' : 'has not begun';
  return { kind: 'pending', message: `run ${metadata.name} ${why}` };
}

/** What the end of a run is for the step that it is: its outputs are in its record, which a lost one takes with it. */
export function endedRunState(
  { outputs }: Pick<RunStep, 'outputs'>,
  job: Job,
  record: RunRecord | undefined,
  now: Instant,
): AttemptState {
  const { metadata, status } = job;
  const { conditions, startTime, completionTime } = status!;
  const started = record?.run.startedAt ?? Date.parse(startTime ?? '');
  const at = Number.isNaN(started) ? {} : { startedAt: started };
  const ended = record?.run.finishedAt;
  if (hasCondition(conditions, 'Complete')) {
    const finishedAt = ended ?? instant(completionTime, now);
    if (record !== undefined || Object.keys(outputs?.properties ?? {}).length === 0)
      return { kind: 'succeeded', ...at, finishedAt, outputs: { text: JSON.stringify(record?.run.outputs ?? {}) } };
    const message = `run ${metadata.name} succeeded, but its record, which has its outputs, is gone`;
    return { kind: 'failed', failure: 'system', reason: 'RunDeleted', ...at, finishedAt, message };
  }
  const failed = conditions?.find(({ type }) => type === 'Failed');
  const reason = record?.run.reason ?? failed?.reason;
  // Somebody wanted it to end, or it never could have begun: another one would be against that, or come to the same.
  const permanent = reason === 'CancelRequested' || reason === 'InvalidRun';
  const said = record?.run.message ?? failed?.message;
  return {
    kind: 'failed',
    failure: permanent ? 'permanent' : 'user',
    reason: 'RunFailed',
    ...at,
    finishedAt: ended ?? instant(failed?.lastTransitionTime, now),
    message: `run ${metadata.name} ${reason === 'CancelRequested' ? 'was cancelled' : 'failed'}${said === undefined ? '' : `: ${said}`}`,
  };
}

function instant(time: string | undefined, otherwise: Instant): Instant {
  const at = time ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? otherwise : at;
}
