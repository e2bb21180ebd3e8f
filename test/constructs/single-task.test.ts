import { Duration } from 'cdk8s';
import { LaunchPlan, Schedule, TaskJob, TaskPod } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { etl } from './etl.ts';
import { find, synth } from './support.ts';

describe('one task needs no controller', () => {
  const environment = (site: string, limit: string) => [
    { name: 'INPUT_SITE', value: site },
    { name: 'INPUT_LIMIT', value: limit },
    {
      name: 'WORKFLOW_RUN',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } },
    },
    { name: 'WORKFLOW_STEP', value: 'extract' },
    { name: 'WORKFLOW_OUTPUTS', value: '/dev/termination-log' },
  ];
  const byName = (variables: { name: string }[]) => [...variables].sort((a, b) => a.name.localeCompare(b.name));

  it('as a Job with its retries and deadlines', () => {
    const { metadata, spec } = find(
      synth((chart) => void new TaskJob(chart, 'once', { task: etl(chart).task, inputs: { site: 'a', limit: 3 } })),
      'Job',
    );
    expect(metadata.name).toBe('once');
    expect(spec).toMatchObject({
      backoffLimit: 2,
      activeDeadlineSeconds: 300,
      template: { spec: { restartPolicy: 'Never', activeDeadlineSeconds: 60 } },
    });
    expect(spec).not.toHaveProperty('managedBy');
    expect(byName(spec.template.spec.containers[0].env)).toEqual(byName(environment('a', '3')));
  });

  it('as a Pod that learns its name', () => {
    const { spec } = find(
      synth(
        (chart) =>
          void new TaskPod(chart, 'once', {
            task: etl(chart).task,
            inputs: { site: '$(x)' },
            override: { image: 'etl:2' },
          }),
      ),
      'Pod',
    );
    expect(spec.containers[0]).toMatchObject({ image: 'etl:2', command: ['etl'] });
    expect(spec.containers[0].env).toContainEqual({ name: 'INPUT_SITE', value: '$$(x)' });
    expect(spec.containers[0].env).toContainEqual({
      name: 'WORKFLOW_RUN',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
    });
  });

  it('as a plain CronJob, with defaults filled in', () => {
    const { spec } = find(
      synth(
        (chart) =>
          void new LaunchPlan(chart, 'p', {
            task: etl(chart).task,
            inputs: { site: 'a' },
            schedule: Schedule.cron('0 3 * * 0'),
            timeout: Duration.minutes(2),
          }),
      ),
      'CronJob',
    );
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 120 });
    expect(spec.jobTemplate.spec).not.toHaveProperty('managedBy');
    expect(spec.jobTemplate.metadata).not.toHaveProperty('annotations');
    expect(byName(spec.jobTemplate.spec.template.spec.containers[0].env)).toEqual(byName(environment('a', '10')));
  });
});
