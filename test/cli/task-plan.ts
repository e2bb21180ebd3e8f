import type { PlanCronJob } from '../../lib/runs/run-objects.ts';

/** A plan of a single task, whose pod the policy of its cluster keeps off the network of its node. */
export const plan: PlanCronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'once', namespace: 'data', uid: 'u1' },
  spec: {
    schedule: '0 * * * *',
    jobTemplate: {
      metadata: {
        labels: { 'cdk8s-workflows.dev/task': 'train' },
        annotations: {
          'cdk8s-workflows.dev/policy': JSON.stringify({ cluster: 'eu', template: { spec: { hostNetwork: false } } }),
        },
      },
      spec: {
        template: {
          spec: { containers: [{ name: 'main', image: 'train:1', env: [{ name: 'INPUT_SITE', value: 'a' }] }] },
        },
      },
    },
  },
};
