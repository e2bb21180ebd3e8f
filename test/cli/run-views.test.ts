import { describe, expect, it } from 'vitest';
import { describeText, podStatus } from '../../lib/cli/cluster/runs/describe-view.ts';
import { phaseStyle } from '../../lib/cli/terminal/phases.ts';
import { Output } from '../../lib/cli/terminal/output.ts';
import { progressLines } from '../../lib/cli/cluster/runs/run-progress.ts';
import { newestFirst, runColumns } from '../../lib/cli/cluster/runs/runs-view.ts';
import { runView } from '../../lib/cli/cluster/runs/run-view.ts';
import { parseSeconds } from '../../lib/cli/terminal/seconds-option.ts';
import { formatTable } from '../../lib/cli/terminal/table.ts';
import type { RunRecord, StepRecord } from '../../lib/engine/record.ts';
import type { JobCondition, RunJob, RunPod } from '../../lib/runs/run-objects.ts';
import { summaryOf } from '../../lib/runs/run-summary.ts';
import { workflow } from '../controller/support.ts';

const start = Date.UTC(2026, 2, 1, 10);
const at = (second: number): string => new Date(start + second * 1000).toISOString().replace('.000', '');
const plain = new Output({ write: () => undefined }, {});
const phases = phaseStyle(plain.colors, {});

interface JobParts {
  readonly conditions?: readonly JobCondition[];
  readonly status?: object;
  readonly spec?: object;
  readonly annotations?: Record<string, string>;
}

function job(name: string, { conditions, status, spec, annotations }: JobParts = {}): RunJob {
  const labels = {
    'cdk8s-workflows.dev/plan': 'etl',
    'cdk8s-workflows.dev/workflow': 'flow',
    'cdk8s-workflows.dev/version': 'v1',
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: 'data',
      labels,
      creationTimestamp: at(0),
      annotations: { 'cdk8s-workflows.dev/graph': 'g', 'cdk8s-workflows.dev/inputs': '{"site":"a"}', ...annotations },
    },
    spec: { managedBy: 'cdk8s-workflows.dev/controller', completions: 3, parallelism: 5, ...spec },
    status: { startTime: at(1), ...status, conditions },
  };
}

const ended = (type: string, reason: string, message = ''): JobCondition => ({
  type,
  status: 'True',
  reason,
  message,
  lastTransitionTime: at(31),
});

describe('the phase of a run', () => {
  it('follows from its Job', () => {
    const phase = (parts: JobParts): string => summaryOf(job('r', parts)).phase;
    expect(phase({ status: { startTime: undefined } })).toBe('Pending');
    expect(phase({})).toBe('Running');
    expect(phase({ spec: { suspend: true } })).toBe('Suspended');
    expect(phase({ conditions: [ended('SuccessCriteriaMet', 'x'), ended('Complete', 'Completed')] })).toBe('Succeeded');
    expect(phase({ conditions: [ended('Failed', 'StepFailed')] })).toBe('Failed');
    expect(phase({ conditions: [ended('Failed', 'CancelRequested')], spec: { suspend: true } })).toBe('Cancelled');
    expect(phase({ conditions: [ended('FailureTarget', 'StepFailed')] })).toBe('Running');
    const cancelled = { 'cdk8s-workflows.dev/cancel': 'Now' };
    expect(phase({ conditions: [ended('Failed', 'DeadlineExceeded')], annotations: cancelled })).toBe('Cancelled');
    expect(phase({ conditions: [ended('Failed', 'DeadlineExceeded')] })).toBe('Failed');
  });
});

