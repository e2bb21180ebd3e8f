import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { skippedByKubernetes } from '../../lib/cli/cluster/runs/kubernetes-skips.ts';
import { skippedRuns } from '../../lib/cli/cluster/runs/skipped-runs.ts';
import { kickoffText } from '../../lib/graph/kickoff.ts';
import { annotations, labels, SCHEDULED_AT } from '../../lib/graph/labels.ts';
import { KEPT_SKIPS } from '../../lib/graph/plan-record.ts';
import type { PlanCronJob, RunJob } from '../../lib/runs/run-objects.ts';
import { CronJobSimulation } from './cron-job-simulation.ts';

const at = (text: string) => Date.parse(`2026-01-01T${text}Z`);
const text = (time: number) => kickoffText(time).slice(11, 19);

function plan(spec: object = {}, notes: Record<string, string> = {}): PlanCronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: 'p',
      namespace: 'n',
      uid: 'plan',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { [labels.plan]: 'p' },
    },
    spec: {
      schedule: '*/10 * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: { metadata: { annotations: notes }, spec: {} },
      ...spec,
    },
  };
}

/** A run that the CronJob made for a time, just then or later; without an end it goes on. */
function run(scheduled: string, ended?: string, created = scheduled): RunJob {
  const end = ended && { type: 'Complete', status: 'True', lastTransitionTime: kickoffText(at(ended)) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `p-${at(scheduled) / 60_000}`,
      namespace: 'n',
      uid: scheduled,
      creationTimestamp: kickoffText(at(created)),
      annotations: { [SCHEDULED_AT]: kickoffText(at(scheduled)) },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'p', uid: 'plan', controller: true }],
    },
    spec: {},
    status: end ? { conditions: [end] } : {},
  };
}

const skipped = (of: PlanCronJob, jobs: readonly RunJob[], now = '03:00:00') =>
  skippedByKubernetes(of, jobs, at(now)).map(({ time }) => text(time));

describe('what Kubernetes skips since a run goes on', () => {
  it('are the times before the one that is made up for when it has ended', () =>
    expect(skipped(plan(), [run('00:10:00', '00:45:00'), run('00:40:00', '00:46:00', '00:45:00')])).toEqual([
      '00:20:00',
      '00:30:00',
    ]));

  it('says which run it was, under the name that the run would have had', () =>
    expect(skippedByKubernetes(plan(), [run('00:10:00', '00:30:00')], at('03:00:00'))).toEqual([
      {
        name: `p-${at('00:20:00') / 60_000}`,
        time: at('00:20:00'),
        reason: 'RunGoesOn',
        message: `p-${at('00:10:00') / 60_000} still goes on`,
      },
    ]));

  it.each([
    ['a time is not skipped that the end of the run may still give a run to', '00:39:59', ['00:20:00']],
    ['the next time settles it, when it has surely passed on every clock', '00:40:05', ['00:20:00', '00:30:00']],
    ['until then it may have a run', '00:40:04', ['00:20:00']],
  ])('while it goes on: %s', (_, now, times) => expect(skipped(plan(), [run('00:10:00')], now)).toEqual(times));

  it('are also those that could not start within the deadline', () => {
    const strict = plan({ startingDeadlineSeconds: 30 });
    expect(skipped(strict, [run('00:10:00', '00:20:30')])).toEqual([]);
    expect(skipped(strict, [run('00:10:00', '00:20:31')])).toEqual(['00:20:00']);
  });

  it.each<[string, PlanCronJob]>([
    ['another policy', plan({ concurrencyPolicy: 'Allow' })],
    ['a plan that is suspended', plan({ suspend: true })],
    ['an interval below a minute', plan({}, { [annotations.every]: '10' })],
    ['a schedule that cannot be read', plan({ schedule: 'TZ=Europe/Berlin 0 6 * * *' })],
    ['a zone that there is not', plan({ timeZone: 'Europe/Nowhere' })],
  ])('are none with %s', (_, of) => expect(skipped(of, [run('00:10:00', '00:45:00')])).toEqual([]));

  it('are none of before the plan was changed: it may have had another schedule, or been suspended', () => {
    const changed = plan();
    changed.metadata.managedFields = [
      { manager: 'somebody', time: '2026-01-01T00:25:00Z' },
      { manager: 'kube-controller-manager', subresource: 'status', time: '2026-01-01T00:45:00Z' },
    ];
    expect(skipped(changed, [run('00:10:00', '00:45:00')])).toEqual(['00:30:00']);
  });

  it('are none where Kubernetes reads the schedule in a zone of its own', () => {
    const daily = { schedule: '0,30 2 * * *' };
    const night = run('01:30:00', '03:30:00');
    expect(skipped(plan(daily), [night], '05:00:00')).toEqual([]);
    expect(skipped(plan({ ...daily, timeZone: 'Etc/GMT-1' }), [run('01:00:00', '03:30:00')], '05:00:00')).toEqual([]);
    expect(skipped(plan({ ...daily, timeZone: 'Etc/UTC' }), [night], '05:00:00')).toEqual(['02:00:00']);
  });

  it('are within the dates of the plan, the last of which is over with the next that is outside of them', () => {
    const dates = { [annotations.between]: '{"from":"2026-01-01T00:25:00Z","to":"2026-01-01T00:45:00Z"}' };
    const long = [run('00:10:00', '01:05:00')];
    expect(skipped(plan({}, dates), long)).toEqual(['00:30:00', '00:40:00']);
    // Of several schedules the controller makes up for the last one of them when the CronJob fires again.
    const cron = JSON.stringify({ cron: ['*/20 * * * *', '5 9 * * *'], timeZone: 'Etc/UTC' });
    const several = { ...dates, [annotations.schedules]: cron, [annotations.catchUp]: 'latest' };
    const of = plan({ schedule: '*/5 * * * *', timeZone: 'Etc/UTC' }, several);
    expect(skipped(of, [run('00:00:00', '01:05:00')])).toEqual([]);
    const { [annotations.between]: _, ...always } = several;
    expect(skipped({ ...of, spec: plan(of.spec, always).spec }, [run('00:00:00', '01:05:00')])).toEqual([]);
  });

  it('count from the run that went on, with @every', () =>
    expect(skipped(plan({ schedule: '@every 7m' }), [run('00:10:00', '00:33:00')])).toEqual(['00:17:00', '00:24:00']));

  it(`are the last ${KEPT_SKIPS}, however long it goes on`, () => {
    const minutely = plan({ schedule: '* * * * *' });
    const found = skipped(minutely, [run('00:10:00')], '23:00:30');
    expect([found.length, found[0], found.at(-1)]).toEqual([10, '22:50:00', '22:59:00']);
  });
});

