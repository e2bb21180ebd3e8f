import { Chart, Duration, Testing } from 'cdk8s';
import { ContainerTask, kickoffTime, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';
import { expect, it } from 'vitest';
import { planSettings } from '../../lib/cli/cluster/plans/plan-settings.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';

it('Every setting of a plan is shown, with who set it', () => {
  const chart = new Chart(Testing.app(), 'c');
  const task = new ContainerTask(chart, 'load', {
    image: 'etl:1',
    command: ['etl'],
    inputs: { site: z.string() },
    runAs: 'Job',
  });
  const inputs = { site: z.string(), rows: z.int().default(1), at: z.iso.datetime().optional() };
  const runDefaults = { parallelism: 2, env: { LEVEL: 'info', ZONE: 'eu' }, timeout: Duration.minutes(5) };
  const workflow = new Workflow(chart, 'etl', { inputs, runDefaults }, ({ inputs: given, step }) => {
    step('load', task, { site: given.site });
  });
  new LaunchPlanGroup(chart, 'sites', {
    workflow,
    over: { site: ['a'] },
    schedule: Schedule.cron('@daily'),
    timeZone: 'Europe/Berlin',
    catchUp: 'all',
    concurrencyPolicy: { queue: 3 },
    startingDeadline: Duration.seconds(90),
    between: { from: '2026-01-01T00:00:00Z' },
    pausedUntil: '2026-02-01T00:00:00Z',
    inputs: { at: kickoffTime },
    podTemplate: { spec: { hostname: 'h' } },
    job: { spec: { activeDeadlineSeconds: 60 } },
    overrides: {
      a: {
        inputs: { rows: 2 },
        env: { LEVEL: 'debug' },
        priority: 3,
        ttlAfterFinished: Duration.hours(36),
        failurePolicy: 'CancelRunning',
        retries: 4,
        spot: true,
        artifactRoot: 's3://acme/etl',
        cache: 'Off',
        successfulRunsHistoryLimit: 5,
        serviceAccount: 'etl',
        labels: { tier: 'low' },
        annotations: { owner: 'ann' },
        podTemplate: { spec: { subdomain: 's' } },
        suspended: true,
      },
    },
  });
  const plan = (Testing.synth(chart) as { kind: string }[]).find(({ kind }) => kind === 'CronJob');
  const shown = planSettings(plan as unknown as PlanCronJob);
  expect(shown.map(({ name, value, setBy }) => [name, value, setBy])).toEqual([
    ['schedule', '@daily', 'group'],
    ['timeZone', 'Europe/Berlin', 'group'],
    ['suspended', true, 'plan'],
    ['concurrencyPolicy', { queue: 3 }, 'group'],
    ['startingDeadline', '90s', 'group'],
    ['catchUp', 'all', 'group'],
    ['between', { from: '2026-01-01T00:00:00Z' }, 'group'],
    ['pausedUntil', '2026-02-01T00:00:00Z', 'group'],
    ['successfulRunsHistoryLimit', 5, 'plan'],
    ['failedRunsHistoryLimit', 3, 'default'],
    ['parallelism', 2, 'workflow'],
    ['priority', 3, 'plan'],
    ['timeout', '5m', 'workflow'],
    ['ttlAfterFinished', '36h', 'plan'],
    ['cache', 'Off', 'plan'],
    ['failurePolicy', 'CancelRunning', 'plan'],
    ['retries', { limit: 4 }, 'plan'],
    ['spot', true, 'plan'],
    ['artifactRoot', 's3://acme/etl', 'plan'],
    ['inputs.rows', 2, 'plan'],
    ['fixedInputs.site', 'a', 'group'],
    ['inputs.at', '<kickoff time>', 'group'],
    ['labels.tier', 'low', 'plan'],
    ['annotations.owner', 'ann', 'plan'],
    ['serviceAccount', 'etl', 'plan'],
    ['env.LEVEL', 'debug', 'plan'],
    ['env.ZONE', 'eu', 'workflow'],
    ['podTemplate', { spec: { hostname: 'h', subdomain: 's' } }, 'group+plan'],
    ['job', { spec: { activeDeadlineSeconds: 60 } }, 'group'],
  ]);
});
