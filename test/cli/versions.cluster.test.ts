import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../lib/kube/clock.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { configMaps, cronJobs, podTemplates } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, cronJob, runOf, workflow, type TestWorkflow } from '../controller/support.ts';
import { cliFor, steady } from './cluster-cli.ts';

const HOURS = 60 * 60 * 1000;
const part = workflow('part', [{ name: 'only', sim: { outputs: '{}' } }]);
/** Versions of one workflow; the first has another workflow as a step, the last one more input. */
const versions = [1, 2, 3].map((version) =>
  workflow(
    'etl',
    [
      { name: 'load', sim: { outputs: '{}', log: `version ${version}` } },
      ...(version === 1 ? [{ name: 'part', runs: runOf(part), after: ['load'] }] : []),
    ],
    {
      inputs: {
        properties: { site: { type: 'string' }, ...(version === 3 && { day: { type: 'string' } }) },
        required: [],
      },
    },
  ),
);
const [first, second, third] = versions as [TestWorkflow, TestWorkflow, TestWorkflow];
const versionOf = (of: TestWorkflow) => of.graphName.slice('etl-'.length);

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'versions', nodes: 1 });
});

afterAll(() => cluster?.stop());

beforeEach(async () => {
  bench = await Bench.create(cluster.kubeconfigPath, 'versions');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await bench.apply(...part.manifests);
  for (const [index, version] of versions.entries()) {
    // The times that Kubernetes gives have whole seconds.
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 1100));
    await bench.apply(...version.manifests);
  }
  await bench.apply(cronJob(third, 'plan'));
});

afterEach(async () => {
  vi.useRealTimers();
  await bench.close();
});

const namesOf = async () => {
  const all = await Promise.all([configMaps, podTemplates].map((of) => bench.client.list(of)));
  return all
    .flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
    .filter((name) => /^(etl|part)-/.test(name));
};

describe('history and rollback', () => {
  it('list the versions of a plan, and let its runs be of an earlier one', async () => {
    await bench.launch(third, 'newest');
    await bench.controller();
    await bench.finished('newest');
    const table = steady((await cli(['history', 'plan'])).stdout).replace(/<n>s/g, 'N');
    expect(table).toBe(`CURRENT VERSION AGE STEPS RUNS LAST RUN
* ${versionOf(third)} N 1 1 Succeeded, N ago
 ${versionOf(second)} N 1 0 -
 ${versionOf(first)} N 2 0 -
`);
    expect((await cli(['rollback', 'plan', '--dry-run'])).stdout).toBe(
      `plan plan rolled back from ${versionOf(third)} to ${versionOf(second)} (dry run)\n`,
    );
    const back = await cli(['rollback', 'plan', '--to', versionOf(first).slice(0, 6)]);
    expect(back.stdout).toBe(`plan plan rolled back from ${versionOf(third)} to ${versionOf(first)}\n`);
    expect(back.stderr).toContain('apply --force-conflicts goes forward again');
    expect((await cli(['rollback', 'plan', '--to', versionOf(first)])).stdout).toContain('already');
    const { code, stderr } = await cli(['launch', 'plan', '--name', 'older', '--wait']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('older succeeded')]);
    expect((await bench.job('older')).spec!.completions).toBe(2);
    expect([...(await bench.record('older')).steps.keys()]).toEqual(['load', 'part']);
    const json = JSON.parse((await cli(['history', 'plan', '-o', 'json'])).stdout) as { current: boolean }[];
    expect(json.map(({ current }) => current)).toEqual([false, false, true]);
  });

  it('go on from the version before the current one', async () => {
    for (const version of [second, first])
      expect((await cli(['rollback', 'plan'])).stdout).toContain(`to ${versionOf(version)}\n`);
    expect(await cli(['rollback', 'plan'])).toMatchObject({
      code: 1,
      stderr: `error: There is no version of plan before the current one, ${versionOf(first)}\n`,
    });
  });

  it('refuse a version that the plan does not fit, with all that is wrong, and change nothing', async () => {
    const patch = {
      spec: { jobTemplate: { metadata: { annotations: { 'cdk8s-workflows.dev/inputs': '{"day":"x"}' } } } },
    };
    await bench.client.patch(cronJobs, 'plan', patch, { type: 'merge' });
    const template = second.manifests[0]!.metadata!.name!;
    await bench.client.delete(podTemplates, template);
    const { code, stderr } = await cli(['rollback', 'plan']);
    expect(code).toBe(2);
    expect(stderr).toContain(`Cannot roll back plan to ${versionOf(second)}`);
    expect(stderr).toContain('day');
    expect(stderr).toContain(`PodTemplate ${template}: is gone; apply that version again from its source`);
    expect(await cli(['rollback', 'plan', '--to', 'zzz'])).toMatchObject({ code: 2 });
    const { spec } = await bench.client.get<KubeObject & { spec: object }>(cronJobs, 'plan');
    expect(JSON.stringify(spec)).toContain(third.graphName);
  });
});

describe('old versions', () => {
  it('are shown by gc, and deleted when it is told to, but for what is used', async () => {
    await bench.launch(first, 'kept', { spec: { suspend: true } });
    expect((await cli(['gc', '--keep', '1', '--dry-run'])).stdout).toBe(
      `Nothing to delete in namespace ${bench.namespace}\n`,
    );
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * HOURS });
    const before = await namesOf();
    const { stdout } = await cli(['gc', '--keep', '1', '--dry-run']);
    const doomed = [second.manifests[0]!, second.manifests[1]!].map(({ metadata }) => metadata!.name!);
    expect(steady(stdout)).toBe(`WORKFLOW KIND NAME AGE
etl PodTemplate ${doomed[0]} 120m
etl ConfigMap ${doomed[1]} 120m
2 objects would be deleted
`);
    expect(await cli(['gc', '--keep', '1'])).toMatchObject({ code: 2 });
    expect(await namesOf()).toEqual(before);
    expect((await cli(['gc', '--keep', '1', '--yes'])).stdout).toContain('2 objects deleted');
    expect(await namesOf()).toEqual(before.filter((name) => !doomed.includes(name)));
  });

  it('are deleted by the controller as their workflow says it, and not beside a graph that cannot be read', async () => {
    const limit = { metadata: { annotations: { 'cdk8s-workflows.dev/revision-history-limit': '1' } } };
    await bench.client.patch(configMaps, third.graphName, limit, { type: 'merge' });
    await bench.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'etl-broken', labels: third.manifests[1]!.metadata!.labels },
      data: { 'graph.json': '{' },
    });
    const later = { ...systemClock, now: () => Date.now() + 2 * HOURS };
    const options = { clock: later, timing: { sweepMs: 100 } };
    const controller = await bench.controller(options);
    await eventually(() => (controller.controller.ready ? Promise.resolve() : Promise.reject(new Error('not ready'))));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await namesOf()).toContain(first.graphName);
    await bench.client.delete(configMaps, 'etl-broken');
    const kept = [third.manifests[1]!, third.manifests[0]!, part.manifests[1]!, part.manifests[0]!];
    await eventually(async () => {
      expect((await namesOf()).toSorted()).toEqual(kept.map(({ metadata }) => metadata!.name!).toSorted());
    }, 10_000);
  });
});
