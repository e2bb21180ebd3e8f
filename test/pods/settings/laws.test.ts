import { Duration } from 'cdk8s';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validatePartialTemplate } from '../../../lib/manifests/validate.ts';
import type { JsonObject } from '../../../lib/values/json.ts';
import { functionFields } from '../../../lib/pods/serializable.ts';
import { settingsLayers, type PodSettings } from '../../../lib/pods/settings/pod-settings.ts';
import { madeBy } from './made-by.ts';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.constantFrom('/a', '/b', '/dev/shm');
const amount = fc.constantFrom<string | number>('1', '500m', '8Gi', 2, 0.5, 0);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 4 });
const byName = <T>(value: fc.Arbitrary<T>) => fc.dictionary(name, orNull(value), { maxKeys: 3, noNullPrototype: true });
const some = <T>(fields: { [Field in keyof T]: fc.Arbitrary<T[Field]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
const list = <T>(value: fc.Arbitrary<T>) => orNull(fc.array(value, { maxLength: 2 }));

const toleration = some({
  key: name,
  operator: fc.constant('Exists'),
  effect: fc.constantFrom('NoSchedule', 'NoExecute'),
});
const env = byName(
  fc.oneof(
    fc.constantFrom('', 'x', '$(A)'),
    fc.record({ secret: name, key: name }),
    fc.record({ configMap: name, key: name, optional: fc.boolean() }),
    fc.constant({ fieldRef: { fieldPath: 'metadata.name' } }),
  ),
);
const resources = orNull(some({ requests: orNull(byName(amount)), limits: orNull(byName(amount)) }));
const container = {
  image: name,
  imagePullPolicy: orNull(fc.constantFrom('Always' as const, 'Never' as const)),
  command: fc.array(name, { maxLength: 2 }),
  env,
  envFrom: list(fc.oneof(fc.record({ secret: name, prefix: name }), fc.record({ configMapRef: fc.record({ name }) }))),
  resources,
  securityContext: orNull(some({ privileged: fc.boolean(), runAsUser: orNull(fc.nat(3)) })),
};
const companion = some({
  ...container,
  mounts: fc.dictionary(path, orNull(fc.oneof(name, fc.record({ volume: name, readOnly: fc.boolean() }))), {
    noNullPrototype: true,
  }),
});
const volume = (at: string) =>
  some({
    mountPath: fc.constantFrom(`/${at}`, `/${at}/other`),
    readOnly: fc.boolean(),
    emptyDir: fc.constant({}),
    secret: fc.oneof(name, fc.record({ secretName: name })),
    configMap: name,
    persistentVolumeClaim: name,
  });
const gpu = some({
  vendor: fc.constantFrom('nvidia' as const, 'amd' as const, 'intel' as const),
  model: orNull(name),
  count: fc.nat(8),
  label: name,
  resource: fc.constantFrom('x.io/gpu', 'nvidia.com/gpu'),
  toleration: orNull(toleration),
});

/** Settings of every kind, with few names, so that they meet. */
const settings: fc.Arbitrary<PodSettings> = some({
  ...container,
  gpu: orNull(gpu),
  sharedMemory: orNull(fc.constantFrom('1Gi', '2Gi')),
  // Two volumes at one path would be a mistake.
  volumes: some({ a: orNull(volume('a')), b: orNull(volume('b')), c: orNull(volume('c')) }),
  sidecars: byName(companion),
  initContainers: fc.dictionary(fc.constantFrom('i', 'j'), orNull(companion), { noNullPrototype: true }),
  nodeSelector: orNull(byName(name)),
  tolerations: list(toleration),
  affinity: orNull(some({ nodeAffinity: orNull(fc.constant({})), podAffinity: orNull(fc.constant({})) })),
  topologySpread: orNull(
    fc.uniqueArray(fc.record({ topologyKey: name, maxSkew: fc.nat(2), whenUnsatisfiable: name }), {
      maxLength: 2,
      selector: ({ topologyKey }) => topologyKey,
    }),
  ),
  priorityClass: orNull(name),
  runtimeClass: orNull(name),
  spot: fc.oneof(
    orNull(fc.boolean()),
    some({ selector: fc.dictionary(name, name, { noNullPrototype: true }), toleration: fc.array(toleration) }),
  ),
  serviceAccount: orNull(name),
  imagePullSecrets: list(name),
  podSecurityContext: orNull(some({ fsGroup: orNull(fc.nat(3)) })),
  labels: byName(name),
  annotations: byName(name),
  terminationGracePeriod: orNull(fc.nat(100_000).map((millis) => Duration.millis(millis))),
  hostAliases: byName(fc.array(name, { maxLength: 2 })),
});
const several = fc.array(settings, { minLength: 1, maxLength: 4 });

/** What lists and maps leave behind that were emptied says nothing. */
const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([field, inner]) => [field, tidy(inner)] as const);
  return Object.fromEntries(
    fields.filter(([, inner]) => JSON.stringify(inner) !== '{}' && JSON.stringify(inner) !== '[]'),
  );
};

describe('settings of any kind over others', () => {
  it('make pods whose fields have the types that Kubernetes asks for', () => {
    fc.assert(
      fc.property(several, (layers) => {
        const made = JSON.parse(JSON.stringify(madeBy(...layers))) as JsonObject;
        expect(validatePartialTemplate(made)).toEqual([]);
        expect(JSON.stringify(made)).not.toContain('$patch');
      }),
      { numRuns: 500 },
    );
  });

  it('say no more when they are said twice', () => {
    fc.assert(
      fc.property(several, settings, (layers, last) => {
        expect(tidy(madeBy(...layers, last, last))).toEqual(tidy(madeBy(...layers, last)));
      }),
      { numRuns: 500 },
    );
  });

  it('are taken back without a trace', () => {
    const back = fc.record({ gpu, volumes: fc.record({ z: volume('z') }) });
    fc.assert(
      fc.property(back, ({ gpu, volumes }) => {
        const shared = { image: 'i', nodeSelector: { pool: 'p' }, tolerations: [{ key: 'team' }] };
        const all = { gpu, volumes, spot: true, sharedMemory: '1Gi', sidecars: { s: {} }, serviceAccount: 's' };
        const none = { gpu: null, volumes: { z: null }, spot: false, sharedMemory: null, sidecars: { s: null } };
        expect(tidy(madeBy(shared, all, { ...none, serviceAccount: null }))).toEqual(tidy(madeBy(shared)));
      }),
    );
  });

  it('are changed by nobody, and need a function of what is inherited for tolerations alone', () => {
    fc.assert(
      fc.property(settings, settings, (below, above) => {
        const before = JSON.stringify([below, above]);
        for (const fragment of settingsLayers(above, below))
          for (const field of functionFields(fragment)) expect(field).toBe('spec.tolerations');
        madeBy(below, above);
        expect(JSON.stringify([below, above])).toBe(before);
      }),
    );
  });
});
