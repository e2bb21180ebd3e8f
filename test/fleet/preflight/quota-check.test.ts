import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withBrought } from '../../../lib/fleet/preflight/check-room.ts';
import { planAsks } from '../../../lib/fleet/preflight/plan-asks.ts';
import { formatAmount, podAmounts, type ContainerDefaults } from '../../../lib/pods/pod-amounts.ts';
import { containerDefaults, type LimitRange } from '../../../lib/fleet/preflight/limit-check.ts';
import { quotaFindings, type ResourceQuota } from '../../../lib/fleet/preflight/quota-check.ts';
import { inQuotaScope } from '../../../lib/fleet/preflight/quota-scope.ts';
import { annotations } from '../../../lib/graph/labels.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import type { PodTemplate } from '../../../lib/pods/template.ts';
import { cronJob, run, runOf, workflow, type TestStep, type TestWorkflow } from '../../controller/support.ts';

type Spec = NonNullable<PodTemplate['spec']>;
const none: ContainerDefaults = { requests: {}, limits: {} };
const spec = (fields: object) => fields as Spec;
const container = (requests: object = {}, limits: object = {}, fields: object = {}) => ({
  name: 'main',
  resources: { requests, limits },
  ...fields,
});

/** The amounts in the words of the report. */
const told = (amounts: ReadonlyMap<string, bigint>): Record<string, string> =>
  Object.fromEntries([...amounts].map(([resource, amount]) => [resource, formatAmount(resource, amount)]));

describe('what a pod asks for', () => {
  const sidecar = container({ cpu: '100m' }, {}, { restartPolicy: 'Always' });
  it.each<[string, object, object]>([
    [
      'the sum of its containers',
      { containers: [container({ cpu: '500m' }), container({ cpu: '2' })] },
      { cpu: '2500m' },
    ],
    ['a limit where there is no request', { containers: [container({}, { memory: '8Gi' })] }, { memory: '8Gi' }],
    [
      'its largest init container',
      { initContainers: [container({ cpu: '3' }), container({ cpu: '4' })], containers: [container({ cpu: '1' })] },
      { cpu: '4' },
    ],
    [
      'a sidecar beside its containers',
      { initContainers: [sidecar], containers: [container({ cpu: '1' })] },
      { cpu: '1100m' },
    ],
    [
      'a sidecar beside the init containers after it',
      { initContainers: [sidecar, container({ cpu: '4' })], containers: [container({ cpu: '1' })] },
      { cpu: '4100m' },
    ],
    [
      'no sidecar beside the init containers before it',
      { initContainers: [container({ cpu: '4' }), sidecar], containers: [container({ cpu: '1' })] },
      { cpu: '4' },
    ],
    ['its overhead', { containers: [container({ cpu: '1' })], overhead: { cpu: '250m' } }, { cpu: '1250m' }],
    [
      'what it states as a whole',
      { containers: [container({ cpu: '1' })], resources: { requests: { cpu: '3' } } },
      { cpu: '3' },
    ],
  ])('is %s', (_, pod, amounts) => {
    expect(told(podAmounts(spec(pod), none).requests)).toEqual(amounts);
  });

  it('is what a LimitRange fills in where it says nothing', () => {
    const limits = [
      { type: 'Container', default: { cpu: '2' }, defaultRequest: { cpu: '1', memory: '1Gi' } },
      { type: 'Pod' },
    ];
    const defaults = containerDefaults([{ spec: { limits } } as unknown as LimitRange]);
    const pod = spec({ containers: [container({ memory: '2Gi' })] });
    expect(told(podAmounts(pod, defaults).requests)).toEqual({ cpu: '1', memory: '2Gi' });
    expect(told(podAmounts(pod, defaults).limits)).toEqual({ cpu: '2' });
  });

  it('is never less with another container', () => {
    const amounts = fc.record({ cpu: fc.nat(9).map(String), memory: fc.nat(9).map((gi) => `${gi}Gi`) });
    const containers = fc.array(amounts, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(containers, containers, amounts, (main, init, more) => {
        const pod = (list: typeof main) =>
          podAmounts(
            spec({
              containers: list.map((each) => container(each)),
              initContainers: init.map((each) => container(each)),
            }),
            none,
          ).requests;
        for (const [resource, amount] of pod(main))
          expect(pod([...main, more]).get(resource)).toBeGreaterThanOrEqual(amount);
      }),
    );
  });
});

