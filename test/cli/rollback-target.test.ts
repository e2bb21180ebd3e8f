import { describe, expect, it } from 'vitest';
import type { PlanVersion } from '../../lib/cli/cluster/plans/plan-versions.ts';
import { versionBefore, versionNamed } from '../../lib/cli/cluster/plans/rollback-target.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';

const manifest = (graph: string): PlanCronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'plan' },
  spec: {
    schedule: '0 0 * * *',
    jobTemplate: {
      metadata: { labels: { [labels.workflow]: 'etl' }, annotations: { [annotations.graph]: graph } },
      spec: {},
    },
  },
});

/** A plan on a version, held from another one, or that had another one before. */
function plan(graph: string, { next, previous }: { next?: string; previous?: string } = {}): PlanCronJob {
  const notes = {
    ...(next && { [annotations.next]: JSON.stringify(manifest(next)) }),
    ...(previous && { [annotations.previous]: JSON.stringify(manifest(previous)) }),
  };
  return { ...manifest(graph), metadata: { name: 'plan', annotations: notes } };
}

const versions = ['v4', 'v3', 'v2', 'v1'].map((name, index): PlanVersion => ({
  name,
  version: `${name}x`,
  createdAt: -index,
  current: false,
  next: false,
}));

describe('the version to go back to', () => {
  it.each([
    ['the one before, of a plan', [plan('v3')], 'v2'],
    ['the one before the newest that there is, of a group', [plan('v3'), plan('v2')], 'v2'],
    ['the one of those that are held, though others lie between', [plan('v4'), plan('v1', { next: 'v4' })], 'v1'],
    ['the one that they had before, though others lie between', [plan('v4', { previous: 'v2' })], 'v2'],
    ['no newer one, when all are held', [plan('v2', { next: 'v1' })], undefined],
    [
      'none of several that plans had before',
      [plan('v4', { previous: 'v2' }), plan('v4', { previous: 'v1' })],
      undefined,
    ],
    ['none before the first', [plan('v1')], undefined],
    ['none of a version that is gone', [plan('v0')], undefined],
    ['none when the one that they had before is gone', [plan('v4', { previous: 'v0' })], undefined],
    ['none when that is gone at which others are held', [plan('v4'), plan('v0', { next: 'v4' })], undefined],
  ])('is %s', (_, plans, expected) => {
    if (expected === undefined)
      expect(() => versionBefore('etl', plans, versions)).toThrow(/no version|have had|not on/);
    else expect(versionBefore('etl', plans, versions).name).toBe(expected);
  });

  it('is the one that is named, by what is enough of its name', () => {
    expect(versionNamed('etl', versions, 'v2').name).toBe('v2');
    expect(versionNamed('etl', versions, 'v3x').name).toBe('v3');
    expect(() => versionNamed('etl', versions, 'v')).toThrow('may be v4x or v3x or v2x or v1x; write more of it');
    expect(() => versionNamed('etl', versions, 'w')).toThrow('etl has no such version');
  });
});
