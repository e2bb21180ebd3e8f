import { Duration } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-28';
import { ContainerTask, kickoffTime, LaunchPlan, Run, Schedule, TaskJob, TaskPod, Workflow, z } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it, vi } from 'vitest';
import { find, synth, synthProblems } from './support.ts';

const KEY = 'cdk8s-workflows.dev';

function etl(scope: Construct) {
  const task = new ContainerTask(scope, 'extract', {
    image: 'etl:1',
    inputs: { site: z.string(), limit: z.int().default(10) },
    outputs: { rows: z.int() },
    command: ['etl'],
    retries: { limit: 2 },
    attemptTimeout: Duration.minutes(1),
    timeout: Duration.minutes(5),
  });
  const workflow = new Workflow(
    scope,
    'etl',
    { inputs: { site: z.string(), day: z.string().default('today') } },
    ({ inputs, step }) => {
      step('extract', task, { site: inputs.site });
    },
  );
  return { task, workflow };
}

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

describe('one task needs no controller', () => {
  const environment = (site: string, limit: string) => [
    { name: 'INPUT_SITE', value: site },
    { name: 'INPUT_LIMIT', value: limit },
    {
      name: 'WORKFLOW_RUN',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } },
    },
    { name: 'WORKFLOW_STEP', value: 'extract' },
    { name: 'WORKFLOW_OUTPUTS', value: '/dev/termination-log' },
  ];
  const byName = (variables: { name: string }[]) => [...variables].sort((a, b) => a.name.localeCompare(b.name));

  it('as a Job with its retries and deadlines', () => {
    const { metadata, spec } = find(
      synth((chart) => void new TaskJob(chart, 'once', { task: etl(chart).task, inputs: { site: 'a', limit: 3 } })),
      'Job',
    );
    expect(metadata.name).toBe('once');
    expect(spec).toMatchObject({
      backoffLimit: 2,
      activeDeadlineSeconds: 300,
      template: { spec: { restartPolicy: 'Never', activeDeadlineSeconds: 60 } },
    });
    expect(spec).not.toHaveProperty('managedBy');
    expect(byName(spec.template.spec.containers[0].env)).toEqual(byName(environment('a', '3')));
  });

  it('as a Pod that learns its name', () => {
    const { spec } = find(
      synth(
        (chart) =>
          void new TaskPod(chart, 'once', {
            task: etl(chart).task,
            inputs: { site: '$(x)' },
            override: { image: 'etl:2' },
          }),
      ),
      'Pod',
    );
    expect(spec.containers[0]).toMatchObject({ image: 'etl:2', command: ['etl'] });
    expect(spec.containers[0].env).toContainEqual({ name: 'INPUT_SITE', value: '$$(x)' });
    expect(spec.containers[0].env).toContainEqual({
      name: 'WORKFLOW_RUN',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
    });
  });

  it('as a plain CronJob, with defaults filled in', () => {
    const { spec } = find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', {
            task: etl(chart).task,
            inputs: { site: 'a' },
            schedule: Schedule.cron('0 3 * * 0'),
            timeout: Duration.minutes(2),
          }),
      ),
      'CronJob',
    );
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 120 });
    expect(spec.jobTemplate.spec).not.toHaveProperty('managedBy');
    expect(spec.jobTemplate.metadata).not.toHaveProperty('annotations');
    expect(byName(spec.jobTemplate.spec.template.spec.containers[0].env)).toEqual(byName(environment('a', '10')));
  });
});

describe('a run as a manifest', () => {
  const run = (inputs: { site: string; day?: string }, name?: string) =>
    find(
      synth((chart) => void new Run(chart, 'now', { workflow: etl(chart).workflow, inputs, name })),
      'Job',
    );

  it('is a managed Job with its inputs', () => {
    const { metadata, spec } = run({ site: 'a' });
    expect(metadata.annotations).toMatchObject({ [`${KEY}/inputs`]: '{"site":"a"}' });
    expect(spec).toMatchObject({ managedBy: 'cdk8s-workflows.dev/controller', completions: 1 });
  });

  it('is named by what it runs, so that applying it again starts nothing', () => {
    expect(run({ site: 'a' }).metadata.name).toMatch(/^now-[0-9a-v]{10}$/);
    expect(run({ site: 'a' }).metadata.name).toBe(run({ site: 'a' }).metadata.name);
    expect(run({ site: 'b' }).metadata.name).not.toBe(run({ site: 'a' }).metadata.name);
    expect(run({ site: 'a' }, 'mine').metadata.name).toBe('mine');
  });
});