it.each<[string, bigint, string]>([
  ['cpu', 500_000_000n, '500m'],
  ['cpu', 12_000_000_000n, '12'],
  ['cpu', 1_500_001n, '2m'],
  ['memory', 8_589_934_592_000_000_000n, '8Gi'],
  ['memory', 1_610_612_736_000_000_000n, '1.5Gi'],
  ['memory', 0n, '0'],
  ['nvidia.com/gpu', 4_000_000_000n, '4'],
])('writes an amount of %s as people do', (resource, amount, text) => {
  expect(formatAmount(resource, amount)).toBe(text);
});

/** Objects as they are applied, in a namespace. */
const inEtl = (...objects: readonly object[]): KubeObject[] =>
  objects.map((object) => ({
    ...(object as KubeObject),
    metadata: { ...(object as KubeObject).metadata, namespace: 'etl' },
  }));

const asking = (name: string, requests: object, more: Partial<TestStep> = {}): TestStep => ({
  name,
  spec: { containers: [{ name: 'main', image: 'a', resources: { requests } }] } as never,
  ...more,
});

const plan = (of: TestWorkflow, name: string, fields: object = {}): KubeObject => {
  const made = cronJob(of, name) as KubeObject & { spec: object };
  return { ...made, spec: { ...made.spec, suspend: false, ...fields } };
};

describe('what a plan may ask for', () => {
  it('is the pods of its steps, with the override of the plan, and of the runs that they launch', () => {
    const inner = workflow('inner', [asking('part', { cpu: '1' })]);
    const outer = workflow('outer', [
      asking('first', { cpu: '2' }),
      { name: 'gate', gate: { waitsFor: 'approval' } },
      { name: 'sub', runs: runOf(inner) },
    ]);
    const made = plan(outer, 'nightly') as KubeObject & {
      spec: { jobTemplate: { metadata: { annotations: Record<string, string> } } };
    };
    made.spec.jobTemplate.metadata.annotations[annotations.podOverride] = JSON.stringify({
      spec: { nodeSelector: { pool: 'large' } },
    });
    const [ask] = planAsks(inEtl(...outer.manifests, ...inner.manifests, made));
    const steps = ask!.runs.map(({ pods }) => pods.map(({ step, template }) => [step, template.spec?.nodeSelector]));
    expect(steps).toEqual([[['outer/first', { pool: 'large' }]], [['inner/part', { pool: 'large' }]]]);
    expect(ask).toMatchObject({
      kind: 'plan',
      name: 'nightly',
      namespace: 'etl',
      managed: true,
      fires: true,
      unknown: [],
    });
  });

  it('is with what a launch says of the pods, of a step for that step alone', () => {
    const inner = workflow('inner', [asking('part', {})]);
    const of = workflow('outer', [asking('first', {}), asking('second', {}), { name: 'sub', runs: runOf(inner) }]);
    const runOverride = {
      '*': { spec: { nodeSelector: { pool: 'x' } } },
      second: { spec: { priorityClassName: 'high' } },
    };
    const given = { [annotations.runOverride]: JSON.stringify(runOverride) };
    const [ask] = planAsks(inEtl(...of.manifests, ...inner.manifests, run(of, 'now', { annotations: given })));
    const pods = ask!.runs.flatMap((each) => each.pods);
    expect(
      pods.map(({ step, template }) => [step, template.spec?.nodeSelector?.pool, template.spec?.priorityClassName]),
    ).toEqual([
      ['outer/first', 'x', undefined],
      ['outer/second', 'x', 'high'],
      ['inner/part', 'x', undefined],
    ]);
  });

  it('says what is not among the manifests', () => {
    const of = workflow('etl', [{ name: 'a' }, { name: 'sub', runs: { plan: 'other' } }]);
    const [template, graph] = of.manifests;
    const unknown = (...objects: object[]) => planAsks(inEtl(...objects))[0]!.unknown;
    expect(unknown(plan(of, 'p'))).toEqual([`the graph ${of.graphName} is not among the manifests`]);
    expect(unknown(plan(of, 'p'), graph!)).toEqual([
      `etl/a: the PodTemplate ${template!.metadata!.name} is not among the manifests`,
      'the plan other, which a step launches, is not among the manifests',
    ]);
  });

  it('is nothing of what runs on another cluster', () => {
    const inner = workflow('inner', [asking('part', { cpu: '1' })]);
    const of = workflow('outer', [asking('first', {}), { name: 'sub', runs: runOf(inner), cluster: 'gpu' }]);
    const [ask] = planAsks(inEtl(...of.manifests, ...inner.manifests, plan(of, 'p')));
    expect(ask!.runs.map(({ pods }) => pods.map(({ step }) => step))).toEqual([['outer/first']]);
  });

  it('comes to an end for a workflow that launches its own plan', () => {
    const of = workflow('again', [asking('a', { cpu: '1' }), { name: 'sub', runs: { plan: 'again' } }]);
    expect(planAsks(inEtl(...of.manifests, plan(of, 'again')))[0]!.runs).toHaveLength(1);
  });

  it('has the pod of a driver beside its steps, and of a single task its own', () => {
    const of = workflow('etl', [asking('a', { cpu: '1' })]);
    const driven = run(of, 'now', { driver: true });
    const [ask] = planAsks(inEtl(...of.manifests, driven));
    expect(ask!.runs.map(({ pods }) => pods.map(({ step }) => step))).toEqual([['now, its driver'], ['etl/a']]);
    expect(ask).toMatchObject({ kind: 'run', managed: false, fires: true });
  });

  it('leaves out what is not ours', () => {
    expect(planAsks(inEtl({ kind: 'CronJob', metadata: { name: 'backup' }, spec: { jobTemplate: {} } }))).toEqual([]);
  });
});

