import { hasCondition, type JobStatus } from '../../../lib/controller/objects.ts';

/**
 * What the API server holds against a new status of a Job that another controller manages, rule by rule.
 * (pkg/registry/batch/job/strategy.go: getStatusValidationOptions; pkg/apis/batch/validation/validation.go:
 * validateJobStatus, ValidateJobStatusUpdate)
 */
export function statusProblems(next: JobStatus, before: JobStatus = {}): string[] {
  const is = (status: JobStatus, type: string) => hasCondition(status.conditions, type);
  const complete = is(next, 'Complete');
  const failed = is(next, 'Failed');
  const finished = complete || failed;
  const rules: Record<string, boolean> = {
    'cannot set Complete=True and Failed=true conditions': complete && failed,
    'cannot set Complete=True and FailureTarget=true conditions': complete && is(next, 'FailureTarget'),
    'cannot set completionTime when there is no Complete=True condition':
      next.completionTime !== undefined && !complete,
    'completionTime is required for Complete jobs': next.completionTime === undefined && complete,
    'completionTime must be equal to or after startTime':
      next.completionTime !== undefined && Date.parse(next.completionTime) < Date.parse(next.startTime ?? ''),
    'cannot set Failed=True condition without the FailureTarget=true condition': failed && !is(next, 'FailureTarget'),
    'cannot set Complete=True condition without the SuccessCriteriaMet=true condition':
      complete && !is(next, 'SuccessCriteriaMet'),
    'active>0 is invalid for finished job': finished && (next.active ?? 0) > 0,
    'startTime is required for finished job': finished && next.startTime === undefined,
    'terminating>0 is invalid for finished job': finished && (next.terminating ?? 0) > 0,
    'cannot set more ready pods than active': (next.ready ?? 0) > (next.active ?? 0),
    'cannot set SuccessCriteriaMet=True and Failed=true conditions': is(next, 'SuccessCriteriaMet') && failed,
    'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions':
      is(next, 'SuccessCriteriaMet') && is(next, 'FailureTarget'),
    'cannot decrease the failed counter': (next.failed ?? 0) < (before.failed ?? 0),
    'cannot decrease the succeeded counter': (next.succeeded ?? 0) < (before.succeeded ?? 0),
    'completionTime is immutable': before.completionTime !== undefined && next.completionTime !== before.completionTime,
    'startTime cannot be changed for unsuspended job':
      before.startTime !== undefined && next.startTime !== before.startTime,
    'counters must not be negative': [next.active, next.succeeded, next.failed].some((count) => (count ?? 0) < 0),
  };
  for (const type of ['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet'])
    rules[`cannot disable the ${type}=True condition`] = is(before, type) && !is(next, type);
  return Object.keys(rules).filter((rule) => rules[rule]);
}
