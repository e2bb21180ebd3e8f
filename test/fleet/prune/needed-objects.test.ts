import { describe, expect, it } from 'vitest';
import { encodeGraph, type GraphData } from '../../../lib/graph/config-map.ts';
import type { Graph, StepNode } from '../../../lib/graph/graph.ts';
import { namedIn } from '../../../lib/fleet/prune/named-objects.ts';
import { neededObjects, type Holder } from '../../../lib/fleet/prune/needed-objects.ts';
import { NeedsFinder, type JobLike, type RunSources } from '../../../lib/fleet/prune/run-needs.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import type { JsonObject } from '../../../lib/values/json.ts';

describe('what a pod names', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['a service account', { spec: { serviceAccountName: 'a' } }, ['ServiceAccount a']],
    [
      'Secrets to pull images with',
      { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } },
      ['Secret a', 'Secret b'],
    ],
    [
      'volumes',
      {
        volumes: [
          { name: 'x', configMap: { name: 'a' } },
          { name: 'y', secret: { secretName: 'b' } },
          { name: 'z', persistentVolumeClaim: { claimName: 'c' } },
          { name: 'w', csi: { nodePublishSecretRef: { name: 'd' } } },
          { name: 'v', azureFile: { secretName: 'e', shareName: 's' } },
        ],
      },
      ['ConfigMap a', 'Secret b', 'PersistentVolumeClaim c', 'Secret d', 'Secret e'],
    ],
    [
      'what is projected into a volume',
      { volumes: [{ name: 'x', projected: { sources: [{ configMap: { name: 'a' } }, { secret: { name: 'b' } }] } }] },
      ['ConfigMap a', 'Secret b'],
    ],
    [
      'variables of all of its containers',
      {
        initContainers: [{ name: 'x', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'a', key: 'k' } } }] }],
        containers: [
          { name: 'y', env: [{ name: 'Y', valueFrom: { configMapKeyRef: { name: 'b', key: 'k' } } }] },
          { name: 'z', envFrom: [{ secretRef: { name: 'c' } }, { configMapRef: { name: 'd' } }] },
        ],
      },
      ['Secret a', 'ConfigMap b', 'Secret c', 'ConfigMap d'],
    ],
    [
      'what is of no namespace',
      { priorityClassName: 'a', runtimeClassName: 'b' },
      ['PriorityClass.scheduling.k8s.io a', 'RuntimeClass.node.k8s.io b'],
    ],
    [
      'a claim of devices',
      { resourceClaims: [{ name: 'gpu', resourceClaimName: 'a' }] },
      ['ResourceClaim.resource.k8s.io a'],
    ],
    ['the key of a notification', { to: { kind: 'slack', url: { secret: 'a', key: 'url' } } }, ['Secret a']],
    ['nothing where a name is taken away', { spec: { serviceAccountName: null, volumes: [null] } }, []],
    ['nothing by other names', { containers: [{ name: 'secret', env: [{ name: 'configMap', value: 'a' }] }] }, []],
  ])('%s', (_, pod, expected) => {
    expect([...namedIn(pod)]).toEqual(expected);
  });
});

function graph(name: string, steps: readonly Partial<StepNode>[]): readonly [string, KubeObject] {
  const document = {
    apiVersion: 'cdk8s-workflows.dev/v1',
    workflow: name,
    inputs: { properties: { account: { type: 'string' } }, required: [] },
    outputs: {},
    failurePolicy: 'FinishRunning',
    steps,
  } as unknown as Graph;
  return [name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(encodeGraph(document) as GraphData) }];
}
const task = (name: string, more: object = {}) =>
  ({ kind: 'task', name, task: name, template: `t-${name}`, inputs: {}, ...more }) as Partial<StepNode>;
const template = (name: string, spec: object, annotations = {}): readonly [string, KubeObject] => [
  `t-${name}`,
  { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: `t-${name}`, annotations }, template: { spec } },
];
const job = (of: string | undefined, more: Readonly<Record<string, unknown>> = {}): JobLike => ({
  metadata: {
    annotations: {
      ...(of !== undefined && { 'cdk8s-workflows.dev/graph': of }),
      ...Object.fromEntries(
        Object.entries(more).map(([key, value]) => [`cdk8s-workflows.dev/${key}`, JSON.stringify(value)]),
      ),
    },
  },
  spec: { template: { spec: { containers: [{ name: 'driver' }] } } },
});
const plan = (name: string, jobTemplate: JobLike): readonly [string, KubeObject] => [
  name,
  { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec: { jobTemplate } },
];

