import { Chart, Duration, Testing } from 'cdk8s';
import { LaunchPlan, Schedule, Workflow, kickoffTime, z, type LaunchPlanSettings } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import type { PlanRegistration } from '../../lib/client/plan-registration.ts';
import { RegisteredPlan } from '../../lib/client/registered-plan.ts';
import type { WorkflowType } from '../../lib/client/types.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const inputs = { site: z.string(), limit: z.int().default(3), at: z.string().optional() };
type Registration = Partial<PlanRegistration<{ inputs: typeof inputs }>>;

function synthesized(settings: LaunchPlanSettings<typeof inputs>) {
  const chart = new Chart(Testing.app(), 'chart');
  const workflow = new Workflow(chart, 'etl', { inputs }, ({ sleep }) => void sleep('wait', Duration.minutes(1)));
  new LaunchPlan(chart, 'etl-paris', { workflow, ...settings });
  const objects = Testing.synth(chart) as { kind: string; metadata: { name: string } }[];
  const target = {
    workflow: 'etl',
    version: workflow.version,
    graphName: workflow.graphName,
    steps: 1,
    graph: workflow.graph,
    defaults: { levels: [] },
  };
  return { cronJob: objects.find(({ kind }) => kind === 'CronJob'), target };
}

function registered(settings: Registration): RegisteredPlan {
  return new RegisteredPlan(
    { name: 'etl-paris', workflow: 'etl', ...settings } as PlanRegistration<WorkflowType>,
    'me',
  );
}