describe('synth refuses, all at once', () => {
  const js = (value: unknown) => value as never;
  const cases: [string, (chart: Construct) => void, string[]][] = [
    [
      'unknown, mistyped, doubly given and missing inputs of a plan',
      (chart) => {
        const { workflow, task } = etl(chart);
        new LaunchPlan(chart, 'a', {
          workflow,
          inputs: js({ dya: 'x', day: 3 }),
          fixedInputs: js({ sit: 'a', day: 'x' }),
          schedule: Schedule.cron('@daily'),
        });
        new LaunchPlan(chart, 'b', { task });
        new LaunchPlan(chart, 'c', { workflow });
      },
      [
        '[a] inputs.dya: "etl" has no such input; did you mean "day"?',
        '[a] inputs.day: must be string, but is 3',
        '[a] inputs.day: is both a default and a fixed input; keep one',
        '[a] fixedInputs.sit: "etl" has no such input; did you mean "site"?',
        '[a] inputs.site: is missing; give it in inputs or fixedInputs',
        '[b] inputs.site: is missing; give it in inputs or fixedInputs',
      ],
    ],
    [
      'schedules and zones that Kubernetes would refuse',
      (chart) => {
        const { workflow } = etl(chart);
        const plan = (id: string, cron: string, timeZone?: string) =>
          new LaunchPlan(chart, id, { workflow, inputs: { site: 'a' }, schedule: Schedule.cron(cron), timeZone });
        plan('a', '0 25 * * *');
        plan('b', '0 0 * * 7');
        plan('c', '0 0 0 * * *');
        plan('d', 'TZ=UTC 0 0 * * *');
        plan('e', '0 0 * * *', 'Europe/Berlim');
      },
      [
        '[a] schedule: "0 25 * * *" "25" is not 0 to 23 in the hour "25"',
        '[b] schedule: "0 0 * * 7" "7" is not sun to sat or 0 to 6 in the day of week "7"',
        '[c] schedule: "0 0 0 * * *" has 6 fields, not the five of minute, hour, day of month, month and day of week',
        '[d] schedule: "TZ=UTC 0 0 * * *" must not name a time zone; set timeZone',
        '[e] timeZone: "Europe/Berlim" is not in the IANA database of time zones; did you mean "Europe/Berlin"?',
      ],
    ],
    [
      'intervals, queues and dates that cannot be kept, and who keeps none',
      (chart) => {
        const { task, workflow } = etl(chart);
        const often = Schedule.every(Duration.seconds(10));
        const inputs = { site: 'a' };
        new LaunchPlan(chart, 'a', { workflow, inputs, schedule: Schedule.every(Duration.seconds(9)) });
        new LaunchPlan(chart, 'b', { workflow, inputs, schedule: Schedule.every(Duration.millis(10_500)) });
        new LaunchPlan(chart, 'c', { workflow, inputs, schedule: often, concurrencyPolicy: { queue: 0 } });
        new LaunchPlan(chart, 'd', {
          workflow,
          driver: true,
          inputs,
          schedule: often,
          concurrencyPolicy: { queue: 1 },
        });
        new LaunchPlan(chart, 'e', { task, inputs: { site: kickoffTime }, between: { to: '2026-01-01T00:00:00Z' } });
        new LaunchPlan(chart, 'f', {
          workflow,
          between: { from: '2026-01-01T00:00:00', to: 'soon' },
          catchUp: 'none',
          startingDeadline: Duration.minutes(1),
          pausedUntil: '1 March',
        });
        new LaunchPlan(chart, 'g', { workflow, between: { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' } });
      },
      [
        '[a] schedule: must be whole seconds, at least 10, not 9',
        '[b] schedule: must be whole seconds, at least 10, not 10.5',
        '[c] concurrencyPolicy.queue: must be a whole number of at least 1, not 0',
        '[d] schedule: needs a controller, which sequences neither a single task nor runs with a driver; leave it out',
        '[d] concurrencyPolicy.queue: needs a controller, which sequences neither a single task nor runs with a driver; leave it out',
        '[e] between: needs a controller, which sequences neither a single task nor runs with a driver; leave it out',
        '[e] inputs.site: cannot be the kickoff time of a single task, whose inputs are written into its pod at synth; launch a workflow with the task as its step',
        "[f] catchUp: 'none' and a startingDeadline say two things of how late a run may start; keep one",
        '[f] between.from: must be a time with its offset from UTC, not "2026-01-01T00:00:00"; write it as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00',
        '[f] between.to: must be a time with its offset from UTC, not "soon"; write it as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00',
        '[f] pausedUntil: must be a time with its offset from UTC, not "1 March"; write it as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00',
        '[g] between: ends at 2026-01-01T00:00:00Z, before it begins at 2026-01-02T00:00:00Z',
      ],
    ],
    [
      'several schedules that cannot be one, and missed times that nobody makes up for',
      (chart) => {
        const { task, workflow } = etl(chart);
        const inputs = { site: 'a' };
        const several = [Schedule.cron('0 6 * * *'), Schedule.cron('30 18 * * *')];
        new LaunchPlan(chart, 'a', {
          workflow,
          inputs,
          schedule: [Schedule.cron('0 6 * *'), Schedule.every(Duration.seconds(20)), Schedule.every(Duration.hours(5))],
        });
        new LaunchPlan(chart, 'b', { task, inputs, schedule: several });
        new LaunchPlan(chart, 'c', { task, inputs, schedule: several[0], catchUp: 'all' });
        new LaunchPlan(chart, 'd', {
          workflow,
          inputs,
          schedule: several,
          catchUp: 'all',
          concurrencyPolicy: 'Replace',
        });
      },
      [
        '[a] schedule[0]: "0 6 * *" has 4 fields, not the five of minute, hour, day of month, month and day of week',
        '[a] schedule[1]: is an interval that no clock shows, which cannot be one of several schedules; use Schedule.cron, or an interval that makes up an hour or a day',
        '[a] schedule[2]: is an interval that no clock shows, which cannot be one of several schedules; use Schedule.cron, or an interval that makes up an hour or a day',
        '[b] schedule: needs a controller, which sequences neither a single task nor runs with a driver; take schedules that one cron expression can say',
        '[c] catchUp: needs a controller, which sequences neither a single task nor runs with a driver; leave it out',
        "[d] catchUp: 'all' makes nothing up with the concurrencyPolicy 'Replace': each run would end the one before it; use 'latest'",
      ],
    ],
    [
      'names that are too long or taken, labels that are none, and a cluster without a fleet',
      (chart) => {
        const { workflow } = etl(chart);
        new LaunchPlan(chart, 'a', { workflow, name: 'x'.repeat(53), labels: { 'a b': 'c', ok: '-' } });
        new LaunchPlan(chart, 'b', { workflow, name: 'same', cluster: 'prod' });
        new LaunchPlan(chart, 'c', { workflow, name: 'same' });
      },
      [
        `[a] name: "${'x'.repeat(53)}" has 53 characters; at most 52 fit`,
        '[a] labels.a b: "c" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit',
        '[a] labels.ok: "-" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit',
        '[b] cluster: is set, but the app belongs to no fleet; synthesize it from a Fleet',
        '[c] name: launch plan "same" exists already at chart/b; rename one',
      ],
    ],
    [
      'inputs of a run and of a single task',
      (chart) => {
        const { workflow, task } = etl(chart);
        new Run(chart, 'r', { workflow, inputs: js({ site: 1, extra: 2 }), name: 'Run' });
        new TaskJob(chart, 'j', { task, inputs: js({ limit: 'x' }) });
      },
      [
        '[r] name: "Run" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        '[r] inputs.extra: is not known; known are site, day',
        '[r] inputs.site: must be string, but is 1',
        '[j] inputs.site: is missing; give a value of type string',
        '[j] inputs.limit: must be integer, but is "x"',
      ],
    ],
  ];

  it.each(cases)('%s', (_name, define, expected) => {
    expect(synthProblems(define)).toEqual(expected);
  });
});
