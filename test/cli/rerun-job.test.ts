import { describe, expect, it } from 'vitest';
import { isSameRequest, rerunJob, rerunName, rerunNumber } from '../../lib/cli/cluster/launch/rerun-job.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import type { RunJob } from '../../lib/runs/run-objects.ts';

const generated = { 'controller-uid': 'u', 'job-name': 'etl', 'batch.kubernetes.io/job-name': 'etl' };
const old: RunJob = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: 'etl',
    labels: { [labels.plan]: 'etl', team: 'data' },
    annotations: {
      [annotations.graph]: 'etl-1',
      [annotations.inputs]: '{}',
      [annotations.cancel]: 'Now',
      'argocd.argoproj.io/tracking-id': 'x',
    },
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'etl', uid: '1', controller: true }],
  },
  spec: {
    parallelism: 4,
    suspend: true,
    activeDeadlineSeconds: 600,
    selector: { matchLabels: { 'controller-uid': 'u' } },
    template: { metadata: { labels: { ...generated, app: 'etl' } }, spec: { containers: [] } },
  },
};

describe('the Job of a rerun', () => {
  it('asks what the old one asked, and nothing that the cluster or its user added later', () => {
    const { metadata, spec } = rerunJob(old, 'etl-r1', { all: false, steps: ['load'] });
    expect(metadata).toMatchObject({ name: 'etl-r1', labels: old.metadata.labels });
    expect(metadata.ownerReferences).toEqual(old.metadata.ownerReferences);
    expect(metadata.annotations).toEqual({
      [annotations.graph]: 'etl-1',
      [annotations.inputs]: '{}',
      'cronjob.kubernetes.io/instantiate': 'manual',
      [annotations.recover]: 'etl',
      [annotations.rerunSteps]: '["load"]',
    });
    expect(spec).toEqual({
      parallelism: 4,
      activeDeadlineSeconds: 600,
      template: { metadata: { labels: { app: 'etl' } }, spec: { containers: [] } },
    });
  });

  it('may take as long as the old one, unless another time is given', () => {
    const deadline = (more: object) =>
      (rerunJob(old, 'etl-r1', { all: false, steps: [], ...more }).spec as RunJob['spec']).activeDeadlineSeconds;
    expect([deadline({}), deadline({ timeoutSeconds: 7200 })]).toEqual([600, 7200]);
  });

  it('changes pods and the Jobs around them as the old one did', () => {
    const { podOverride, jobOverride, runOverride } = annotations;
    const said = {
      [podOverride]: '{"spec":{}}',
      [jobOverride]: '{"spec":{"suspend":true}}',
      [runOverride]: '{"*":{}}',
    };
    const changed = { ...old, metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...said } } };
    const rerun = rerunJob(changed, 'etl-r1', { all: false, steps: [] });
    expect(rerun.metadata.annotations).toMatchObject(said);
    expect(isSameRequest(rerun, rerunJob(old, 'etl-r1', { all: false, steps: [] }))).toBe(false);
  });

  it('uses kept results as the old one did, unless it is told otherwise or all steps run again', () => {
    const { cache } = annotations;
    const off = { ...old, metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, [cache]: 'Off' } } };
    const mode = (from: RunJob, more: object) =>
      rerunJob(from, 'etl-r1', { all: false, steps: [], ...more }).metadata.annotations?.[cache];
    expect([mode(old, {}), mode(off, {}), mode(off, { cache: 'Overwrite' })]).toEqual([undefined, 'Off', 'Overwrite']);
    expect([mode(old, { all: true }), mode(old, { all: true, cache: 'Off' })]).toEqual(['Overwrite', 'Off']);
  });

  it('leaves out the deadline by which a single task was cancelled', () => {
    const task = { ...old, metadata: { ...old.metadata, annotations: { [annotations.cancel]: 'Now' } } };
    expect(rerunJob(task, 'etl-r1', { all: true, steps: [] }).spec).not.toHaveProperty('activeDeadlineSeconds');
  });

  it.each([
    ['etl', 1, 'etl-r1'],
    ['etl-r1', 2, 'etl-r2'],
    ['etl-r', 1, 'etl-r-r1'],
    ['r1', 1, 'r1-r1'],
    ['x'.repeat(63), 1, `${'x'.repeat(60)}-r1`],
    [`${'x'.repeat(59)}-abc`, 1, `${'x'.repeat(59)}-r1`],
  ])('has a name that follows from that of %s', (run, number, name) => {
    expect(rerunNumber(run) + 1).toBe(number);
    expect(rerunName(run, number)).toBe(name);
  });
});