type AnnotatedPlan = KubeObject & { spec: { jobTemplate: { metadata: { annotations: Record<string, string> } } } };

describe('what quotas leave for plans', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string> = {}, scopes: object = {}): ResourceQuota =>
    ({ metadata: { name: 'team', namespace: 'etl' }, spec: { hard, ...scopes }, status: { hard, used } }) as never;
  const four = workflow('etl', [
    asking('small', { cpu: '1', memory: '1Gi' }),
    asking('large', { cpu: '8', memory: '1Gi' }),
    asking('middle', { cpu: '4', memory: '1Gi' }),
    asking('job', { cpu: '2', memory: '1Gi' }, { runAs: 'Job' }),
  ]);
  const jobWith = (parallelism: number) => {
    const made = plan(four, 'nightly') as KubeObject & { spec: { jobTemplate: { spec: object } } };
    made.spec.jobTemplate.spec = { ...made.spec.jobTemplate.spec, parallelism };
    return made;
  };
  const findings = (quotas: ResourceQuota, plans: KubeObject[] = [jobWith(2)]) =>
    quotaFindings(planAsks(inEtl(...four.manifests, ...plans)), [quotas], none).map(
      ({ state, message }) => `${state}: ${message}`,
    );

  it.each<[string, ResourceQuota, string[]]>([
    ['the two largest steps fit exactly', quota({ cpu: '12' }), []],
    [
      'they do not fit beside what is used',
      quota({ 'requests.cpu': '13' }, { 'requests.cpu': '2' }),
      [
        'warning: the plans may ask for 12 of requests.cpu at once (nightly 12), and the quota team of namespace etl has 11 of 13 left: what does not fit waits',
      ],
    ],
    [
      'one step can never start',
      quota({ cpu: '6' }),
      [
        'failed: etl/large asks for 8 of cpu, and the quota team of namespace etl has 6 in all: it can never start',
        'warning: the plans may ask for 12 of cpu at once (nightly 12), and the quota team of namespace etl has 6 of 6 left: what does not fit waits',
      ],
    ],
    [
      'pods are counted',
      quota({ pods: '1' }),
      [
        'warning: the plans may ask for 2 of pods at once (nightly 2), and the quota team of namespace etl has 1 of 1 left: what does not fit waits',
      ],
    ],
    [
      'the Jobs of steps are counted',
      quota({ 'count/jobs.batch': '0' }),
      [
        'failed: etl/job asks for 1 of count/jobs.batch, and the quota team of namespace etl has 0 in all: it can never start',
        'warning: the plans may ask for 1 of count/jobs.batch at once (nightly 1), and the quota team of namespace etl has 0 of 0 left: what does not fit waits',
      ],
    ],
    [
      'a quota of a resource that no pod asks for',
      quota({ 'requests.nvidia.com/gpu': '0', services: '0', 'requests.storage': '0' }),
      [],
    ],
    ['a quota whose scope has none of the pods', quota({ cpu: '0' }, {}, { scopes: ['BestEffort'] }), []],
    [
      'pods must state what a quota limits',
      quota({ 'limits.memory': '100Gi' }),
      [
        'failed: etl/small, etl/large, etl/middle, etl/job state no limits.memory, without which the quota team of namespace etl lets no pod in',
      ],
    ],
  ])('when %s', (_, quotas, expected) => {
    expect(findings(quotas)).toEqual(expected);
  });

  it('looks at a step as every plan changes it', () => {
    const changed = jobWith(2) as unknown as AnnotatedPlan;
    const requests = { cpu: '9' };
    const override = { spec: { containers: [{ name: 'main', resources: { requests } }] } };
    changed.spec.jobTemplate.metadata.annotations[annotations.podOverride] = JSON.stringify(override);
    const other = { ...jobWith(2), metadata: { ...jobWith(2).metadata, name: 'other' } };
    expect(findings(quota({ cpu: '8' }), [changed, other] as KubeObject[])[0]).toBe(
      'failed: etl/small asks for 9 of cpu, and the quota team of namespace etl has 8 in all: it can never start',
    );
  });

  it('counts what fires by itself only, and each plan once', () => {
    const suspended = { ...jobWith(2), metadata: { ...jobWith(2).metadata, name: 'by-hand' } } as KubeObject & {
      spec: object;
    };
    const plans = [jobWith(1), { ...suspended, spec: { ...suspended.spec, suspend: true } }];
    expect(findings(quota({ cpu: '8' }), plans)).toEqual([]);
    expect(findings(quota({ cpu: '8' }, { cpu: '1' }), plans)[0]).toContain('8 of cpu at once (nightly 8)');
  });
});

