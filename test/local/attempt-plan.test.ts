import { expect, test } from 'vitest';
import { localLimits, planAttempt, type AttemptRequest } from '../../lib/local/attempt-plan.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { template } from './fixtures.ts';

function request(container: JsonObject, more: Partial<AttemptRequest> = {}): AttemptRequest {
  return {
    run: 'r1',
    step: 'extract',
    attempt: 2,
    template: template('true', container),
    inputs: { site: 'a$b', batch: 3 },
    outputsPath: '/runs/r1/extract-2.outputs',
    env: { PATH: '/bin', HOME: '/home/me', INPUT_OLD: 'x', WORKFLOW_RUN: 'outer' },
    configMaps: { settings: { region: 'eu', 'log.level': 'debug' } },
    ...more,
  };
}

function planned(container: JsonObject, more: Partial<AttemptRequest> = {}) {
  const plan = planAttempt(request(container, more));
  if ('problem' in plan) throw new Error(plan.problem);
  return plan;
}

test('an attempt has the environment of the user, over it the contract, over it the container', () => {
  const { env } = planned({
    env: [
      { name: 'HOME', value: '/app' },
      { name: 'TARGET', value: 's3://$(INPUT_SITE)/$(HOME)/$$x' },
    ],
  });
  expect(env).toEqual({
    PATH: '/bin',
    HOME: '/app',
    INPUT_SITE: 'a$b',
    INPUT_BATCH: '3',
    WORKFLOW_RUN: 'r1',
    WORKFLOW_STEP: 'extract',
    WORKFLOW_ATTEMPT: '2',
    WORKFLOW_OUTPUTS: '/runs/r1/extract-2.outputs',
    TARGET: 's3://a$b//app/$x',
  });
});

test('command and args are expanded as the kubelet does, with the variables of the container alone', () => {
  const { command, args } = planned({
    command: ['etl', '--site=$(INPUT_SITE)'],
    args: ['$(PATH)', '$$(INPUT_SITE)', '$(INPUT_BATCH)'],
  });
  expect(command).toBe('etl');
  expect(args).toEqual(['--site=a$b', '$(PATH)', '$(INPUT_SITE)', '3']);
});

test('variables from ConfigMaps of the app and from the pod have values on this machine', () => {
  const { env } = planned({
    envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'CFG_' }],
    env: [
      { name: 'REGION', valueFrom: { configMapKeyRef: { name: 'settings', key: 'region' } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'NONE', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
    ],
  });
  expect(env).toMatchObject({ REGION: 'eu', CFG_region: 'eu', 'CFG_log.level': 'debug', POD: 'r1-extract-2' });
  expect(env).not.toHaveProperty('NONE');
});

test('a variable of a secret is taken from the user', () => {
  const secret = { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'db', key: 'token' } } }] };
  expect(planned(secret, { env: { TOKEN: 'mine' } }).env.TOKEN).toBe('mine');
});

test('the grace time is that of the pod, 30 s without one', () => {
  expect(planned({}).graceMs).toBe(30_000);
  expect(planned({}, { template: template('true', {}, { terminationGracePeriodSeconds: 0 }) }).graceMs).toBe(0);
});

test.each<[string, Partial<AttemptRequest>, string]>([
  ['no template', { template: undefined }, 'its pod template has no container "main"'],
  [
    'no main container',
    { template: { spec: { containers: [{ name: 'other' }] } } as PodTemplate },
    'its pod template has no container "main"',
  ],
  [
    'no command',
    { template: template('', { command: [] }) },
    'the task has no command: it runs the entrypoint of busybox, which is not on this machine; give the task a command',
  ],
  [
    'one secret',
    { template: template('', { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'db', key: 'token' } } }] }) },
    'not on this machine: TOKEN (key "token" of Secret "db"); set the variable in your environment',
  ],
  [
    'several sources',
    {
      template: template('', {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'a' } } },
          { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.unknown' } } },
        ],
      }),
    },
    'not on this machine: A (key "a" of ConfigMap "none"), B (resourceFieldRef), C (the pod\'s spec.unknown); set these variables in your environment',
  ],
])('says why an attempt cannot run here: %s', (_, more, problem) => {
  expect(planAttempt(request({}, more))).toEqual({ problem });
});

test('says what of a pod has no meaning on this machine', () => {
  const pod = template(
    'true',
    { volumeMounts: [{ name: 'data', mountPath: '/data' }], envFrom: [{ secretRef: { name: 'db' } }] },
    { initContainers: [{ name: 'fetch' }] },
  );
  expect(localLimits(pod)).toEqual([
    'container fetch is not started',
    'nothing is mounted at /data',
    'variables of Secret db are taken from your environment',
  ]);
  expect(localLimits(template('true'))).toEqual([]);
});
