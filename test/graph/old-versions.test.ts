import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neededBy, oldVersions, VERSION_GRACE_MS, type Version } from '../../lib/graph/old-versions.ts';
import { graphOf } from '../engine/scenario.ts';

const now = 1_000_000_000_000;
const hours = (count: number) => count * 60 * 60 * 1000;

/** A version of `etl`, so many hours old, with a template of its own and one that all of them share. */
function version(name: string, age: number, more: Partial<Version> = {}): Version {
  return {
    name,
    workflow: 'etl',
    createdAt: now - hours(age),
    templates: [`${name}-t`, 'shared'],
    graphs: [],
    ...more,
  };
}

function sweep(
  graphs: readonly Version[],
  { used = [] as readonly string[], keep = undefined as number | undefined } = {},
) {
  const names = new Set([...graphs.flatMap(({ templates }) => templates), 'orphan']);
  const templates = [...names].map((name) => ({ name, createdAt: now - hours(99) }));
  const limit = keep === undefined ? {} : { revisionHistoryLimit: keep };
  const old = oldVersions({ graphs, templates, used: new Set(used), now, ...limit });
  return [...old.graphs, ...old.templates].map(({ name }) => name);
}

describe('old versions', () => {
  const three = [version('a', 30), version('b', 20), version('c', 10)];

  it.each<[string, Parameters<typeof sweep>, readonly string[]]>([
    ['are none while there are ten at most', [three], ['orphan']],
    ['are those beyond the newest', [three, { keep: 2 }], ['a', 'a-t', 'orphan']],
    ['are not the one that something uses', [three, { keep: 1, used: ['a'] }], ['b', 'b-t', 'orphan']],
    [
      'are all that nothing uses, if none is to be kept',
      [three, { keep: 0, used: ['c'] }],
      ['a', 'b', 'a-t', 'b-t', 'orphan'],
    ],
    [
      'are older than an hour',
      [[...three, version('d', 0.5), version('e', 0.1)], { keep: 0 }],
      ['a', 'b', 'c', 'a-t', 'b-t', 'c-t', 'orphan'],
    ],
    [
      'are not what a version that is kept needs',
      [
        [
          version('a', 30, { workflow: 'part' }),
          version('b', 20, { workflow: 'part' }),
          version('c', 10, { graphs: ['a'] }),
        ],
        { keep: 1 },
      ],
      ['orphan'],
    ],
    [
      'are as many as the newest version says',
      [
        [
          version('a', 30, { revisionHistoryLimit: 9 }),
          version('b', 20),
          version('c', 10, { revisionHistoryLimit: 1 }),
        ],
      ],
      ['a', 'b', 'a-t', 'b-t', 'orphan'],
    ],
    [
      'are counted for each workflow',
      [[version('a', 30), version('b', 20, { workflow: 'other' })], { keep: 1 }],
      ['orphan'],
    ],
  ])('%s', (_, [graphs, options], expected) => {
    expect(sweep(graphs, options)).toEqual(expected);
  });

  it('never take what a version that is kept, used or young needs', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const graph = fc.record({
      workflow: fc.constantFrom('etl', 'train'),
      createdAt: fc.integer({ min: now - 3 * VERSION_GRACE_MS, max: now }),
      templates: fc.subarray(['t1', 't2', 't3', 't4']),
      graphs: fc.subarray(names),
    });
    fc.assert(
      fc.property(fc.array(graph, { maxLength: 6 }), fc.subarray(names), fc.nat(3), (drawn, used, keep) => {
        const graphs = drawn.map((each, index) => ({ ...each, name: names[index]! }));
        const templates = ['t1', 't2', 't3', 't4'].map((name) => ({ name, createdAt: 0 }));
        const old = oldVersions({ graphs, templates, used: new Set(used), now, revisionHistoryLimit: keep });
        const gone = new Set([...old.graphs, ...old.templates].map(({ name }) => name));
        for (const left of graphs.filter(({ name }) => !gone.has(name)))
          expect([...left.templates, ...left.graphs].filter((name) => gone.has(name))).toEqual([]);
        for (const { name, createdAt } of graphs)
          if (used.includes(name) || now - createdAt <= VERSION_GRACE_MS) expect(gone).not.toContain(name);
        for (const workflow of ['etl', 'train']) {
          const left = graphs.filter((each) => each.workflow === workflow && !gone.has(each.name));
          const all = graphs.filter((each) => each.workflow === workflow);
          expect(left.length).toBeGreaterThanOrEqual(Math.min(keep, all.length));
        }
      }),
    );
  });
});

it('a graph needs the templates of its tasks and the graphs of its runs', () => {
  const graph = graphOf({
    one: { template: 'one-1' },
    many: { kind: 'map', template: 'many-1', over: [{ input: 'n', list: { value: [1] } }] },
    part: { kind: 'run', runs: { workflow: 'part', graph: 'part-1', version: '1' }, inputs: {} },
    planned: { kind: 'run', runs: { plan: 'nightly' }, inputs: {} },
  });
  expect(neededBy(graph)).toEqual({ templates: ['one-1', 'many-1'], graphs: ['part-1'] });
});
