import { describe, expect, it } from 'vitest';
import { parsePlacement } from '../../lib/fleet/placement.ts';
import { activeClusters, enabledClusters, planKey, planOfKey, type Placement } from '../../lib/graph/placement.ts';

const whole: Placement = {
  fleet: 'acme',
  clusters: {
    eu: {
      context: 'eu-admin',
      namespace: 'etl',
      labels: { tier: 'prod' },
      weight: 2,
      enabled: true,
      capabilities: { namespaces: ['etl'] },
    },
    us: { context: 'us', namespace: 'etl', weight: 1, enabled: true },
    old: { context: 'old', namespace: 'etl', weight: 1, enabled: false },
  },
  plans: {
    a: { cluster: 'eu', reason: 'named by the plan', backups: [{ cluster: 'us', reason: 'named by the plan' }] },
    'sand/b': { cluster: 'eu', reason: 'on every cluster', everywhere: ['eu', 'us'] },
  },
};

describe('a placement file', () => {
  it('is read as it was written', () => {
    expect(parsePlacement(JSON.stringify(whole), 'p')).toEqual(whole);
  });

  it('may be from before clusters could be disabled and fleets had names', () => {
    const old = {
      clusters: { test: { context: 'kind-test' } },
      plans: { a: { cluster: 'test', reason: 'the only cluster' } },
    };
    expect(parsePlacement(JSON.stringify(old), 'p')).toEqual({
      ...old,
      fleet: 'default',
      clusters: { test: { context: 'kind-test', enabled: true } },
    });
    expect(parsePlacement('{ "clusters": {} }', 'p')).toEqual({ fleet: 'default', clusters: {}, plans: {} });
  });

  it.each([
    ['{', 'dist/placement.json cannot be read'],
    ['[]', 'must be an object, not []'],
    ['{}', 'clusters: must be an object, not undefined'],
  ])('is refused when it is %s', (text, message) => {
    expect(() => parsePlacement(text, 'dist/placement.json')).toThrow(message);
  });

  it('is refused with every field that is wrong', () => {
    const wrong = {
      fleet: '',
      clusters: {
        a: { context: 3, labels: [] },
        b: 1,
        c: { namespace: '', weight: 0, enabled: 'yes', capabilities: 'many' },
      },
      plans: {
        p: { cluster: 'x', reason: 1, backups: [{ cluster: 'y', reason: '' }, 2], everywhere: ['a', 'z'] },
        q: null,
        r: { cluster: 'a', reason: '', backups: {}, everywhere: 'a' },
      },
    };
    const problems = [
      'fleet: must be a name, not ""',
      'clusters.a.context: must be a name, not 3',
      'clusters.a.labels: must be an object, not []',
      'clusters.b: must be an object, not 1',
      'clusters.c.namespace: must be a name, not ""',
      'clusters.c.capabilities: must be an object, not "many"',
      'clusters.c.weight: must be a number above 0, not 0',
      'clusters.c.enabled: must be true or false, not "yes"',
      'plans.p.cluster: must be a cluster of the fleet, not "x"',
      'plans.p.reason: must be a text, not 1',
      'plans.p.backups[0].cluster: must be a cluster of the fleet, not "y"',
      'plans.p.backups[1]: must be an object, not 2',
      'plans.p.everywhere[1]: must be a cluster of the fleet, not "z"',
      'plans.q: must be an object, not null',
      'plans.r.backups: must be a list, not {}',
      'plans.r.everywhere: must be a list, not "a"',
    ];
    expect(() => parsePlacement(JSON.stringify(wrong), 'p')).toThrow(
      ['p is not valid:', ...problems.map((problem) => `  ${problem}; run synth again`)].join('\n'),
    );
  });
});

describe('of a placement', () => {
  it('the clusters in use are those that are enabled', () => expect(enabledClusters(whole)).toEqual(['eu', 'us']));

  it('a plan is active on one cluster, or on all that it was asked to be on', () => {
    expect(Object.values(whole.plans).map(activeClusters)).toEqual([['eu'], ['eu', 'us']]);
  });

  it.each([
    [undefined, 'etl', 'etl'],
    ['sand', 'etl', 'sand/etl'],
  ])('the key of a plan in namespace %s tells its name and its namespace', (namespace, name, key) => {
    expect(planKey(name, namespace)).toBe(key);
    expect(planOfKey(key)).toEqual(namespace === undefined ? { name } : { name, namespace });
  });
});