const sources: RunSources = {
  graphs: new Map<string, KubeObject | undefined>([
    graph('etl', [task('load')]),
    graph('whole', [{ kind: 'run', name: 'child', runs: { workflow: 'etl', graph: 'etl', version: 'v' }, inputs: {} }]),
    graph('there', [{ kind: 'run', name: 'child', cluster: 'us', runs: { plan: 'nightly' }, inputs: {} }]),
    graph('around', [{ kind: 'run', name: 'child', runs: { plan: 'circle' }, inputs: {} }]),
    graph('by-value', [
      task('load', { pod: { fields: { spec: { fields: { serviceAccountName: { input: 'account' } } } } } }),
    ]),
    ['broken', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'broken' }, data: { 'graph.json': '{' } }],
    ['gone', undefined],
  ]),
  templates: new Map([
    template(
      'load',
      { serviceAccountName: 'loader' },
      {
        'cdk8s-workflows.dev/policy': JSON.stringify({ template: { spec: { imagePullSecrets: [{ name: 'pull' }] } } }),
      },
    ),
  ]),
  plans: new Map([
    plan('nightly', job('etl', { 'pod-override': { spec: { serviceAccountName: 'night' } } })),
    plan('circle', job('around')),
  ]),
};

describe('what a run needs', () => {
  const finder = new NeedsFinder(sources);
  const own = ['ServiceAccount loader', 'Secret pull'];

  it.each<[string, JobLike, readonly string[]]>([
    ['what the templates of its version name, and the policy over them', job('etl'), own],
    [
      'what it changes of its pods',
      job('etl', {
        'pod-override': { spec: { serviceAccountName: 'site' } },
        'run-override': { '*': { spec: { volumes: [{ name: 'x', configMap: { name: 'tuned' } }] } } },
      }),
      ['ServiceAccount site', 'ConfigMap tuned', ...own],
    ],
    ['what the runs within it need', job('whole'), own],
    [
      'what a plan needs that is launched when it is told how the run went, and that plan',
      job(undefined, { notifications: { notifications: { x: { to: { kind: 'launch', plan: 'nightly' } } } } }),
      ['CronJob.batch nightly', 'ServiceAccount night', ...own],
    ],
    ['of plans that launch each other, both', job('around'), ['CronJob.batch circle']],
    ['nothing of a plan that it launches on another cluster', job('there'), []],
    [
      'of a single task, what its pod names',
      { spec: { template: { spec: { serviceAccountName: 'a' } } } },
      ['ServiceAccount a'],
    ],
    ['nothing of a version that is gone', job('gone'), []],
  ])('%s', (_, given, expected) => {
    expect([...finder.needsOf(given).names]).toEqual(expected);
  });

  it('any of its values, where its pods wait for some', () => {
    expect(finder.needsOf(job('by-value', { inputs: { account: 'site-a' } })).texts).toContain('site-a');
    expect(finder.needsOf(job('etl', { inputs: { account: 'site-a' } })).texts.size).toBe(0);
  });

  it('is not known where its version cannot be read', () => {
    expect(finder.needsOf(job('broken')).unreadable).toEqual(['broken']);
  });
});

