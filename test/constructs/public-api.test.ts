import * as api from 'cdk8s-workflows';
import { expect, it } from 'vitest';

it('the package exports these names and no others', () => {
  expect(Object.keys(api).sort()).toEqual([
    'Condition',
    'ContainerTask',
    'Fleet',
    'InvalidError',
    'LaunchPlan',
    'Reference',
    'Run',
    'Schedule',
    'Step',
    'Task',
    'TaskJob',
    'TaskPod',
    'Workflow',
    'WorkflowController',
    'WorkflowDriverAccount',
    'and',
    'clusterOf',
    'eq',
    'ge',
    'gt',
    'isTrue',
    'le',
    'lt',
    'ne',
    'noLatest',
    'not',
    'or',
    'pinnedImages',
    'podSecurity',
    'resourcesSet',
    'rule',
    'validateManifests',
    'z',
  ]);
});

it('inner modules cannot be imported', async () => {
  const inner = 'cdk8s-workflows/lib/engine/run.js';
  await expect(import(inner)).rejects.toThrow();
});