describe('the table of runs', () => {
  it('is newest first, with what a driver runs not counted in steps', () => {
    const newer = job('newer', {
      status: { active: 1, succeeded: 2 },
      annotations: { 'cdk8s-workflows.dev/cancel': 'Drain' },
    });
    newer.metadata.creationTimestamp = at(20);
    const driven = job('driven', { spec: { managedBy: undefined, completions: 1 }, status: { startTime: undefined } });
    const failed = job('failed', {
      conditions: [ended('Failed', 'StepFailed', 'step "load" failed')],
      status: { succeeded: 2 },
    });
    const runs = [driven, failed, newer].map(summaryOf).sort(newestFirst);
    expect(formatTable(runColumns(start + 60_000, plain.colors), runs)).toBe(
      `NAME     PLAN   PHASE     STEPS   AGE   DURATION
newer    etl    Running   2/3     40s   59s
driven   etl    Pending   -       60s   -
failed   etl    Failed    2/3     60s   30s
`,
    );
    const wide = formatTable(runColumns(start + 60_000, plain.colors, { allNamespaces: true }), runs, { wide: true });
    expect(wide).toBe(
      `NAMESPACE   NAME     PLAN   PHASE     STEPS   AGE   DURATION   WORKFLOW   MESSAGE
data        newer    etl    Running   2/3     40s   59s        flow       is being cancelled (Drain)
data        driven   etl    Pending   -       60s   -          flow
data        failed   etl    Failed    2/3     60s   30s        flow       step "load" failed
`,
    );
  });
});

const { graph } = workflow('flow', [
  { name: 'extract' },
  { name: 'load', after: ['extract'] },
  { name: 'notify', after: ['load'] },
]);

const done: StepRecord = {
  phase: 'Succeeded',
  reason: 'Completed',
  attempts: [
    {
      number: 1,
      phase: 'Succeeded',
      reason: 'Completed',
      createdAt: start + 1000,
      startedAt: start + 2000,
      finishedAt: start + 5500,
    },
  ],
  finishedAt: start + 5500,
  outputs: { rows: 3 },
};
const attempt = {
  phase: 'Failed',
  reason: 'ExitCode',
  message: 'main ended with exit code 1',
  failure: 'user',
} as const;
const failedStep: StepRecord = {
  phase: 'Failed',
  reason: 'ExitCode',
  message: 'main ended with exit code 1',
  attempts: [
    { ...attempt, number: 1, createdAt: start + 6000, startedAt: start + 7000, finishedAt: start + 9000, exitCode: 1 },
    {
      ...attempt,
      number: 2,
      createdAt: start + 19_000,
      startedAt: start + 20_000,
      finishedAt: start + 30_000,
      exitCode: 1,
    },
  ],
  finishedAt: start + 30_000,
};
const skipped: StepRecord = { phase: 'Skipped', reason: 'UpstreamFailed', message: 'step "load" failed', attempts: [] };

function record(steps: Record<string, StepRecord>, run: Partial<RunRecord['run']> = {}): RunRecord {
  return {
    run: { phase: 'Running', reason: 'Started', startedAt: start + 1000, ...run },
    steps: new Map(Object.entries(steps)),
  };
}

