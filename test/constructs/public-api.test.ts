import * as api from 'cdk8s-workflows';
import { expect, it } from 'vitest';

it('the package exports these names and no others', () => {
  expect(Object.keys(api).sort()).toEqual([
    'Condition',
    'ContainerTask',
    'EndCondition',
    'Fleet',
    'Gate',
    'InvalidError',
    'LaunchPlan',
    'MapStep',
    'Reference',
    'Run',
    'Schedule',
    'Step',
    'StepBase',
    'Task',
    'TaskJob',
    'TaskPod',
    'Workflow',
    'WorkflowController',
    'WorkflowDriverAccount',
    'all',
    'allDone',
    'allSucceeded',
    'and',
    'any',
    'cancelled',
    'cel',
    'clusterOf',
    'eq',
    'failed',
    'finished',
    'ge',
    'gt',
    'isTrue',
    'le',
    'lt',
    'ne',
    'noLatest',
    'noneFailed',
    'not',
    'oneFailed',
    'oneSucceeded',
    'or',
    'pinnedImages',
    'podSecurity',
    'resourcesSet',
    'rule',
    'skipped',
    'succeeded',
    'validateManifests',
    'z',
  ]);
});

it('inner modules cannot be imported', async () => {
  const inner = 'cdk8s-workflows/lib/engine/run.js';
  await expect(import(inner)).rejects.toThrow();
});
