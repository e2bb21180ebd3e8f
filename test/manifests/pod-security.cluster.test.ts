import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podSecurity, type PodSecurityLevel } from '../../lib/manifests/pod-security.ts';
import type { PodTemplateSpec } from '../../lib/manifests/workload.ts';
import { Api, ApiError } from '../cluster/api.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { violations } from './support.ts';

const LEVELS: readonly PodSecurityLevel[] = ['baseline', 'restricted'];
let cluster: ControlPlane;
let api: Api;
beforeAll(async () => {
  cluster = await startControlPlane({ controllerManager: false, scheduler: false });
  api = await Api.connect(cluster.kubeconfigPath);
  for (const level of LEVELS)
    await api.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: level, labels: { 'pod-security.kubernetes.io/enforce': level } },
    });
});
afterAll(async () => {
  await api?.close();
  await cluster?.stop();
});

/** What a namespace that enforces a level says of a pod: taken, refused by the level, or no pod at all. */
async function verdict(level: PodSecurityLevel, pod: PodTemplateSpec): Promise<'taken' | 'refused' | 'invalid'> {
  try {
    await api.create(`/api/v1/namespaces/${level}/pods?dryRun=All`, { apiVersion: 'v1', kind: 'Pod', ...pod });
    return 'taken';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 403 && error.message.includes('violates PodSecurity')) return 'refused';
    if (error.status === 422) return 'invalid';
    throw error;
  }
}

const some = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 });
const record = (model: Record<string, fc.Arbitrary<unknown>>) => fc.record(model, { requiredKeys: [] });
const maybe = (arbitrary: fc.Arbitrary<unknown>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const profile = fc.constantFrom(
  { type: 'RuntimeDefault' },
  { type: 'Localhost', localhostProfile: 'x' },
  { type: 'Unconfined' },
);
const seLinuxOptions = record({
  type: some('', 'container_t', 'container_engine_t', 'spc_t'),
  user: some('', 'u'),
  role: some('', 'r'),
  level: some('s0'),
});
const shared = {
  runAsNonRoot: some(true, true, false),
  runAsUser: some(0, 1000),
  seccompProfile: fc.option(profile, { nil: undefined, freq: 4 }),
  appArmorProfile: maybe(profile),
  seLinuxOptions: maybe(seLinuxOptions),
};
const lists = (...values: string[]) => fc.subarray(values);
const handler = fc.constantFrom(
  { httpGet: { port: 80 } },
  { httpGet: { port: 80, host: '' } },
  { httpGet: { port: 80, host: 'x' } },
  { tcpSocket: { port: 80, host: 'x' } },
  { exec: { command: ['true'] } },
);
const container = record({
  image: fc.constant('etl:1'),
  ports: maybe(
    fc.constantFrom(
      [{ containerPort: 80 }],
      [{ containerPort: 80, hostPort: 0 }],
      [{ containerPort: 80, hostPort: 80 }],
    ),
  ),
  livenessProbe: maybe(handler),
  startupProbe: maybe(handler),
  lifecycle: maybe(record({ preStop: handler, postStart: handler })),
  securityContext: fc.option(
    record({
      ...shared,
      allowPrivilegeEscalation: some(false, false, false, true),
      privileged: some(false, true),
      procMount: some('Default', 'Unmasked'),
      capabilities: fc.option(
        record({
          drop: fc.constantFrom(['ALL'], ['ALL', 'KILL'], ['KILL'], []),
          add: lists('NET_BIND_SERVICE', 'CHOWN', 'NET_RAW'),
        }),
        { nil: undefined, freq: 5 },
      ),
    }),
    { nil: undefined, freq: 5 },
  ),
});
const volumes = lists('emptyDir', 'configMap', 'hostPath', 'nfs', 'none', 'csi', 'image', 'gitRepo', 'ephemeral').map(
  (kinds) => kinds.map((kind) => ({ name: kind.toLowerCase(), ...SOURCES[kind] })),
);
const SOURCES: Readonly<Record<string, object>> = {
  emptyDir: { emptyDir: {} },
  configMap: { configMap: { name: 'x' } },
  hostPath: { hostPath: { path: '/etc' } },
  nfs: { nfs: { server: 'x', path: '/' } },
  csi: { csi: { driver: 'x.y' } },
  image: { image: { reference: 'x:1' } },
  gitRepo: { gitRepo: { repository: 'x' } },
  ephemeral: {
    ephemeral: {
      volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    },
  },
};
const podContext = record({
  ...shared,
  sysctls: maybe(
    lists('kernel.shm_rmid_forced', 'net.ipv4.tcp_rmem', 'kernel.msgmax').map((names) =>
      names.map((name) => ({ name, value: '1' })),
    ),
  ),
});
const annotations = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  ...['unconfined', 'runtime/default', 'localhost/x'].map((value) => ({
    'container.apparmor.security.beta.kubernetes.io/main': value,
  })),
);

