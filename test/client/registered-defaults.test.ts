import { ConfigMap, Secret } from 'cdk8s-plus-28';
import { type Chart, Duration } from 'cdk8s';
import { LaunchPlan, NotificationTarget, Workflow, notice, z, type RunDefaults } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import type { PlanRegistration } from '../../lib/client/plan-registration.ts';
import { RegisteredPlan } from '../../lib/client/registered-plan.ts';
import type { WorkflowType } from '../../lib/client/types.ts';
import { annotations } from '../../lib/graph/labels.ts';
import type { LaunchedPlan } from '../../lib/plans/notification-receivers.ts';
import { readPlanDefaults } from '../../lib/plans/plan-defaults.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import { find, fleetOf, type Manifest } from '../constructs/support.ts';

const inputs = { site: z.string(), failures: z.int().default(0) };
const chat = NotificationTarget.slack({ url: { secret: 'alerts', key: 'slack' } });

const fleet: RunDefaults = {
  timeZone: 'Europe/Berlin',
  ttlAfterFinished: Duration.days(7),
  startingDeadline: Duration.minutes(5),
  failurePolicy: 'RunIndependent',
  labels: { company: 'acme', tier: 'low' },
  notifications: {
    chat: { on: ['failed', 'recovered', { late: Duration.minutes(10) }], to: chat, retryFor: Duration.hours(1) },
    others: { on: ['failed'], to: chat, plans: ['other-*'] },
    quiet: { on: ['succeeded'], to: chat },
  },
  runUrl: 'https://jobs.acme.dev/{namespace}/{run}',
};

/** What a fleet synthesizes of a workflow with one plan. */
function synthesized(plan: object, ofFleet: RunDefaults = fleet) {
  let workflow!: Workflow<typeof inputs, object>;
  const define = (chart: Chart) => {
    const secret = Secret.fromSecretName(chart, 'secret', 'keys');
    const settings = ConfigMap.fromConfigMapName(chart, 'settings', 'settings');
    const runDefaults: RunDefaults = {
      timeout: Duration.hours(2),
      retries: { limit: 2, delay: Duration.seconds(5), maxElapsed: Duration.hours(1) },
      serviceAccount: 'etl',
      spot: true,
      env: { LEVEL: 'info', TOKEN: { secret, key: 'token' }, MODE: { configMap: settings, key: 'mode' }, OLD: null },
      labels: { tier: 'mid' },
      notifications: { quiet: false },
    };
    workflow = new Workflow(chart, 'etl', { inputs, runDefaults }, ({ sleep }) => void sleep('w', Duration.minutes(1)));
    new LaunchPlan(chart, 'etl-paris', { workflow, ...plan });
  };
  const manifests = fleetOf(ofFleet, define);
  const note = find(manifests, 'ConfigMap', /^etl-/).metadata.annotations?.[annotations.planDefaults];
  const { version, graphName, graph } = workflow;
  const target = { workflow: 'etl', version, graphName, steps: 1, graph, defaults: readPlanDefaults(note) };
  return { cronJob: find(manifests, 'CronJob', /etl-paris/), target };
}

function registered(settings: object, target: ReturnType<typeof synthesized>['target']): RegisteredPlan {
  const given = { name: 'etl-paris', workflow: 'etl', ...settings } as PlanRegistration<WorkflowType>;
  return new RegisteredPlan(given, 'me', target.defaults);
}

const none: ReadonlyMap<string, LaunchedPlan> = new Map();

