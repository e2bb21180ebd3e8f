import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failoverBeside, type FailoverBesideOptions } from '../../../lib/cli/cluster/fleet/failover-beside.ts';
import {
  failbackMove,
  failoverMove,
  type Move,
  type PlanSight,
  type Sight,
} from '../../../lib/fleet/failover/failover-moves.ts';
import { backupsOf, plansBackedBy, unknownPlans } from '../../../lib/fleet/failover/failover-plans.ts';
import { failoverOf, type PlanObject } from '../../../lib/fleet/failover/failover-record.ts';
import { annotations } from '../../../lib/graph/labels.ts';
import type { Placement } from '../../../lib/graph/placement.ts';

const record = (from = 'eu', to = 'us') => JSON.stringify({ from, to, at: '2026-03-01T10:00:00Z', by: 'alice' });

/** A CronJob: suspended or not, with notes on it. */
function plan(suspend: boolean, notes: Record<string, string> = {}, active = 0): PlanObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'etl', annotations: notes },
    spec: { suspend },
    status: { active: Array.from({ length: active }, () => ({})) },
  };
}

const on = plan(false);
const off = plan(true);
const switchedOff = plan(true, { [annotations.failover]: record() });
const tookOver = plan(false, { [annotations.failover]: record() });
const elsewhere = plan(true, { [annotations.failover]: record('eu', 'ap') });
const never = plan(true, { [annotations.staysSuspended]: 'true' });

const names = { home: 'eu', backup: 'us', force: false };
const sight = (home: Sight, backup: Sight, others: Record<string, Sight> = {}): PlanSight => ({
  plan: 'etl',
  home,
  backup,
  others,
});
const brief = ({ verdict, home, backup, note }: Move) => [verdict, home, backup, ...(note === undefined ? [] : [note])];