describe('the CronJob of a plan that a program registers', () => {
  it.each<[string, LaunchPlanSettings<typeof inputs>, Registration]>([
    ['without settings', {}, {}],
    [
      'with a schedule and inputs',
      {
        schedule: Schedule.cron('0 */6 * * *'),
        timeZone: 'Europe/Paris',
        startingDeadline: Duration.minutes(5),
        fixedInputs: { site: 'paris' },
        inputs: { limit: 4, at: kickoffTime },
        between: { from: '2026-01-01T00:00:00Z' },
      },
      {
        schedule: '0 */6 * * *',
        timeZone: 'Europe/Paris',
        startingDeadlineSeconds: 300,
        fixedInputs: { site: 'paris' },
        inputs: { limit: 4, at: kickoffTime },
        between: { from: '2026-01-01T00:00:00Z' },
      },
    ],
    [
      'below a minute, in a queue, switched off',
      {
        schedule: Schedule.every(Duration.seconds(30)),
        concurrencyPolicy: { queue: 2 },
        suspended: true,
        fixedInputs: { site: 'a' },
      },
      { schedule: '@every 30s', concurrencyPolicy: { queue: 2 }, suspended: true, fixedInputs: { site: 'a' } },
    ],
    [
      'with all that runs may have',
      {
        timeout: Duration.hours(1),
        ttlAfterFinished: Duration.days(1),
        parallelism: 4,
        priority: 2,
        serviceAccount: 'etl',
        env: { LEVEL: 'info', OLD: null },
        podTemplate: { spec: { nodeSelector: { zone: 'eu' } } },
        cache: 'Off',
        failurePolicy: 'RunIndependent',
        retries: 2,
        spot: false,
        artifactRoot: 's3://acme/etl',
        labels: { team: 'data' },
        annotations: { note: 'by hand' },
        successfulRunsHistoryLimit: 1,
        failedRunsHistoryLimit: 0,
      },
      {
        timeoutSeconds: 3600,
        ttlSecondsAfterFinished: 86_400,
        parallelism: 4,
        priority: 2,
        serviceAccount: 'etl',
        env: { LEVEL: 'info', OLD: null },
        podTemplate: { spec: { nodeSelector: { zone: 'eu' } } },
        cache: 'Off',
        failurePolicy: 'RunIndependent',
        retries: 2,
        spot: false,
        artifactRoot: 's3://acme/etl',
        labels: { team: 'data' },
        annotations: { note: 'by hand' },
        successfulRunsHistoryLimit: 1,
        failedRunsHistoryLimit: 0,
      },
    ],
    ['with a driver', { driver: { serviceAccount: 'driver' } }, { driver: { serviceAccount: 'driver' } }],
  ])('is the one of a LaunchPlan: %s', (_, settings, registration) => {
    const { cronJob, target } = synthesized(settings);
    const plan = registered(registration);
    expect([...plan.problems(), ...plan.manifestProblems(target)]).toEqual([]);
    const { metadata, ...rest } = JSON.parse(JSON.stringify(plan.manifest(target))) as typeof cronJob & object;
    const { 'cdk8s-workflows.dev/registered-by': by, ...labels } = (metadata as unknown as { labels: object })
      .labels as Record<string, string>;
    expect(by).toBe('me');
    expect({ ...rest, metadata: { ...metadata, labels } }).toEqual(cronJob);
  });

  it('is told everything that is wrong with it', () => {
    const { target } = synthesized({});
    const plan = registered({
      name: 'No Name',
      group: '-',
      schedule: '61 * * * *',
      timeZone: 'Nowhere',
      priority: 0.5,
      labels: { 'a/b/c': 'x' },
      podTemplate: { spec: { nodeSelektor: {} } as object },
      inputs: { limit: 'x' as never },
      fixedInputs: { siet: 'paris' } as object,
    });
    expect([...plan.problems(), ...plan.problemsWith(target, new Map())].map(formatProblem)).toMatchInlineSnapshot(`
      [
        "name: "No Name" must be lower-case letters, digits and "-", and begin and end with a letter or digit",
        "group: "-" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit",
        "schedule: "61 * * * *" "61" is not 0 to 59 in the minute "61"",
        "timeZone: "Nowhere" is not in the IANA database of time zones",
        "labels.a/b/c: "x" has more than one "/"",
        "podTemplate.spec.nodeSelektor: is no field of PodSpec; did you mean "nodeSelector"?",
        "priority: must be a whole number, not 0.5",
        "inputs.limit: must be integer, but is "x"",
        "fixedInputs.siet: "etl" has no such input; did you mean "site"?",
        "inputs.site: is missing; give it in inputs or fixedInputs",
      ]
    `);
    const untyped = registered({
      labels: { team: 3 },
      annotations: [],
      env: { 'A=B': 'x', N: 3 },
      serviceAccount: 'No Account',
      driver: 'x',
      suspended: 'yes',
      schedule: 5,
      fixedInputs: null,
      failedRunsHistoryLimit: -1,
      timeout: 60,
    } as object);
    expect([...untyped.problems()].map(formatProblem)).toEqual([
      'annotations: must be a map by name, not []',
      'driver: must be true or false, or what is said of it, not "x"',
      'suspended: must be true or false, not "yes"',
      'schedule: must be text, or a list of texts, not 5',
      'fixedInputs: must be a map by name, not null',
      'failedRunsHistoryLimit: must be a whole number of at least 0, not -1',
      expect.stringMatching(/^timeout: there is no such setting/),
      'env.A=B: is no name of a variable',
      'env.N: must be text, or where it is from, not 3',
      expect.stringMatching(/^serviceAccount: "No Account" must be lower-case letters/),
      'labels.team: 3 must be text',
    ]);
    const large = registered({ fixedInputs: { site: 'x'.repeat(300_000) } });
    expect(large.manifestProblems(target).map(formatProblem)).toEqual([
      'inputs: and settings take 294 KiB; a run holds 256 KiB of them; store what is large elsewhere and give its URI',
    ]);
    const lacking = registered({ schedule: '@daily' });
    expect([...lacking.problemsWith(target, new Map())].map(formatProblem)).toEqual([
      'inputs.site: is missing; give it in inputs or fixedInputs',
    ]);
  });
});
