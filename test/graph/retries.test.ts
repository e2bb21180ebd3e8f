import { describe, expect, it } from 'vitest';
import { parseGraph } from '../../lib/graph/validate.ts';
import { formatProblem } from '../../lib/values/problems.ts';

/** What is wrong with a graph of one step with these fields, as it may stand in a ConfigMap. */
function problemsOf(fields: object): readonly string[] {
  const step = { kind: 'task', name: 'a', task: 'a', template: 'a-1', inputs: {}, ...fields };
  const parsed = parseGraph({
    apiVersion: 'cdk8s-workflows.dev/v1',
    workflow: 'w',
    inputs: { properties: {}, required: [] },
    outputs: {},
    failurePolicy: 'FinishRunning',
    steps: [step],
  });
  return 'problems' in parsed ? parsed.problems.map(formatProblem) : [];
}

describe('the retries of a graph that anybody may have written', () => {
  it('are read with all there is', () => {
    const rule = { exitCodes: [75], reasons: ['ExitCode'], message: 'busy' };
    const growing = { delaySeconds: 1, factor: 2, maxDelaySeconds: 9, jitter: 0 };
    const resourcesAfterOOM = [{ limits: { memory: '1Gi' } }];
    const retries = { limit: 3, ...growing, maxElapsedSeconds: 60, when: [rule], unless: [rule], resourcesAfterOOM };
    expect(problemsOf({ retries, systemRetries: 0, pendingTimeoutSeconds: 0.5 })).toEqual([]);
    expect(problemsOf({ retries: { limit: 3, delaysSeconds: [1, 2] } })).toEqual([]);
  });

  it.each([
    [3],
    [{}],
    [{ limit: '3' }],
    [{ limit: 3, delaySeconds: '5' }],
    [{ limit: 3, delaysSeconds: 5 }],
    [{ limit: 3, delaysSeconds: ['5'] }],
    [{ limit: 3, when: { exitCodes: [1] } }],
    [{ limit: 3, when: [3] }],
    [{ limit: 3, when: [{ exitCodes: 1 }] }],
    [{ limit: 3, unless: [{ reasons: [1] }] }],
    [{ limit: 3, unless: [{ message: {} }] }],
    [{ limit: 3, resourcesAfterOOM: ['8Gi'] }],
  ])('are refused when they are %j', (retries) => {
    expect(problemsOf({ retries })).toEqual([
      expect.stringMatching(/^steps\[0\]\.retries: must be a retry policy, not /),
    ]);
  });

  it('are refused when they make no sense, with their timeouts', () => {
    const fields = { systemRetries: -1, pendingTimeoutSeconds: 0, retries: { limit: 1.5, factor: 0, when: [{}] } };
    expect(problemsOf(fields)).toEqual([
      'a.pendingTimeoutSeconds: must be more than 0, not 0',
      'a.systemRetries: must be a whole number from 0, not -1',
      'a.retries.limit: must be a whole number from 0, not 1.5',
      'a.retries.factor: must be at least 1, not 0',
      'a.retries.when[0]: says nothing; give exitCodes, reasons or message',
    ]);
    expect(problemsOf({ systemRetries: 'many', pendingTimeoutSeconds: '5m' })).toEqual([
      'steps[0].pendingTimeoutSeconds: must be a number, not "5m"',
      'steps[0].systemRetries: must be a number, not "many"',
    ]);
  });
});