const linux = fc
  .record({
    main: container,
    init: maybe(container),
    securityContext: fc.option(podContext, { nil: undefined, freq: 5 }),
    volumes: fc.option(volumes, { nil: undefined, freq: 1 }),
    flags: record({ hostNetwork: fc.boolean(), hostPID: fc.boolean(), hostIPC: fc.boolean(), hostUsers: fc.boolean() }),
    useFlags: fc.integer({ min: 0, max: 3 }),
    annotations,
  })
  .map(({ main, init, securityContext, volumes, flags, useFlags, annotations }) => ({
    metadata: { name: 'x', annotations },
    spec: {
      containers: [{ image: 'etl:1', ...main, name: 'main' }],
      ...(init !== undefined && {
        initContainers: [
          {
            image: 'etl:1',
            ...init,
            name: 'init',
            lifecycle: undefined,
            livenessProbe: undefined,
            startupProbe: undefined,
          },
        ],
      }),
      securityContext,
      volumes,
      ...(useFlags === 0 && flags),
      // Without a controller manager there is no account to mount.
      automountServiceAccountToken: false,
    },
  }));

const windowsOptions = maybe(record({ hostProcess: fc.boolean(), runAsUserName: fc.constant('x') }));
const windows = fc
  .record({ own: windowsOptions, main: windowsOptions, runAsNonRoot: some(true, true, false), hostNetwork: some(true) })
  .map(({ own, main, runAsNonRoot, hostNetwork }) => ({
    metadata: { name: 'x' },
    spec: {
      os: { name: 'windows' },
      hostNetwork,
      securityContext: { windowsOptions: own, runAsNonRoot },
      containers: [{ name: 'main', image: 'etl:1', securityContext: { windowsOptions: main } }],
    },
  }));

/** A pod that passes `restricted`, with few things changed: most generated ones break several checks at once. */
const nearlyRestricted = fc.tuple(linux, fc.integer({ min: 0, max: 5 })).map(([pod, keep]) => {
  const [main] = pod.spec.containers;
  const own = (main as { securityContext?: object }).securityContext ?? {};
  const safe = {
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  };
  const changed = Object.fromEntries(Object.entries(own).filter((_, index) => index === keep));
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: [{ name: 'main', image: 'etl:1', securityContext: { ...safe, ...changed } }],
      ...(keep > 1 && { securityContext: undefined, initContainers: undefined }),
      ...(keep > 2 && { volumes: undefined }),
    },
  };
});

// `RUNS` of the environment: how many pods each level is asked about.
it.each(LEVELS)('says of generated pods what a namespace says that enforces %s', async (level) => {
  const seen = { taken: 0, refused: 0, invalid: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ arbitrary: linux, weight: 3 }, { arbitrary: nearlyRestricted, weight: 3 }, windows),
      async (pod) => {
        const template = JSON.parse(JSON.stringify(pod)) as PodTemplateSpec;
        const theirs = await verdict(level, template);
        seen[theirs]++;
        if (theirs === 'invalid') return;
        const ours = violations(podSecurity(level), template);
        expect({ template, refused: ours.length > 0, ours }).toMatchObject({ refused: theirs === 'refused' });
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 600) },
  );
  expect(seen.taken).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(100);
});
