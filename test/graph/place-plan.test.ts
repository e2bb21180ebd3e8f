import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placePlan, type PlacementRequest, type PlacementTarget } from '../../lib/graph/place-plan.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const clusters: readonly PlacementTarget[] = [
  { name: 'eu', labels: { tier: 'prod', region: 'eu' } },
  { name: 'us', labels: { tier: 'prod', region: 'us', gpu: 'a100' } },
  { name: 'test' },
  { name: 'old', labels: { tier: 'prod', region: 'asia' }, enabled: false },
];
const place = (request: Partial<PlacementRequest>, on = clusters) => placePlan('plan', { by: 'plan', ...request }, on);

describe('a plan is placed', () => {
  it.each<[string, Partial<PlacementRequest>, object]>([
    ['by name', { cluster: 'us' }, { cluster: 'us', reason: 'named by the plan' }],
    ['by its workflow', { cluster: 'us', by: 'workflow' }, { cluster: 'us', reason: 'named by its workflow' }],
    ['by the fleet', { cluster: 'us', by: 'fleet' }, { cluster: 'us', reason: "the fleet's default" }],
    [
      'by labels',
      { cluster: { matchLabels: { region: 'eu' } } },
      { cluster: 'eu', reason: 'the only cluster with region=eu' },
    ],
    [
      'by what is said of labels',
      { cluster: { matchLabels: { tier: 'prod' }, matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] } },
      { cluster: 'eu', reason: 'the only cluster with tier=prod,!gpu' },
    ],
    [
      'by hash',
      { cluster: { matchLabels: { tier: 'prod' } } },
      { cluster: 'us', reason: 'by the hash of its name among the 2 clusters with tier=prod' },
    ],
    [
      'with backups in their order',
      { cluster: 'test', backups: ['eu', { matchLabels: { tier: 'prod' } }] },
      {
        cluster: 'test',
        reason: 'named by the plan',
        backups: [
          { cluster: 'eu', reason: 'named by the plan' },
          { cluster: 'us', reason: 'the only other cluster with tier=prod' },
        ],
      },
    ],
    [
      'with one backup less where a selector chose it',
      { cluster: { matchLabels: { gpu: 'a100' } }, backups: ['us', 'eu'] },
      {
        cluster: 'us',
        reason: 'the only cluster with gpu=a100',
        backups: [{ cluster: 'eu', reason: 'named by the plan' }],
      },
    ],
    [
      'everywhere',
      { cluster: { all: true } },
      { cluster: 'eu', reason: 'on every cluster', everywhere: ['eu', 'us', 'test'] },
    ],
    [
      'everywhere that matches',
      { cluster: { all: { matchLabels: { tier: 'prod' } } } },
      { cluster: 'eu', reason: 'on every cluster with tier=prod', everywhere: ['eu', 'us'] },
    ],
  ])('%s', (_how, request, placement) => expect(place(request)).toEqual({ placement, problems: [] }));

  it('on the only cluster that is enabled, unless it says something else', () => {
    const one = [{ name: 'a' }, { name: 'b', enabled: false }];
    expect(place({}, one)).toEqual({ placement: { cluster: 'a', reason: 'the only cluster' }, problems: [] });
  });

  it.each<[Partial<PlacementRequest>, readonly string[]]>([
    [{ cluster: 'uss' }, ['cluster: there is no cluster "uss"; did you mean "us"?']],
    [{ cluster: 'old' }, ['cluster: the cluster "old" is disabled; enable it, or name another: eu, us, test']],
    [
      { cluster: { matchLabels: { tier: 'dev' } }, by: 'workflow' },
      ['workflow.cluster: no cluster matches tier=dev; the nearest is eu, with tier=prod,region=eu'],
    ],
    [
      {
        cluster: {
          matchLabels: { tier: 'prod' },
          matchExpressions: [{ key: 'gpu', operator: 'In', values: ['v100', 'h100'] }],
        },
      },
      ['cluster: no cluster matches tier=prod,gpu in (v100,h100); the nearest is eu, with tier=prod,region=eu'],
    ],
    [
      { cluster: { matchLabels: { region: 'asia' } } },
      ['cluster: no cluster matches region=asia; old would, but is disabled'],
    ],
    [
      {},
      ['cluster: must be set: the fleet has the clusters eu, us, test; name one, or give the fleet a defaultCluster'],
    ],
    [
      { cluster: 'eu', backups: ['eu', 'old', { matchLabels: { region: 'eu' } }], backupsBy: 'workflow' },
      [
        'workflow.backups[0]: the plan is on "eu" already; name each cluster once',
        'workflow.backups[1]: the cluster "old" is disabled; enable it, or name another: eu, us, test',
        'workflow.backups[2]: every cluster with region=eu has the plan already: eu; ask for less, or add a cluster',
      ],
    ],
    [
      { cluster: { matchLabels: { region: 'eu' } }, backups: ['eu'] },
      ['backups: name only "eu", where the plan is active; name another cluster'],
    ],
    [
      { cluster: { all: true }, backups: ['eu'] },
      ['backups: say nothing of a plan that is active everywhere; leave them out'],
    ],
    [
      { cluster: { all: { matchLabels: { tier: 'dev' } } } },
      ['cluster: no cluster matches tier=dev; the nearest is eu, with tier=prod,region=eu'],
    ],
    [
      { cluster: { matchLabels: { 'a b': 'c d' }, matchExpressions: [{ key: 'x', operator: 'In', values: [] }] } },
      [
        'cluster.matchLabels.a b: the key "a b" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit',
        'cluster.matchLabels.a b: "c d" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit',
        'cluster.matchExpressions[0].values: is empty, and In needs one at least',
      ],
    ],
  ])('nowhere with %j', (request, problems) => {
    const placing = place(request);
    expect(placing.placement).toBeUndefined();
    expect(placing.problems.map(formatProblem)).toEqual(problems);
  });
});

