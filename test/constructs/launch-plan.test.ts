import { Duration } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-28';
import { kickoffTime, LaunchPlan, Schedule } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it, vi } from 'vitest';
import { etl } from './etl.ts';
import { find, synth, synthProblems } from './support.ts';

const KEY = 'cdk8s-workflows.dev';

describe('a launch plan of a workflow', () => {
  it('is a CronJob whose Jobs are left to the controller and name the graph and the inputs', () => {
    const manifests = synth((chart) => {
      new LaunchPlan(chart, 'etl-a', {
        workflow: etl(chart).workflow,
        inputs: { day: 'monday' },
        fixedInputs: { site: 'a' },
        schedule: Schedule.cron('0 */6 * * *'),
        timeZone: 'Europe/Berlin',
        concurrencyPolicy: 'Replace',
        labels: { team: 'data' },
        annotations: { 'acme.example/alert': 'data' },
        serviceAccount: new ServiceAccount(chart, 'account', { metadata: { name: 'etl' } }),
        podTemplate: { spec: { priorityClassName: 'low' } },
        parallelism: 4,
        timeout: Duration.hours(1),
        ttlAfterFinished: Duration.days(1),
        startingDeadline: Duration.minutes(10),
        successfulRunsHistoryLimit: 0,
      });
    });
    const { metadata, spec } = find(manifests, 'CronJob');
    const graph = find(manifests, 'ConfigMap').metadata;
    const labels = {
      'app.kubernetes.io/managed-by': 'cdk8s-workflows',
      [`${KEY}/plan`]: 'etl-a',
      [`${KEY}/version`]: graph.labels[`${KEY}/version`],
      [`${KEY}/workflow`]: 'etl',
      team: 'data',
    };
    expect(metadata).toMatchObject({
      name: 'etl-a',
      labels,
      annotations: { [`${KEY}/fixed-inputs`]: '["site"]', 'acme.example/alert': 'data' },
    });
    const { jobTemplate, ...schedule } = spec;
    expect(schedule).toEqual({
      schedule: '0 */6 * * *',
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Replace',
      suspend: false,
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 0,
      failedJobsHistoryLimit: 3,
    });
    expect(jobTemplate.metadata).toEqual({
      labels,
      annotations: {
        'acme.example/alert': 'data',
        [`${KEY}/graph`]: graph.name,
        [`${KEY}/inputs`]: '{"day":"monday","site":"a"}',
        [`${KEY}/pod-override`]:
          '{"metadata":{"annotations":{"acme.example/alert":"data"},"labels":{"team":"data"}},"spec":{"priorityClassName":"low","serviceAccountName":"etl"}}',
      },
    });
    expect(jobTemplate.spec).toMatchObject({
      managedBy: 'cdk8s-workflows.dev/controller',
      completions: 1,
      parallelism: 4,
      backoffLimit: 0,
      activeDeadlineSeconds: 3600,
      ttlSecondsAfterFinished: 86400,
    });
  });

  it('is suspended when it has no schedule, and when it is switched off', () => {
    const suspended = (props: object) =>
      find(
        synth((chart) => void new LaunchPlan(chart, 'p', { workflow: etl(chart).workflow, ...props })),
        'CronJob',
      ).spec;
    expect(suspended({})).toMatchObject({ suspend: true, schedule: '0 0 31 2 *' });
    const schedule = Schedule.cron('@hourly');
    expect(suspended({ schedule, inputs: { site: 'a' } })).toMatchObject({ suspend: false, schedule: '@hourly' });
    expect(suspended({ schedule, inputs: { site: 'a' }, suspended: true })).toMatchObject({ suspend: true });
  });

  it('warns of a starting deadline that Kubernetes may miss', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      synth((chart) => {
        const settings = { workflow: etl(chart).workflow, inputs: { site: 'a' }, schedule: Schedule.cron('@daily') };
        new LaunchPlan(chart, 'p', { ...settings, startingDeadline: Duration.seconds(9) });
        new LaunchPlan(chart, 'q', { ...settings, startingDeadline: Duration.seconds(10) });
      });
      expect(warn.mock.calls).toEqual([
        [
          'warning: [test/p] startingDeadline: 9s is shorter than the 10s after which Kubernetes looks at CronJobs again: runs may be missed; give at least 10s',
        ],
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  it('warns once of a schedule that never fires, and takes it as Kubernetes does', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      const define = (chart: Construct) =>
        void new LaunchPlan(chart, 'p', {
          workflow: etl(chart).workflow,
          inputs: { site: 'a' },
          schedule: Schedule.cron('0 0 31 4,6 *'),
        });
      expect([synthProblems(define), synthProblems(define)]).toEqual([[], []]);
      expect(warn.mock.calls).toEqual([
        [
          'warning: [chart/p] schedule: "0 0 31 4,6 *" names no day that there is: it never fires; leave schedule out if that is meant',
        ],
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  it.each([
    [Duration.seconds(60), '* * * * *', undefined],
    [Duration.minutes(15), '*/15 * * * *', undefined],
    [Duration.minutes(60), '0 * * * *', undefined],
    [Duration.hours(6), '0 */6 * * *', undefined],
    [Duration.days(1), '0 0 * * *', undefined],
    [Duration.minutes(90), '@every 5400s', undefined],
    [Duration.seconds(90), '@every 90s', undefined],
    [Duration.hours(5), '@every 18000s', undefined],
    [Duration.seconds(10), '* * * * *', '10'],
    [Duration.seconds(25), '* * * * *', '25'],
  ])('every %s is %s', (interval, schedule, every) => {
    const { spec } = find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', {
            workflow: etl(chart).workflow,
            inputs: { site: 'a' },
            schedule: Schedule.every(interval),
          }),
      ),
      'CronJob',
    );
    const notes = spec.jobTemplate.metadata.annotations as Record<string, string>;
    expect([spec.schedule, notes[`${KEY}/every`]]).toEqual([schedule, every]);
    // Kubernetes forbids only what it makes itself, once a minute.
    const [policy, note] = every === undefined ? ['Forbid', undefined] : ['Allow', '{"policy":"Forbid"}'];
    expect([spec.concurrencyPolicy, notes[`${KEY}/concurrency`]]).toEqual([policy, note]);
    expect(spec.startingDeadlineSeconds).toBe(every === undefined ? undefined : 60);
  });

  const planned = (settings: object) =>
    find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', { workflow: etl(chart).workflow, inputs: { site: 'a' }, ...settings }),
      ),
      'CronJob',
    );
  const [morning, friday] = [Schedule.cron('0 6 * * *'), Schedule.cron('30 18 * * fri')];

  it('fires by several schedules: in one expression, or with those that its runs are held against', () => {
    const one = planned({ schedule: [morning, Schedule.cron('0 18 * * *')] }).spec;
    expect(one).toMatchObject({ schedule: '0 6,18 * * *', concurrencyPolicy: 'Forbid', suspend: false });
    expect(one.timeZone).toBeUndefined();
    expect(Object.keys(one.jobTemplate.metadata.annotations as object)).not.toContain(`${KEY}/schedules`);
    const several = planned({ schedule: [morning, friday] }).spec;
    expect(several).toMatchObject({ schedule: '0,30 6,18 * * *', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    expect(several.jobTemplate.metadata.annotations).toMatchObject({
      [`${KEY}/schedules`]: '{"cron":["0 6 * * *","30 18 * * fri"],"timeZone":"Etc/UTC"}',
      [`${KEY}/catch-up`]: 'latest',
    });
    expect(planned({ schedule: [] }).spec).toMatchObject({ schedule: '0 0 31 2 *', suspend: true });
  });

  it.each([
    [{ schedule: [morning, friday], concurrencyPolicy: 'Replace' }, 'Allow', '{"policy":"Replace"}', 'latest'],
    [{ schedule: [morning, friday], catchUp: 'none' }, 'Forbid', undefined, undefined],
    [{ schedule: morning, catchUp: 'all' }, 'Allow', '{"policy":"Queue","max":100}', 'all'],
    [
      { schedule: morning, catchUp: 'all', concurrencyPolicy: { queue: 3 } },
      'Allow',
      '{"policy":"Queue","max":3}',
      'all',
    ],
    [{ schedule: morning, catchUp: 'all', concurrencyPolicy: 'Allow' }, 'Allow', '{"policy":"Allow"}', 'all'],
    [{ schedule: morning, catchUp: 'latest' }, 'Forbid', undefined, undefined],
  ])('leaves to the controller what Kubernetes cannot do: %j', (settings, policy, concurrency, catchUp) => {
    const { spec } = planned(settings);
    const notes = spec.jobTemplate.metadata.annotations as Record<string, string>;
    expect(spec.concurrencyPolicy).toBe(policy);
    expect([notes[`${KEY}/concurrency`], notes[`${KEY}/catch-up`]]).toEqual([concurrency, catchUp]);
  });

  it('tells the controller of its queue, its dates and the inputs that are the time of a run', () => {
    const { spec, metadata } = find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', {
            workflow: etl(chart).workflow,
            inputs: { day: kickoffTime },
            fixedInputs: { site: kickoffTime },
            schedule: Schedule.cron('@daily'),
            concurrencyPolicy: { queue: 3 },
            between: { from: '2026-01-01T00:00:00Z' },
            pausedUntil: '2026-02-01T00:00:00+01:00',
            catchUp: 'none',
          }),
      ),
      'CronJob',
    );
    expect(spec).toMatchObject({ concurrencyPolicy: 'Allow', startingDeadlineSeconds: 30 });
    expect(metadata.annotations).toMatchObject({ [`${KEY}/fixed-inputs`]: '["site"]' });
    expect(spec.jobTemplate.metadata.annotations).toMatchObject({
      [`${KEY}/inputs`]: '{}',
      [`${KEY}/kickoff-inputs`]: '["day","site"]',
      [`${KEY}/concurrency`]: '{"policy":"Queue","max":3}',
      [`${KEY}/between`]: '{"from":"2026-01-01T00:00:00Z"}',
      [`${KEY}/paused-until`]: '2026-02-01T00:00:00+01:00',
    });
  });

  it('with a driver leaves the Job to Kubernetes: one pod, and the parallelism of the run in an annotation', () => {
    const { spec, metadata } = find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', {
            workflow: etl(chart).workflow,
            driver: { image: 'driver:2', serviceAccount: 'etl-driver' },
            parallelism: 3,
          }),
      ),
      'CronJob',
    ).spec.jobTemplate;
    expect(spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { values: [1] } }, { action: 'Ignore' }] },
      template: { spec: { serviceAccountName: 'etl-driver', containers: [{ image: 'driver:2', args: ['driver'] }] } },
    });
    expect(spec).not.toHaveProperty('managedBy');
    expect(metadata.annotations[`${KEY}/parallelism`]).toBe('3');
  });
});