describe('describe', () => {
  it('shows why a run failed, and where the log of the failed step is', () => {
    const state = {
      job: job('etl-x', {
        conditions: [ended('Failed', 'StepFailed', 'step "load" failed')],
        status: { succeeded: 1, failed: 1 },
      }),
      graph,
      record: record({ extract: done, load: failedStep, notify: skipped }, { phase: 'Failed', reason: 'StepFailed' }),
      notes: [],
    };
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      type: 'Warning',
      reason: 'RunFailed',
      message: 'The run has failed',
      count: 2,
      lastTimestamp: at(31),
      involvedObject: { kind: 'Job', name: 'etl-x' },
    };
    const now = start + 60_000;
    const description = { run: runView(state, now), notes: ['a note'], pods: [], events: [event] };
    expect(describeText(description, { colors: plain.colors, phases, now, program: 'kubectl workflows' })).toBe(
      `Run:        etl-x
Namespace:  data
Plan:       etl
Workflow:   flow (version v1)
Phase:      Failed
Because:    StepFailed: step "load" failed
Steps:      1/3 done, 1 failed
Created:    2026-03-01T10:00:00Z (60s ago)
Started:    2026-03-01T10:00:01Z (59s ago)
Finished:   2026-03-01T10:00:31Z (29s ago)
Duration:   30s
Inputs:     site = "a"

  STEP      PHASE       ATTEMPTS       DURATION   MESSAGE
✓ extract   Succeeded   1              3.5s
✗ load      Failed      2 (ExitCode)   23s        ExitCode: main ended with exit code 1
- notify    Skipped     -              -          UpstreamFailed: step "load" failed

Step load failed: ExitCode: main ended with exit code 1
  attempt 1 (pod/etl-x-load-1, 2.0s): ExitCode: main ended with exit code 1
  attempt 2 (pod/etl-x-load-2, 10s): ExitCode: main ended with exit code 1
  its log: kubectl workflows logs etl-x load --all-attempts

LAST SEEN   TYPE      REASON      OBJECT      MESSAGE
29s         Warning   RunFailed   job/etl-x   The run has failed (2 times)

note: a note
`,
    );
  });

  it('shows every attempt, also of a step that went well in the end', () => {
    const [first, second] = failedStep.attempts;
    const last = { ...done.attempts[0]!, number: 3 };
    const steps = { extract: { ...done, attempts: [first!, { ...second!, reason: 'OOMKilled' as const }, last] } };
    const state = { job: job('etl-x', {}), graph, record: record(steps), notes: [] };
    const description = { run: runView(state, start), notes: [], pods: [], events: [] };
    const text = describeText(description, { colors: plain.colors, phases, now: start, program: 'kubectl workflows' });
    expect(text).toContain('✓ extract   Succeeded   3 (ExitCode, OOMKilled)');
    expect(text).toContain(`Step extract, Succeeded:
  attempt 1 (pod/etl-x-extract-1, 2.0s): ExitCode: main ended with exit code 1
  attempt 2 (pod/etl-x-extract-2, 10s): OOMKilled: main ended with exit code 1
  attempt 3 (pod/etl-x-extract-3, 3.5s): Succeeded
`);
  });

  it('takes the record’s word that a run was taken, before its Job says so', () => {
    const state = { job: job('r', { status: { startTime: undefined } }), graph, record: record({}), notes: [] };
    expect(runView(state, start).phase).toBe('Running');
  });

  it('shows a pod as kubectl does', () => {
    const pod = (status: RunPod['status'], metadata = {}): string =>
      podStatus({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', ...metadata },
        spec: { containers: [] },
        status,
      });
    expect(
      pod({
        phase: 'Pending',
        containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ImagePullBackOff' } } }],
      }),
    ).toBe('ImagePullBackOff');
    expect(pod({ phase: 'Failed', reason: 'Evicted' })).toBe('Evicted');
    expect(pod({ phase: 'Running' }, { deletionTimestamp: at(0) })).toBe('Terminating');
    expect(pod(undefined)).toBe('Pending');
  });
});

describe('the live picture', () => {
  const running: StepRecord = {
    phase: 'Running',
    reason: 'ContainerRunning',
    attempts: [
      { number: 1, phase: 'Running', reason: 'ContainerRunning', createdAt: start + 6000, startedAt: start + 7000 },
    ],
  };

  it('shows every step and what it waits for', () => {
    const state = {
      job: job('etl-x', { status: { succeeded: 1, active: 1 } }),
      graph,
      record: record({ extract: done, load: running }),
      notes: [],
    };
    expect(progressLines(runView(state, start + 11_000), plain, phases)).toEqual([
      'etl-x  Running  1/3  10s',
      '  STEP      PHASE       ATTEMPTS   DURATION   MESSAGE',
      '✓ extract   Succeeded   1          3.5s',
      '▶ load      Running     1          4.0s       attempt 1 runs for 4 s',
      '· notify    Pending     -          -          0 of 1 upstreams done; waiting for load',
    ]);
  });

  it('leaves out first what there is least to tell of, when the terminal is too low', () => {
    const many = workflow(
      'flow',
      Array.from({ length: 100 }, (_, index) => ({ name: `s${index}` })),
    );
    const steps = Object.fromEntries(many.graph.steps.map(({ name }, index) => [name, index === 90 ? running : done]));
    const state = { job: job('etl-x'), graph: many.graph, record: record(steps), notes: [] };
    const lines = progressLines(runView(state, start), new Output({ write: () => undefined, rows: 10 }, {}), phases);
    expect(lines.length).toBeLessThanOrEqual(9);
    expect(lines.some((line) => line.startsWith('▶ s90'))).toBe(true);
    expect(lines.at(-1)).toBe('  … 95 more steps');
  });
});

describe('durations in options', () => {
  it('are kubectl’s', () => {
    expect([parseSeconds('90s'), parseSeconds('1h30m'), parseSeconds('2d')]).toEqual([90, 5400, 172_800]);
    for (const wrong of ['', '5', '1.5h', 'm', '5 m']) expect(() => parseSeconds(wrong)).toThrow('must be a duration');
  });
});