describe('a failover', () => {
  const twice = (where: string) => `it may be active on ${where}, which cannot be reached: it could run twice`;
  it.each<[string, PlanSight, readonly string[]]>([
    ['switches a plan', sight(on, off), ['switch', 'suspend', 'activate']],
    [
      'tells of runs that go on',
      sight(plan(false, {}, 2), off),
      ['switch', 'suspend', 'activate', '2 runs go on on eu'],
    ],
    ['goes on where it was interrupted', sight(switchedOff, off), ['switch', 'suspended', 'activate']],
    ['is done once', sight(switchedOff, tookOver), ['done', 'suspended', 'active']],
    ['suspends a plan on the cluster that came back', sight(on, tookOver), ['switch', 'suspend', 'active']],
    ['takes over a plan that is on the backup alone', sight('absent', off), ['switch', 'absent', 'activate']],
    ['ends that a plan is active twice', sight(on, on), ['switch', 'suspend', 'active']],
    [
      'leaves a plan that somebody suspended',
      sight(off, off),
      ['stays', 'suspended', 'suspended', 'somebody suspended it on eu'],
    ],
    [
      'leaves a plan without a schedule',
      sight(off, never),
      ['stays', 'suspended', 'suspended', 'it is suspended on eu too, or has no schedule'],
    ],
    [
      'needs the plan on the backup',
      sight(on, 'absent'),
      ['refused', 'active', 'absent', 'it is not on us; apply it there first'],
    ],
    ['needs the backup', sight(on, 'unreachable'), ['refused', 'active', 'unreachable', 'us cannot be reached']],
    ['does not run a plan twice', sight('unreachable', off), ['refused', 'unreachable', 'suspended', twice('eu')]],
    [
      'does not run a plan twice by another backup',
      sight(on, off, { ap: 'unreachable' }),
      ['refused', 'active', 'suspended', twice('ap')],
    ],
    [
      'knows from home that another backup has it',
      sight(elsewhere, off),
      ['refused', 'suspended', 'suspended', 'it was switched to ap already; failback eu first'],
    ],
    [
      'knows from the other backup that it has it',
      sight('unreachable', off, { ap: tookOver }),
      ['refused', 'unreachable', 'suspended', 'it was switched to ap already; failback eu first'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(brief(failoverMove(seen, names))).toEqual(expected);
  });

  it('goes on without a cluster when forced to', () => {
    const move = failoverMove(sight('unreachable', off), { ...names, force: true });
    expect(brief(move)).toEqual(['switch', 'unreachable', 'activate', 'nobody knows whether it is active on eu']);
  });
});

describe('a failback', () => {
  it.each<[string, PlanSight, readonly string[]]>([
    ['switches a plan back', sight(switchedOff, tookOver), ['switch', 'activate', 'suspend']],
    ['goes on where it was interrupted', sight(switchedOff, off), ['switch', 'activate', 'suspended']],
    ['ends a failover that was forced', sight(on, tookOver), ['switch', 'active', 'suspend']],
    [
      'leaves suspended what somebody suspended',
      sight(off, tookOver),
      ['switch', 'suspended', 'suspend', 'it stays suspended on eu, by somebody else'],
    ],
    ['needs the cluster', sight('unreachable', tookOver), ['refused', 'unreachable', 'active', 'eu cannot be reached']],
    [
      'needs the plan there',
      sight('absent', tookOver),
      ['refused', 'absent', 'active', 'it is not on eu; apply it there first'],
    ],
    [
      'does not run a plan twice',
      sight(switchedOff, 'unreachable'),
      ['refused', 'suspended', 'unreachable', 'it may be active on us, which cannot be reached: it could run twice'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(brief(failbackMove(seen, names))).toEqual(expected);
  });
});

describe('whatever is seen', () => {
  const any = fc.constantFrom<Sight>(on, off, switchedOff, tookOver, elsewhere, never, 'absent', 'unreachable');
  const runs = (state: string) => state === 'active' || state === 'activate';

  it('a plan that is switched is active once, unless it was forced', () => {
    fc.assert(
      fc.property(any, any, (home, backup) => {
        for (const decide of [failoverMove, failbackMove]) {
          const move = decide(sight(home, backup), names);
          if (move.verdict !== 'switch') continue;
          expect(runs(move.home) && runs(move.backup)).toBe(false);
          expect([move.home, move.backup]).not.toContain('unreachable');
        }
      }),
    );
  });

  it('what is refused or stays is not touched', () => {
    fc.assert(
      fc.property(any, any, any, fc.boolean(), (home, backup, other, force) => {
        const { verdict, ...move } = failoverMove(sight(home, backup, { ap: other }), { ...names, force });
        if (verdict !== 'switch') expect(['suspend', 'activate']).not.toContain(move.home);
        if (verdict !== 'switch') expect(['suspend', 'activate']).not.toContain(move.backup);
      }),
    );
  });
});

it('knows the plans that a backup may take over', () => {
  const chosen = (cluster: string) => ({ cluster, reason: '' });
  const plans = {
    a: { ...chosen('eu'), backups: [chosen('us'), chosen('ap')] },
    b: { ...chosen('eu'), backups: [chosen('ap')] },
    c: { ...chosen('us'), backups: [chosen('eu')] },
    'ml/d': { ...chosen('eu'), backups: [chosen('us')] },
    e: chosen('eu'),
  };
  const placement = { fleet: 'default', clusters: {}, plans } as Placement;
  expect(plansBackedBy(placement, 'eu', 'us')).toEqual([
    { plan: 'a', others: ['ap'] },
    { plan: 'ml/d', others: [] },
  ]);
  expect(backupsOf(placement, 'eu')).toEqual(['us', 'ap']);
  expect(unknownPlans(['a', 'mld'], ['a', 'ml/d'])).toEqual([
    { path: '--plan', message: '"mld" is none of these plans', fix: 'did you mean "ml/d"?' },
  ]);
});

it('reads a record, and none from what is no record', () => {
  const noted = (text: string) => failoverOf(plan(true, { [annotations.failover]: text }));
  expect(noted(record())).toEqual({ from: 'eu', to: 'us', at: '2026-03-01T10:00:00Z', by: 'alice' });
  expect([noted('{'), noted('[]'), noted('{"from":"eu"}')]).toEqual([undefined, undefined, undefined]);
});

it.each<[string, FailoverBesideOptions]>([
  ['--failover-from needs --failover-after', { failoverFrom: ['eu'] }],
  ['--failover-after must be longer than 0s', { failoverAfter: 0 }],
  ['--failover-after needs --failover-from', { failoverAfter: 60 }],
  ['--failover-after needs --cluster-name', { failoverAfter: 60, failoverFrom: ['eu'] }],
  [
    'there is no access to the cluster "eux"; did you mean "eu"?',
    { failoverAfter: 60, failoverFrom: ['eux'], clusterName: 'us', remoteCluster: [{ name: 'eu' }] },
  ],
  [
    'there is no access to the cluster "eu"; give it by --remote-cluster',
    { failoverAfter: 60, failoverFrom: ['eu'], clusterName: 'us' },
  ],
])('a controller is not told half of it: %s', (message, options) => {
  expect(() => failoverBeside(options)).toThrow(message);
});

it('a controller that is told nothing of it looks at nothing', () => {
  expect(failoverBeside({ remoteCluster: [{ name: 'eu' }] })).toBeUndefined();
});
