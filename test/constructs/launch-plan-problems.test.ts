import { Duration } from 'cdk8s';
import { kickoffTime, LaunchPlan, Run, Schedule, TaskJob } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { etl } from './etl.ts';
import { synthProblems } from './support.ts';

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
      'inputs that are more than a run can hold',
      (chart) => {
        const { workflow } = etl(chart);
        const inputs = { site: 'x'.repeat(257 * 1024), day: '2026-03-01' };
        new LaunchPlan(chart, 'a', { workflow, inputs });
        new Run(chart, 'b', { workflow, inputs, name: 'b' });
      },
      [
        '[a] CronJob a: inputs: and settings take 258 KiB; a run holds 256 KiB of them; store what is large elsewhere and give its URI',
        '[b] Job b: inputs: and settings take 258 KiB; a run holds 256 KiB of them; store what is large elsewhere and give its URI',
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