describe('a plan that a program registers', () => {
  const mail = { relay: { host: 'smtp.acme.dev' }, from: 'jobs@acme.dev', to: ['data@acme.dev'] };
  it.each<[string, object, object]>([
    ['nothing', {}, {}],
    [
      'something else',
      {
        timeout: Duration.hours(1),
        retries: 0,
        env: { LEVEL: 'debug', TOKEN: null },
        notifications: {
          chat: false,
          people: { on: [{ runningLong: Duration.hours(1) }], to: NotificationTarget.email(mail), text: '{run} {url}' },
        },
      },
      {
        timeoutSeconds: 3600,
        retries: 0,
        env: { LEVEL: 'debug', TOKEN: null },
        notifications: {
          chat: false,
          people: {
            on: [],
            longAfterSeconds: 3600,
            to: { ...mail, kind: 'email', relay: { ...mail.relay, port: 587, tls: 'starttls' } },
            text: '{run} {url}',
          },
        },
      },
    ],
  ])('that says %s is the one of a LaunchPlan, with what its fleet and workflow say', (_, settings, registration) => {
    const { cronJob, target } = synthesized(settings);
    const plan = registered(registration, target);
    const problems = [...plan.problems(), ...plan.problemsWith(target, none), ...plan.manifestProblems(target)];
    expect(problems).toEqual([]);
    const { metadata, ...rest } = JSON.parse(JSON.stringify(plan.manifest(target))) as Manifest;
    const { 'cdk8s-workflows.dev/registered-by': by, ...labels } = metadata.labels as Record<string, string>;
    expect(by).toBe('me');
    const { namespace: _n, ...named } = cronJob.metadata as Manifest['metadata'] & { namespace?: string };
    expect({ ...rest, metadata: { ...metadata, labels } }).toEqual({ ...cronJob, metadata: named });
  });

  it('whose fleet and workflow say nothing finds no note at the graph but the one of its workflow', () => {
    const { target } = synthesized({}, {});
    expect(target.defaults.levels.map(({ name }) => name)).toEqual(['workflow']);
    expect(readPlanDefaults(undefined)).toEqual({ levels: [] });
    expect(readPlanDefaults('{"fleet":3}')).toEqual({ levels: [] });
    expect(readPlanDefaults('{')).toEqual({ levels: [] });
  });

  it('is told everything that is wrong with its notifications, and with settings that there are not', () => {
    const { target } = synthesized({}, {});
    const launch = (fields: object) => ({ on: ['failed'], to: { kind: 'launch', ...fields } });
    const plan = registered(
      {
        timeout: 3600,
        parallelism: 0,
        failedRunsHistoryLimit: 0,
        runUrl: 'ftp://{rnu}',
        notifications: {
          'No Name': { on: [], to: { kind: 'slack', url: 'mailto:x' } },
          empty: 3,
          nothing: null,
          events: { on: ['failde', 'late', 'failed', 'failed'], lateAfterSeconds: 0, to: { kind: 'teams' } },
          filters: {
            on: ['succeeded'],
            reasons: ['Bad'],
            consecutiveFailures: 2,
            text: '{rnu}',
            to: { kind: 'slack' },
          },
          mail: {
            on: ['recovered'],
            to: { ...mail, kind: 'email', relay: { host: 'smtp acme', port: 0, tls: 'none' } },
          },
          parts: { on: ['failed'], to: { kind: 'email', to: 'me' } },
          gone: launch({ plan: 'gone', inputs: {} }),
          there: launch({ plan: 'there', inputs: { siet: { value: 1 }, failures: { field: notice.run.field } } }),
        },
      },
      target,
    );
    const there = { name: 'there', inputSchema: target.graph.inputs, fixedInputs: [], filledInputs: [] };
    const found = [...plan.problems(), ...plan.problemsWith(target, new Map([['there', there]]))];
    expect(plan.launches).toEqual(['gone', 'there']);
    expect(found.map(formatProblem)).toMatchInlineSnapshot(`
      [
        "timeout: there is no such setting; take it out",
        "notifications.No Name: the name "No Name" must be lower-case letters, digits and "-", and begin and end with a letter or digit",
        "notifications.No Name.on: is empty: nothing would ever be told; name an event",
        "notifications.No Name.to.url: "mailto:x" is no http: or https: URL",
        "notifications.empty: must be a notification, or false, not 3",
        "notifications.nothing: must be a notification, or false, not null",
        "notifications.events.on[0]: "failde" is no event; did you mean "failed"?",
        "notifications.events.on[1]: "late" needs a threshold; write lateAfterSeconds beside "on" instead",
        "notifications.events.on[3]: "failed" is there twice; keep one",
        "notifications.events.lateAfterSeconds: must be a whole number of at least 1, not 0",
        "notifications.events.to.kind: is "teams"; known are slack, cloudEvents, email, launch",
        "notifications.filters.reasons[0]: "Bad" is no reason; known are StepFailed, RunTimeout, InvalidRun, BackoffLimitExceeded, DeadlineExceeded, PodFailurePolicy, FailedIndexes, MaxFailedIndexesExceeded",
        "notifications.filters.reasons: says nothing without 'failed'; leave it out",
        "notifications.filters.consecutiveFailures: says nothing without 'failed' or 'recovered'",
        "notifications.filters.text: "{rnu}" is no field; did you mean "run"?",
        "notifications.filters.to.url: is missing",
        "notifications.mail.to.relay.host: "smtp acme" is no host; give its name or address alone",
        "notifications.mail.to.relay.port: must be a whole number from 1 to 65535, not 0",
        "notifications.parts.to.relay: is missing",
        "notifications.parts.to.from: is missing",
        "notifications.parts.to.to: cannot be "me"",
        "runUrl: "ftp://{rnu}" is no http: or https: URL",
        "runUrl: "{rnu}" is no field; did you mean "run"?",
        "parallelism: must be a whole number of at least 1, not 0",
        "notifications.gone.to.plan: there is no launch plan "gone"; register it first",
        "notifications.there.to.inputs.siet: launch plan "there" has no such input; did you mean "site"?",
        "notifications.there.to.inputs.failures: is the field run, and the input must be integer",
        "notifications.there.to.inputs.site: is missing; launch plan "there" needs it",
      ]
    `);
  });
});