describe('of the clusters that match', () => {
  const anywhere = { cluster: {}, by: 'plan' } as const;
  const chosen = (plan: string, on: readonly PlacementTarget[]) => placePlan(plan, anywhere, on).placement!.cluster;
  const fleet = fc.uniqueArray(
    fc.record({ name: fc.stringMatching(/^[a-z]{1,6}$/), weight: fc.double({ min: 0.01, max: 100, noNaN: true }) }),
    { minLength: 1, maxLength: 6, selector: ({ name }) => name },
  );
  const plans = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 40 });

  it('one that comes or goes moves only the plans that it takes or had', () => {
    fc.assert(
      fc.property(fleet, fc.double({ min: 0.01, max: 100, noNaN: true }), plans, (on, weight, names) => {
        const more = [...on, { name: 'newcomer', weight }];
        for (const plan of names) expect(['newcomer', chosen(plan, on)]).toContain(chosen(plan, more));
      }),
    );
  });

  it('one whose weight grows moves only plans to itself', () => {
    fc.assert(
      fc.property(fleet, fc.double({ min: 1, max: 10, noNaN: true }), plans, (on, factor, names) => {
        const [first, ...others] = on;
        const heavier = [{ ...first!, weight: first!.weight * factor }, ...others];
        for (const plan of names) expect([first!.name, chosen(plan, on)]).toContain(chosen(plan, heavier));
      }),
    );
  });

  it('the choice does not depend on their order', () => {
    fc.assert(
      fc.property(fleet, plans, (on, names) => {
        for (const plan of names) expect(chosen(plan, on.toReversed())).toBe(chosen(plan, on));
      }),
    );
  });

  it('no one holds a plan twice, and the backups are as many as were asked for', () => {
    fc.assert(
      fc.property(fleet, fc.string({ minLength: 1 }), fc.nat(5), (on, plan, count) => {
        fc.pre(count < on.length);
        const { placement } = placePlan(plan, { ...anywhere, backups: Array.from({ length: count }, () => ({})) }, on);
        const all = [placement!.cluster, ...(placement!.backups ?? []).map(({ cluster }) => cluster)];
        expect(new Set(all).size).toBe(count + 1);
      }),
    );
  });

  it('a plan whose cluster goes moves to its first backup', () => {
    fc.assert(
      fc.property(fleet, fc.string({ minLength: 1 }), (on, plan) => {
        fc.pre(on.length > 1);
        const { cluster, backups } = placePlan(plan, { ...anywhere, backups: [{}] }, on).placement!;
        expect(
          chosen(
            plan,
            on.filter(({ name }) => name !== cluster),
          ),
        ).toBe(backups![0]!.cluster);
      }),
    );
  });

  it('each takes a share as large as its weight', () => {
    const weights = { a: 1, b: 1, c: 2, d: 4 };
    const on = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
    const counts = Map.groupBy(
      Array.from({ length: 4000 }, (_, index) => chosen(`plan-${index}`, on)),
      (name) => name,
    );
    // Five standard deviations of the counts, so that a wrong formula shows and the chance of these names does not.
    for (const [name, weight] of Object.entries(weights)) {
      const share = weight / 8;
      expect(Math.abs(counts.get(name)!.length - 4000 * share)).toBeLessThan(5 * Math.sqrt(4000 * share * (1 - share)));
    }
  });
});
