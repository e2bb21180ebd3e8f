import { Duration, type Chart } from 'cdk8s';
import type { ConfigMap, ISecret, Secret, ServiceAccount } from 'cdk8s-plus-28';
import { ContainerTask, type StepOverride } from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

declare const chart: Chart;
declare const secret: Secret;
declare const imported: ISecret;
declare const configMap: ConfigMap;
declare const account: ServiceAccount;

const override = (given: StepOverride): StepOverride => given;

describe('settings', () => {
  test('are taken by tasks and by overrides', () => {
    const given = {
      gpu: { vendor: 'amd', model: 'MI300X', count: 2 },
      sharedMemory: '2Gi',
      spot: { selector: { pool: 'spot' }, toleration: { key: 'spot', operator: 'Exists' } },
      env: { A: 'a', B: { secret, key: 'b' }, C: { configMap, key: 'c' } },
      envFrom: [{ secret: imported, prefix: 'P_' }, { configMap: 'settings' }],
      volumes: { data: { mountPath: '/data', emptyDir: {} }, keys: { mountPath: '/keys', secret, readOnly: true } },
      sidecars: { proxy: { image: 'proxy', resources: { limits: { memory: '64Mi' } }, mounts: { '/data': 'data' } } },
      serviceAccount: account,
      imagePullSecrets: [secret, 'other'],
      terminationGracePeriod: Duration.minutes(1),
    } as const satisfies StepOverride;
    new ContainerTask(chart, 'task', { image: 'image', ...given });
    expectTypeOf<typeof given>().toExtend<StepOverride>();
  });

  test('are removed by null where something can be left out', () => {
    override({ gpu: null, sharedMemory: null, spot: null, tolerations: null, affinity: null, serviceAccount: null });
    override({ resources: { requests: null, limits: { memory: null } }, env: { A: null }, volumes: { data: null } });
    // @ts-expect-error -- a container has an image
    override({ image: null });
  });

  test('are refused where they make no sense', () => {
    // @ts-expect-error -- no such vendor
    override({ gpu: { vendor: 'nvidea' } });
    // @ts-expect-error -- a number
    override({ gpu: { count: 'two' } });
    // @ts-expect-error -- no such field
    override({ gpu: { models: 'a100' } });
    // @ts-expect-error -- a quantity has a unit
    override({ sharedMemory: 2 });
    // @ts-expect-error -- limit
    override({ resources: { limit: { memory: '8Gi' } } });
    // @ts-expect-error -- text, or where it comes from
    override({ env: { A: 1 } });
    // @ts-expect-error -- of which key
    override({ env: { A: { secret } } });
    // @ts-expect-error -- a ConfigMap is no Secret
    override({ env: { A: { secret: configMap, key: 'a' } } });
    // @ts-expect-error -- only whole Secrets
    override({ envFrom: [{ secret, key: 'a' }] });
    // @ts-expect-error -- one spelling
    override({ serviceAccountName: 'etl' });
    // @ts-expect-error -- a Secret is nobody
    override({ serviceAccount: secret });
    // @ts-expect-error -- no such source
    override({ volumes: { data: { mountPath: '/data', emptydir: {} } } });
    // @ts-expect-error -- volumes have names
    override({ volumes: [{ name: 'data', emptyDir: {} }] });
    // @ts-expect-error -- a list
    override({ tolerations: { key: 'gpu' } });
    // @ts-expect-error -- no such policy
    override({ imagePullPolicy: 'Sometimes' });
    // @ts-expect-error -- of the pod: podSecurityContext
    override({ securityContext: { fsGroup: 1 } });
    // @ts-expect-error -- of a container: securityContext
    override({ podSecurityContext: { privileged: true } });
    // @ts-expect-error -- a Duration, not a number of whatever
    override({ terminationGracePeriod: 30 });
    // @ts-expect-error -- sidecars are restarted as it is
    override({ sidecars: { proxy: { image: 'proxy', restartPolicy: 'Never' } } });
    // @ts-expect-error -- how a spot node is told
    override({ spot: 'yes' });
  });
});

describe('retries', () => {
  test('wait by a list or by a delay that grows', () => {
    override({ retries: 3 });
    override({
      retries: { limit: 3, delay: Duration.seconds(1), factor: 2, maxDelay: Duration.minutes(1), jitter: 0 },
    });
    override({ retries: { limit: 3, delays: [Duration.seconds(1), Duration.minutes(1)], jitter: 0.5 } });
    // @ts-expect-error -- one or the other
    override({ retries: { limit: 3, delays: [Duration.seconds(1)], factor: 2 } });
    // @ts-expect-error -- durations
    override({ retries: { limit: 3, delays: [1, 60] } });
    // @ts-expect-error -- how many
    override({ retries: { delay: Duration.seconds(1) } });
  });

  test('are for failures of the task, told apart by plain data', () => {
    override({ retries: { limit: 3, when: { exitCodes: [75], reasons: ['OOMKilled', 'ExitCode'], message: 'busy' } } });
    override({ retries: { limit: 3, unless: [{ exitCodes: [64] }, { reasons: ['OutputsInvalid'] }] } });
    // @ts-expect-error -- no such reason
    override({ retries: { limit: 3, when: { reasons: ['OOM'] } } });
    // @ts-expect-error -- the platform's failures are charged to systemRetries
    override({ retries: { limit: 3, when: { reasons: ['Evicted'] } } });
    // @ts-expect-error -- text, for a pattern could hold up the controller
    override({ retries: { limit: 3, when: { message: /busy/ } } });
    // @ts-expect-error -- numbers
    override({ retries: { limit: 3, when: { exitCodes: ['75'] } } });
  });

  test('ask for more after OOM by a function of the kills', () => {
    override({ retries: { limit: 3, resourcesAfterOOM: (kills) => ({ limits: { memory: `${kills}Gi` } }) } });
    // @ts-expect-error -- resources
    override({ retries: { limit: 3, resourcesAfterOOM: (kills) => ({ memory: `${kills}Gi` }) } });
    // @ts-expect-error -- a function
    override({ retries: { limit: 3, resourcesAfterOOM: { limits: { memory: '8Gi' } } } });
  });

  test('have timeouts beside them', () => {
    override({ systemRetries: 1, pendingTimeout: Duration.minutes(10), attemptTimeout: Duration.hours(1) });
    // @ts-expect-error -- a duration
    override({ pendingTimeout: 600 });
  });
});
