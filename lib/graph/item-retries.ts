import type { Problem } from '../values/problems.ts';
import type { IndexedMapStep } from './graph.ts';
import type { FailureRule, RetryPolicy } from './retries.ts';

const FIX = "leave it out, or leave out runAs: 'IndexedJob'";
const waits = ['delaySeconds', 'delaysSeconds', 'factor', 'maxDelaySeconds', 'jitter'] as const;

/** What an Indexed Job cannot do of what is said of tries. (KEP-3850; pkg/controller/job/backoff_utils.go) */
export function* itemRetryProblems(
  { itemRetries = { limit: 0 } }: Pick<IndexedMapStep, 'itemRetries'>,
  at: string,
): Generator<Problem> {
  if (waits.some((field) => itemRetries[field] !== undefined))
    yield {
      path: `${at}.retries`,
      message: 'says how long to wait, but between the tries of an item Kubernetes waits 10 s, 20 s, 40 s and so on',
      fix: `give their limit only, or leave out runAs: 'IndexedJob'`,
    };
  if (itemRetries.maxElapsedSeconds !== undefined)
    yield { path: `${at}.retries.maxElapsed`, message: 'is nothing that an Indexed Job knows', fix: FIX };
  if (itemRetries.resourcesAfterOOM !== undefined)
    yield {
      path: `${at}.retries.resourcesAfterOOM`,
      message: 'needs another pod, and all items have the same',
      fix: FIX,
    };
  for (const field of ['when', 'unless'] as const)
    for (const [index, rule] of (itemRetries[field] ?? []).entries())
      if (!isOfExitCodes(rule))
        yield {
          path: `${at}.retries.${field}[${index}]`,
          message: 'tells failures apart by more than exit codes, which is all that an Indexed Job sees of them',
          fix: "name exit codes only, or leave out runAs: 'IndexedJob'",
        };
}

/** Whether an Indexed Job can do all that a policy says. */
export function takesItemRetries(itemRetries: RetryPolicy): boolean {
  return itemRetryProblems({ itemRetries }, '').next().done === true;
}

const isOfExitCodes = ({ exitCodes, reasons, message }: FailureRule) =>
  exitCodes !== undefined && reasons === undefined && message === undefined;
