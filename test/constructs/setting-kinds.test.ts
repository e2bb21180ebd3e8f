import { Duration } from 'cdk8s';
import { ContainerTask, LaunchPlan, LaunchPlanGroup, Run, Schedule, Workflow, z, kickoffTime } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { find, synth, synthProblems } from './support.ts';

const js = (value: object) => value as never;

function etl(scope: Construct) {
  const task = new ContainerTask(scope, 'load', { image: 'etl:1', command: ['etl'], inputs: { site: z.string() } });
  const inputs = { site: z.string(), rows: z.number().optional(), day: z.iso.date().optional() };
  return new Workflow(scope, 'etl', { inputs }, ({ inputs: given, step }) => {
    step('load', task, { site: given.site });
  });
}

/** What is wrong with a plan that fires each night, once it has these settings. */
const problemsWith = (settings: object) =>
  synthProblems((chart) => {
    const schedule = Schedule.cron('@daily');
    new LaunchPlan(chart, 'a', js({ workflow: etl(chart), inputs: { site: 'a' }, schedule, ...settings }));
  }).map((problem) => problem.replace('[a] ', ''));

describe('a setting that is none of its kind is refused, as the app may have read it from a file:', () => {
  it.each<[object, string]>([
    [{ scheduel: 1 }, 'scheduel: there is no such setting; did you mean "schedule"?'],
    [{ parallelism: 0 }, 'parallelism: must be a whole number of at least 1, not 0'],
    [{ parallelism: NaN }, 'parallelism: must be a whole number of at least 1, not NaN'],
    [{ failedRunsHistoryLimit: -1 }, 'failedRunsHistoryLimit: must be a whole number of at least 0, not -1'],
    [{ timeout: 30 }, 'timeout: must be a Duration of cdk8s, of more than nothing, not 30'],
    [{ timeout: Duration.seconds(0) }, 'timeout: must be a Duration of cdk8s, of more than nothing, not 0ms'],
    [{ schedule: '@daily' }, 'schedule: must be a Schedule, or a list of them, not "@daily"'],
    [{ schedule: Schedule.every(js(5 as never)) }, 'schedule: must be a Duration of cdk8s, not 5'],
    [{ schedule: null }, 'schedule: must be a Schedule, or a list of them, not null'],
    [{ timeZone: 1 }, 'timeZone: must be text, not 1'],
    [{ catchUp: 'some' }, "catchUp: must be 'none' or 'latest' or 'all', not \"some\""],
    [
      { concurrencyPolicy: 'Never' },
      "concurrencyPolicy: must be 'Allow' or 'Forbid' or 'Replace', or { queue: <number> }, not \"Never\"",
    ],
    [{ cache: 'No' }, "cache: must be 'Off' or 'Overwrite', not \"No\""],
    [{ suspended: 'no' }, 'suspended: must be true or false, not "no"'],
    [{ labels: ['a'] }, 'labels: must be a map by name, not ["a"]'],
    [{ env: { PORT: 80 } }, 'env: must be a map of names to text, or to where it is from, not {"PORT":80}'],
    [
      { labels: { 'cdk8s-workflows.dev/plan': 'b' } },
      'labels.cdk8s-workflows.dev/plan: is set by cdk8s-workflows itself; take another name',
    ],
    [
      { annotations: { 'cdk8s-workflows.dev/cancel': 'Now' } },
      'annotations.cdk8s-workflows.dev/cancel: is set by cdk8s-workflows itself; take another name',
    ],
    [{ inputs: { site: 'a', rows: NaN } }, 'inputs.rows: must be a value that JSON knows, not NaN'],
    [{ inputs: { site: 5n } }, 'inputs.site: must be a value that JSON knows, not 5'],
    [{ inputs: { site: undefined } }, 'inputs.site: is missing; give it in inputs or fixedInputs'],
    [
      { inputs: { site: 'a', day: '2026-02-30' } },
      'inputs.day: must be text of the format "date", but is "2026-02-30"',
    ],
    [
      { inputs: { site: 'a', day: kickoffTime } },
      'inputs.day: cannot be the kickoff time, which is text such as "1970-01-01T00:00:00Z"; give the input another type, such as z.iso.datetime(), or another value',
    ],
    [
      { between: { from: '2026-02-30T00:00:00Z' } },
      'between.from: must be a time with its offset from UTC, not "2026-02-30T00:00:00Z"; write it as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00',
    ],
  ])('%o', (settings, problem) => {
    expect(problemsWith(settings)).toEqual([problem]);
  });

  it('of a run too, and of a group once', () => {
    const problems = synthProblems((chart) => {
      const workflow = etl(chart);
      new Run(chart, 'run', js({ workflow, inputs: { site: 'a' }, timeout: 5, prioritty: 1 }));
      const over = { site: ['a', 'b', 'c'] };
      new LaunchPlanGroup(chart, 'group', js({ workflow, over, spread: Duration.minutes(5), schedule: '@daily' }));
      const overrides = () => ({ labels: { tier: 'low' }, scheduel: Schedule.cron('@daily') });
      new LaunchPlanGroup(chart, 'other', { workflow, prefix: 'other', over, overrides });
    });
    expect(problems).toEqual([
      '[run] timeout: must be a Duration of cdk8s, of more than nothing, not 5',
      '[run] prioritty: there is no such setting; did you mean "priority"?',
      '[group] spread: says nothing without a schedule; give one, or leave it out',
      '[group] schedule: must be a Schedule, or a list of them, not "@daily"',
      '[other] scheduel: there is no such setting; did you mean "schedule"?',
    ]);
  });

  it('and so is a plan of nothing, or of two things', () => {
    const plan = (props: object) => () =>
      synthProblems((chart) => void new LaunchPlan(chart, 'a', js({ ...props, workflow: etl(chart) })));
    expect(plan({ task: {} })).toThrow('workflow: is given, and so is task; give one of them');
    expect(() => synthProblems((chart) => void new LaunchPlan(chart, 'a', js({})))).toThrow(
      'workflow: is missing, and so is task; give one of them',
    );
    expect(() => synthProblems((chart) => void new LaunchPlanGroup(chart, 'a', js({ over: { site: ['a'] } })))).toThrow(
      'workflow: is missing, and so is task; give one of them',
    );
  });
});

it('An input that is fixed at undefined is not fixed', () => {
  const plan = find(
    synth((chart) => void new LaunchPlan(chart, 'a', { workflow: etl(chart), fixedInputs: { day: undefined } })),
    'CronJob',
  );
  expect(plan.metadata.annotations).toMatchObject({ 'cdk8s-workflows.dev/fixed-inputs': '[]' });
});