describe('the rows of a plan', () => {
  const rows = (jobs: readonly RunJob[], record?: object) =>
    skippedRuns(
      {
        plans: [plan()],
        records: record
          ? [
              {
                ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { record: JSON.stringify(record) } },
                metadata: { name: 'p-plan', namespace: 'n', labels: { [labels.plan]: 'p' } },
              },
            ]
          : [],
      },
      jobs,
      at('03:00:00'),
    ).map(({ createdAt, reason }) => `${createdAt!.slice(11, 16)} ${reason}`);
  const long = run('00:10:00', '00:45:00');
  const byHand = (job: RunJob): RunJob => ({ ...job, metadata: { ...job.metadata, ownerReferences: [] } });

  it('are those of Kubernetes and those in its record, none twice', () => {
    const paused = { reason: 'PlanPaused', message: 'paused' };
    const record = {
      skipped: ['00:00', '00:20'].map((minute) => ({
        ...paused,
        name: `p-${at(`${minute}:00`) / 60_000}`,
        time: `2026-01-01T${minute}:00Z`,
      })),
    };
    expect(rows([long], record)).toEqual(['00:00 PlanPaused', '00:20 PlanPaused', '00:30 RunGoesOn']);
  });

  it('leave out what is there all the same', () =>
    expect(rows([long, byHand(run('00:20:00', '02:00:00', '01:30:00'))])).toEqual(['00:30 RunGoesOn']));

  it('know nothing of runs that the CronJob did not make', () => expect(rows([byHand(long)])).toEqual([]));
});

/** Plans whose runs take their time, on a control plane that is down now and then. */
const worlds = fc.record({
  schedule: fc.constantFrom('* * * * *', '*/2 * * * *', '0,1,5,30,31 * * * *', '@every 3m'),
  deadline: fc.option(fc.integer({ min: 10, max: 400 }), { nil: undefined }),
  durations: fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 8 }),
  history: fc.record({ succeeded: fc.integer({ min: 0, max: 3 }), failed: fc.integer({ min: 0, max: 2 }) }),
  downtimes: fc.array(fc.tuple(fc.integer({ min: 0, max: 3600 }), fc.integer({ min: 1, max: 600 })), { maxLength: 2 }),
  deletions: fc.array(fc.integer({ min: 0, max: 3600 }), { maxLength: 2 }),
});

describe('beside a CronJob controller', () => {
  it('no run is said to be skipped that was made, or is made later, and each that went on did so then', () =>
    fc.assert(
      fc.property(
        worlds,
        fc.array(fc.integer({ min: 1, max: 3600 }), { minLength: 1, maxLength: 5 }),
        (world, looks) => {
          const simulation = new CronJobSimulation(world, 3600);
          const said = simulation.run(looks, ({ plan, jobs, now }) => skippedByKubernetes(plan, jobs, now));
          for (const { time, message } of said.flat()) {
            expect(simulation.made.has(time)).toBe(false);
            const span = simulation.spans.get(message.split(' ')[0]!)!;
            expect(span.from < time && time < span.to).toBe(true);
          }
        },
      ),
    ));

  it('each time before the last run has a run or is said to be skipped, where nothing is down and nothing is deleted', () =>
    fc.assert(
      fc.property(worlds, ({ schedule, durations }) => {
        const history = { succeeded: 1000, failed: 1000 };
        const simulation = new CronJobSimulation({ schedule, durations, history, downtimes: [], deletions: [] }, 1800);
        const [said] = simulation.run([1800], ({ plan, jobs, now }) => skippedByKubernetes(plan, jobs, now));
        const last = Math.max(...simulation.made);
        const missing = simulation.times.filter((time) => time < last && !simulation.made.has(time));
        const before = said!.filter(({ time }) => time < last).map(({ time }) => time);
        expect(before).toEqual(before.length === 0 ? [] : missing.slice(-before.length));
        expect(said!.length).toBe(Math.min(KEPT_SKIPS, missing.length + said!.length - before.length));
      }),
    ));
});