describe('what is kept of what left the directory', () => {
  const object = (
    kind: string,
    name: string,
    fields: object = {},
    namespace: string | undefined = 'etl',
  ): KubeObject => ({
    apiVersion: /Role/.test(kind) ? 'rbac.authorization.k8s.io/v1' : kind === 'CronJob' ? 'batch/v1' : 'v1',
    kind,
    metadata: { name, ...(namespace !== '' && { namespace }) },
    ...fields,
  });
  const binding = (kind: string, of: string, role: object, where = 'etl') =>
    object(
      kind,
      `bind-${of}`,
      { subjects: [{ kind: 'ServiceAccount', name: of, namespace: 'etl' }], roleRef: role },
      where,
    );
  const holder = (who: string, names: readonly string[], texts: readonly string[] = [], namespace = 'etl'): Holder => ({
    who,
    namespace,
    needs: { names: new Set(names), texts: new Set(texts), unreadable: [] },
    fix: 'wait',
  });

  it.each<[string, readonly KubeObject[], readonly Holder[], readonly string[]]>([
    [
      'what a run names, and nothing else of its kind',
      [object('ServiceAccount', 'a'), object('ServiceAccount', 'b'), object('Secret', 'a')],
      [holder('the run x', ['ServiceAccount a'])],
      ['ServiceAccount etl/a'],
    ],
    [
      'nothing for a run of another namespace',
      [object('Secret', 'a')],
      [holder('the run x', ['Secret a'], [], 'other')],
      [],
    ],
    [
      'what is of no namespace, for a run of any',
      [{ ...object('PriorityClass', 'high', {}, ''), apiVersion: 'scheduling.k8s.io/v1' }],
      [holder('the run x', ['PriorityClass.scheduling.k8s.io high'])],
      ['PriorityClass.scheduling.k8s.io high'],
    ],
    [
      'with a service account its Secrets, its roles and what binds these',
      [
        object('ServiceAccount', 'a', { imagePullSecrets: [{ name: 'pull' }], secrets: [{ name: 'token' }] }),
        object('Secret', 'pull'),
        object('Secret', 'token'),
        object('Secret', 'other'),
        object('Role', 'reader'),
        binding('RoleBinding', 'a', { kind: 'Role', name: 'reader' }),
        object('Role', 'unbound'),
      ],
      [holder('the run x', ['ServiceAccount a'])],
      [
        'ServiceAccount etl/a',
        'Secret etl/pull',
        'Secret etl/token',
        'RoleBinding.rbac.authorization.k8s.io etl/bind-a',
        'Role.rbac.authorization.k8s.io etl/reader',
      ],
    ],
    [
      'roles that it has elsewhere, and everywhere',
      [
        object('ServiceAccount', 'a'),
        binding('RoleBinding', 'a', { kind: 'Role', name: 'reader' }, 'data'),
        object('Role', 'reader', {}, 'data'),
        object('Role', 'reader'),
        binding('ClusterRoleBinding', 'a', { kind: 'ClusterRole', name: 'lister' }, ''),
        object('ClusterRole', 'lister', {}, ''),
      ],
      [holder('the run x', ['ServiceAccount a'])],
      [
        'ServiceAccount etl/a',
        'RoleBinding.rbac.authorization.k8s.io data/bind-a',
        'Role.rbac.authorization.k8s.io data/reader',
        'ClusterRoleBinding.rbac.authorization.k8s.io bind-a',
        'ClusterRole.rbac.authorization.k8s.io lister',
      ],
    ],
    [
      'no role that is taken from an account which stays',
      [binding('RoleBinding', 'a', { kind: 'Role', name: 'reader' }), object('Role', 'reader')],
      [holder('the run x', ['ServiceAccount a'])],
      [],
    ],
    [
      'what a value of the run may name, if pods name such',
      [object('ServiceAccount', 'site-a'), object('CronJob', 'site-a'), object('ServiceAccount', 'site-b')],
      [holder('the run x', [], ['site-a'])],
      ['ServiceAccount etl/site-a'],
    ],
    ['nothing when nothing runs', [object('ServiceAccount', 'a'), object('Secret', 'a')], [], []],
  ])('%s', (_, left, holders, expected) => {
    expect([...neededObjects(left, holders).keys()]).toEqual(expected);
  });

  it('says for whom, and of many names one', () => {
    const kept = neededObjects(
      [object('Secret', 'a'), object('Secret', 'b')],
      [
        holder('the run x', ['Secret a']),
        holder('the run x', ['Secret a']),
        holder('the run y', ['Secret a', 'Secret b']),
      ],
    );
    expect([...kept.values()]).toEqual([
      { message: 'is kept: the run x and 1 more need it', fix: 'wait' },
      { message: 'is kept: the run y needs it', fix: 'wait' },
    ]);
  });
});
