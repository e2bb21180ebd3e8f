import { describe, expect, it } from 'vitest';
import { controllerResult, type ControllerNeed } from '../../../lib/fleet/preflight/check-controller.ts';
import { deniedFindings } from '../../../lib/fleet/preflight/check-permissions.ts';
import {
  checked,
  failed,
  writingFailure,
  warning,
  type CheckResult,
} from '../../../lib/fleet/preflight/check-result.ts';
import { unreachable, versionResult } from '../../../lib/fleet/preflight/check-server.ts';
import type { SeenController } from '../../../lib/fleet/preflight/controller-lease.ts';
import { sameClusterTwice } from '../../../lib/fleet/same-cluster.ts';
import { KubeconfigError, KubeError } from '../../../lib/kube/errors.ts';
import { cronJobs, namespaces } from '../../../lib/kube/resources.ts';

const brief = ({ state, detail, findings }: CheckResult) => [state, detail, ...findings.map(({ message }) => message)];

it.each<[string, boolean, readonly (string | undefined)[]]>([
  ['v1.34.4', true, ['ok', 'v1.34.4']],
  ['v1.32.0-gke.1', true, ['ok', 'v1.32.0-gke.1 (types: 1.34)']],
  ['v1.31.9', false, ['ok', 'v1.31.9 (types: 1.34)']],
  [
    'v1.31.9',
    true,
    [
      'failed',
      'v1.31.9 (types: 1.34)',
      'Kubernetes v1.31.9 would run the Jobs of workflows itself: a controller can take them from 1.32 on',
    ],
  ],
  ['v2.0.0', true, ['ok', 'v2.0.0 (types: 1.34)']],
  ['unknown', true, ['warning', undefined, 'the server says that its version is "unknown"']],
])('judges a server of version %s (managed: %s)', (version, managed, expected) => {
  expect(brief(versionResult(version, managed))).toEqual(expected);
});

describe('the controller', () => {
  const need: ControllerNeed = { namespaces: ['etl'], brought: false, version: '0.3.1' };
  const seen = (fields: Partial<SeenController> = {}): SeenController => ({
    lease: 'flows/controller',
    alive: true,
    ageMs: 2000,
    version: '0.3.0',
    namespaces: null,
    ...fields,
  });
  it.each<[string, readonly SeenController[] | undefined, Partial<ControllerNeed>, readonly (string | undefined)[]]>([
    ['looks after all', [seen()], {}, ['ok', '0.3.0 in flows']],
    ['is newer', [seen({ version: '0.4.0' })], {}, ['ok', '0.4.0 in flows']],
    [
      'says nothing of itself',
      [seen({ version: undefined, namespaces: undefined })],
      {},
      ['ok', 'of unknown version in flows'],
    ],
    [
      'is older',
      [seen({ version: '0.2.9' })],
      {},
      [
        'failed',
        '0.2.9 in flows',
        'the controller of flows/controller has version 0.2.9, and these manifests were made by 0.3.1',
      ],
    ],
    [
      'is older and comes anew',
      [seen({ version: '0.2.9' })],
      { brought: true },
      [
        'warning',
        '0.2.9 in flows',
        'the controller of flows/controller has version 0.2.9, and these manifests were made by 0.3.1',
      ],
    ],
    [
      'is of another major version',
      [seen({ version: '1.0.0' })],
      {},
      [
        'failed',
        '1.0.0 in flows',
        'the controller of flows/controller has version 1.0.0, and these manifests were made by 0.3.1',
      ],
    ],
    [
      'looks after another namespace',
      [seen({ namespaces: ['ml'] })],
      {},
      [
        'failed',
        '0.3.0 in flows',
        'no controller looks after the namespace etl: that of flows/controller looks after ml',
      ],
    ],
    [
      'was not seen',
      [],
      {},
      [
        'failed',
        undefined,
        'no controller was seen (there is no Lease "cdk8s-workflows-controller"): runs stay Pending until one runs',
      ],
    ],
    ['was not seen and comes with the manifests', [], { brought: true }, ['ok', 'in the manifests']],
    [
      'is gone',
      [seen({ alive: false, ageMs: 600_000 })],
      {},
      [
        'failed',
        undefined,
        'the controller has not renewed the Lease flows/controller for 600 s: runs stay Pending until one runs',
      ],
    ],
    [
      'gave its Lease back',
      [seen({ alive: false, ageMs: undefined })],
      {},
      ['failed', undefined, 'no controller holds the Lease flows/controller: runs stay Pending until one runs'],
    ],
    [
      'may not be looked for',
      undefined,
      {},
      ['warning', undefined, 'Leases may not be read, so that nobody knows whether a controller is there'],
    ],
  ])('%s', (_, controllers, different, expected) => {
    expect(brief(controllerResult(controllers, { ...need, ...different }))).toEqual(expected);
  });
});

it('tells what is denied once for each kind and namespace, and what is only less exact as a warning', () => {
  const inEtl = { resource: cronJobs, namespace: 'etl' };
  const denied = [
    { ...inEtl, verb: 'create' },
    { ...inEtl, verb: 'patch' },
    { ...inEtl, verb: 'list', optional: true },
    { resource: namespaces, verb: 'create' },
  ];
  expect(deniedFindings(denied).map(({ state, message }) => `${state}: ${message}`)).toEqual([
    'failed: may not create, patch cronjobs.batch in namespace etl',
    'warning: may not list cronjobs.batch in namespace etl: what is there already is not known',
    'failed: may not create namespaces',
  ]);
});

it('tells why there was no talking to a cluster', () => {
  const refused = (code: number, message: string) =>
    unreachable(new KubeError({ kind: 'Status', code, message }, { verb: 'read', object: 'it' })).findings[0];
  expect(unreachable(new KubeconfigError('There is no context "x"')).findings).toEqual([
    failed('There is no context "x"'),
  ]);
  expect(refused(401, 'Unauthorized')).toMatchObject({ fix: 'log in again, or choose another context' });
  expect(refused(500, '[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed')).toMatchObject({
    message: 'the API server is not ready: [-]etcd failed: reason withheld',
  });
  expect(() => unreachable(new TypeError('a mistake of ours'))).toThrow('a mistake of ours');
});

it('finds two names of one place, and lets two namespaces of one cluster be', () => {
  const place = (cluster: string, uid: string | undefined, namespace: string) => ({
    cluster,
    namespace,
    checks: [{ ...checked('identity', [], 'seen'), ...(uid && { uid }) }],
  });
  const results = [
    place('a', '1', 'etl'),
    place('b', '1', 'etl'),
    place('c', '1', 'ml'),
    place('d', undefined, 'etl'),
    place('e', undefined, 'etl'),
  ];
  expect(sameClusterTwice(results).map(({ checks }) => checks[0]!.findings.map(({ message }) => message))).toEqual([
    ['is the same namespace of the same cluster as b'],
    ['is the same namespace of the same cluster as a'],
    [],
    [],
    [],
  ]);
});

it('keeps from writing only where writing itself would go wrong', () => {
  const bad = [failed('x', 'y')];
  expect(writingFailure([checked('permissions', bad)])).toEqual({ message: 'x', fix: 'y' });
  expect(writingFailure([checked('permissions', bad), checked('namespaces', [failed('z')])])).toEqual({
    message: 'x (y); z',
  });
  expect(writingFailure([checked('nodes', bad), checked('quota', bad), checked('controller', bad)])).toBeUndefined();
  expect(writingFailure([checked('identity', [warning('x')])])).toBeUndefined();
});
