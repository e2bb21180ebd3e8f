import { describe, expect, it } from 'vitest';
import { adoptionPatch } from '../../../lib/fleet/apply/adoption.ts';
import { isAsApplied } from '../../../lib/fleet/apply/drift.ts';
import type { FieldSet } from '../../../lib/fleet/apply/managed-fields.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';

const MANAGER = 'cdk8s-workflows';

const manifest: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          { name: 'main', image: 'a', ports: [{ containerPort: 80 }], resources: { requests: { cpu: '1000m' } } },
        ],
        tolerations: [{ key: 'gpu', operator: 'Exists' }],
      },
    },
  },
};

const owned: FieldSet = {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"main"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            'f:resources': { 'f:requests': { 'f:cpu': {} } },
          },
        },
        'f:tolerations': {},
      },
    },
  },
};

/** What the API server has after the manifest was applied: with defaults, and amounts as it writes them. */
function live(fields: FieldSet = owned, change: (object: ReturnType<typeof applied>) => void = () => {}): KubeObject {
  const object = applied(fields);
  change(object);
  return object as unknown as KubeObject;
}

function applied(fieldsV1: FieldSet) {
  const main = {
    name: 'main',
    image: 'a',
    imagePullPolicy: 'Always',
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    resources: { requests: { cpu: '1' } },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '7',
      labels: { app: 'web', other: 'x' } as Record<string, string>,
      annotations: {} as Record<string, string>,
      managedFields: [
        { manager: 'kube-controller-manager', operation: 'Update', apiVersion: 'apps/v1', subresource: 'status' },
        { manager: MANAGER, operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1 },
      ] as Record<string, unknown>[],
    },
    spec: {
      replicas: 2,
      template: {
        spec: {
          dnsPolicy: 'ClusterFirst',
          containers: [main] as Record<string, unknown>[],
          tolerations: [{ key: 'gpu', operator: 'Exists' }] as Record<string, unknown>[],
        },
      },
    },
  };
}

const isSame = (object: KubeObject, from: KubeObject = manifest) => isAsApplied(from, object, MANAGER);

/** The set without the field at a path. */
function without(fields: FieldSet, [first, ...rest]: readonly string[]): FieldSet {
  const { [first!]: inner, ...others } = fields;
  return rest.length === 0 ? others : { ...others, [first!]: without(inner!, rest) };
}

describe('an object is as it was applied', () => {
  it('when we own its fields and no more, whatever the server and others have added', () => {
    expect(isSame(live())).toBe(true);
    const sidecar = live(owned, ({ spec }) => spec.template.spec.containers.unshift({ name: 'proxy', image: 'p' }));
    expect(isSame(sidecar)).toBe(true);
  });

  it.each<[string, KubeObject]>([
    ['somebody owns a field now', live(without(owned, ['f:spec', 'f:replicas']))],
    ['we own a field that the manifest has no more', live({ ...owned, 'f:data': {} })],
    [
      'we own an item that the manifest has no more',
      live({ ...owned, 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:b': {} } } }),
    ],
    ['a value is another', live(owned, (object) => (object.spec.replicas = 3))],
    [
      'an amount is another',
      live(owned, ({ spec }) => (spec.template.spec.containers[0]!.resources = { requests: { cpu: '2' } })),
    ],
    ['a label is gone', live(owned, ({ metadata }) => delete metadata.labels.app)],
    ['an item is gone', live(owned, ({ spec }) => (spec.template.spec.containers = []))],
    [
      'a list that is one value is longer',
      live(owned, ({ spec }) => spec.template.spec.tolerations.push({ key: 'b' })),
    ],
    ['we never applied it', live(owned, ({ metadata }) => metadata.managedFields.pop())],
    ['we wrote it in another way', live(owned, ({ metadata }) => (metadata.managedFields[1]!.operation = 'Update'))],
    [
      'we applied another version',
      live(owned, ({ metadata }) => (metadata.managedFields[1]!.apiVersion = 'apps/v1beta1')),
    ],
  ])('but not when %s', (_, object) => {
    expect(isSame(object)).toBe(false);
  });

  it('but not when the manifest has a field, an item or a value more', () => {
    const add = (metadata: object, spec: object): KubeObject => ({
      ...manifest,
      metadata: { ...manifest.metadata, ...metadata },
      spec: { ...(manifest.spec as object), ...spec },
    });
    expect(isSame(live(), add({}, { paused: true }))).toBe(false);
    expect(isSame(live(), add({ labels: { app: 'web', other: 'x' } }, {}))).toBe(false);
    expect(isSame(live(), add({ annotations: { a: 'b' } }, {}))).toBe(false);
  });

  it('when there is nothing but a name, which nobody owns', () => {
    const bare: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'shop' } };
    const nobody = { ...bare, metadata: { ...bare.metadata, uid: 'u', labels: { theirs: 'x' } } };
    expect(isSame(nobody, bare)).toBe(true);
    expect(isSame(nobody, { ...bare, automountServiceAccountToken: false })).toBe(false);
    const labelled = { manager: MANAGER, operation: 'Apply', apiVersion: 'v1', fieldsV1: owned };
    expect(isSame({ ...nobody, metadata: { ...nobody.metadata, managedFields: [labelled] } }, bare)).toBe(false);
  });
});

describe('what kubectl applied client-side', () => {
  const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
  const theirs = { 'f:metadata': { 'f:annotations': { [`f:${LAST}`]: {} } }, 'f:spec': { 'f:paused': {} } };
  const object = (mine: boolean): KubeObject =>
    live(owned, ({ metadata }) => {
      if (mine) metadata.labels['app.kubernetes.io/managed-by'] = 'cdk8s-workflows';
      metadata.annotations[LAST] = '{}';
      const entry = { manager: 'kubectl-client-side-apply', operation: 'Update', apiVersion: 'apps/v1' };
      metadata.managedFields.push({ ...entry, time: 't', fieldsType: 'FieldsV1', fieldsV1: theirs });
    });

  it('becomes ours, with what we own already, and without its note of what it applied', () => {
    const [test, replace, remove] = adoptionPatch(object(true), false) as [object, { value: object[] }, object];
    expect(test).toEqual({ op: 'test', path: '/metadata/resourceVersion', value: '7' });
    expect(replace.value).toHaveLength(2);
    expect(replace.value[1]).toMatchObject({
      manager: MANAGER,
      operation: 'Apply',
      fieldsV1: { 'f:spec': { ...owned['f:spec'], 'f:paused': {} }, 'f:metadata': owned['f:metadata'] },
    });
    expect(remove).toEqual({ op: 'remove', path: `/metadata/annotations/${LAST.replace('/', '~1')}` });
  });

  it('is left alone when it does not say to be of this project, unless forced', () => {
    expect(adoptionPatch(object(false), false)).toBeUndefined();
    expect(adoptionPatch(object(false), true)).toBeDefined();
    expect(adoptionPatch(live(), true)).toBeUndefined();
  });
});