it.each<[string, object, object, boolean]>([
  ['Terminating', {}, { scopes: ['Terminating'] }, false],
  ['Terminating', { activeDeadlineSeconds: 5 }, { scopes: ['Terminating'] }, true],
  ['NotTerminating and NotBestEffort', {}, { scopes: ['NotTerminating', 'NotBestEffort'] }, false],
  ['NotBestEffort', { containers: [container({ cpu: '1' })] }, { scopes: ['NotBestEffort'] }, true],
  [
    'a priority class among some',
    { priorityClassName: 'high' },
    { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
    true,
  ],
  [
    'a priority class among others',
    { priorityClassName: 'low' },
    { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
    false,
  ],
])('tells whether a quota of scope %s counts a pod', (_, pod, scopes, counts) => {
  expect(inQuotaScope(scopes, { spec: spec({ containers: [], ...pod }) })).toBe(counts);
});

describe('a quota that is among the manifests', () => {
  const few = (pods: string, status?: object, namespace = 'etl') =>
    ({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'few', namespace },
      spec: { hard: { pods } },
      ...(status && { status }),
    }) as ResourceQuota;

  it.each<[string, readonly ResourceQuota[], readonly ResourceQuota[], readonly object[]]>([
    ['holds although it is not there yet', [], [few('2')], [{ spec: { hard: { pods: '2' } }, status: {} }]],
    [
      'holds in place of the one that is there, of which as much is used',
      [few('9', { hard: { pods: '9' }, used: { pods: '1' } })],
      [few('2')],
      [{ spec: { hard: { pods: '2' } }, status: { used: { pods: '1' } } }],
    ],
    [
      'leaves others as they are',
      [few('9', { used: {} })],
      [],
      [{ spec: { hard: { pods: '9' } }, status: { used: {} } }],
    ],
  ])('%s', (_, found, brought, expected) => {
    expect(withBrought(found, brought, 'ResourceQuota')).toMatchObject(expected);
  });
});
