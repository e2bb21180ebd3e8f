import { describe, expect, it } from 'vitest';
import { launchSettings, optionOf } from '../../lib/cli/cluster/launch/launch-settings.ts';
import type { SettingsOptions } from '../../lib/cli/settings-options.ts';
import { taskRun, workflowRun } from '../../lib/runs/launch-job.ts';
import { nameProblems, requestOf, settingsProblems, withSettings } from '../../lib/runs/launch-settings.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import { formatProblem } from '../../lib/values/problems.ts';

function wrong(options: SettingsOptions): readonly string[] {
  const { settings, problems } = launchSettings(options);
  const found = [...settingsProblems(settings)].map((problem) => ({ ...problem, path: optionOf(problem.path) }));
  return [...problems, ...found].map(formatProblem);
}

describe('the settings of a launch', () => {
  it('come from options as kubectl has them', () => {
    const options = {
      env: ['LEVEL=debug', 'QUERY=a=b', 'EMPTY=', 'OLD-'],
      labels: ['team=data,tier=low', 'ticket=OPS-7'],
      annotations: ['acme.dev/why=a, b'],
      runTimeout: 7200,
      ttlAfterFinished: 60,
      serviceAccount: 'etl',
      retries: 2,
      cache: false,
    };
    expect(launchSettings(options)).toEqual({
      settings: {
        env: { LEVEL: 'debug', QUERY: 'a=b', EMPTY: '', OLD: null },
        labels: { team: 'data', tier: 'low', ticket: 'OPS-7' },
        annotations: { 'acme.dev/why': 'a, b' },
        timeoutSeconds: 7200,
        ttlSecondsAfterFinished: 60,
        serviceAccount: 'etl',
        retries: { limit: 2 },
        cache: 'Off',
      },
      problems: [],
    });
    expect(launchSettings({})).toEqual({ settings: {}, problems: [] });
  });

  it('are refused with all their problems at once, each with its option', () => {
    const options = {
      env: ['LEVEL', '=1', 'A=1', 'A=2', '-'],
      labels: ['team=a b,x', 'cdk8s-workflows.dev/plan=other'],
      annotations: ['a/b/c=1', 'cdk8s-workflows.dev/recover=x'],
      runTimeout: 0,
    };
    expect(wrong(options)).toEqual([
      '--env LEVEL: has no value; write --env key=value',
      '--env =1: has no value; write --env key=value',
      '--env A: is given twice; give it once',
      '--env -: has no value; write --env key=value',
      '--labels x: has no value; write --labels key=value',
      '--run-timeout: must be a whole number of at least 1, not 0',
      '--labels team: "a b" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit',
      '--labels cdk8s-workflows.dev/plan: is set by cdk8s-workflows itself; take another name',
      '--annotations a/b/c: has more than one "/"',
      '--annotations cdk8s-workflows.dev/recover: is set by cdk8s-workflows itself; take another name',
    ]);
  });

  it('go below what is said of templates, of pods as of the Job', () => {
    const settings = { env: { A: '1', B: '2' }, labels: { team: 'data' }, serviceAccount: 'etl' };
    const containers = [{ name: 'main', env: [{ name: 'B', value: '3' }] }];
    const override = {
      '*': { spec: { containers }, job: { spec: { backoffLimit: 1 } } },
      load: { spec: { priority: 1 } },
    };
    expect(withSettings(override, settings)).toEqual({
      '*': {
        metadata: { labels: { team: 'data' } },
        spec: {
          serviceAccountName: 'etl',
          containers: [
            {
              name: 'main',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '3' },
              ],
            },
          ],
        },
        job: { spec: { backoffLimit: 1 } },
      },
      load: { spec: { priority: 1 } },
    });
    expect(withSettings(override, { priority: 1 })).toBe(override);
  });

  it('cannot be a name and a key, or a key that is too long', () => {
    expect([...nameProblems({ name: 'A', idempotencyKey: 'k'.repeat(257) })].map(formatProblem)).toEqual([
      'name: "A" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
      'idempotencyKey: names the run, and so does name; give one of them',
      'idempotencyKey: must have 1 to 256 characters, not 257',
    ]);
  });

  it('tell one request from another, whatever is left out or in which order it stands', () => {
    const asked = requestOf('etl', { a: 1, b: 2 }, { env: { A: '1' }, priority: undefined } as object);
    expect(requestOf('etl', { b: 2, a: 1 }, { env: { A: '1' } })).toBe(asked);
    for (const other of [
      requestOf('etl', { a: 1, b: 2 }, { env: { A: '2' } }),
      requestOf('etl', { a: 1, b: 2 }, { env: { A: '1' }, priority: 0 }),
      requestOf('etl', { a: 1, b: 2 }, { env: { A: '1' } }, { '*': {} }),
    ])
      expect(other).not.toBe(asked);
  });
});

describe('the Job of a launch with settings', () => {
  const plan: PlanCronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'etl', namespace: 'data' },
    spec: {
      schedule: '0 * * * *',
      jobTemplate: {
        metadata: { labels: { team: 'x', kept: 'yes' }, annotations: { note: 'plan' } },
        spec: { activeDeadlineSeconds: 60, parallelism: 3, template: { spec: { containers: [{ name: 'main' }] } } },
      },
    },
  };
  const settings = {
    labels: { team: 'y' },
    annotations: { note: 'launch' },
    timeoutSeconds: 5,
    ttlSecondsAfterFinished: 0,
  };
  const expected = {
    metadata: {
      labels: { team: 'y', kept: 'yes', 'cdk8s-workflows.dev/plan': 'etl' },
      annotations: { note: 'launch' },
    },
    spec: { activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 0, parallelism: 3 },
  };

  it('has them over those of the plan, for a workflow as for a single task', () => {
    expect(workflowRun({ ...plan }, 'r', {}, settings)).toMatchObject(expected);
    expect(taskRun(plan, 'r', {}, settings)).toMatchObject(expected);
    const override = withSettings(undefined, { ...settings, env: { A: '1' } });
    const job = taskRun(plan, 'r', {}, { ...settings, override });
    expect(job).toMatchObject(expected);
    expect((job.spec as { template: unknown }).template).toMatchObject({
      metadata: { labels: { team: 'y' }, annotations: { note: 'launch' } },
      spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] },
    });
  });
});
