import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Workflow, z } from 'cdk8s-workflows';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { labels } from '../../lib/graph/labels.ts';
import type { KubeObject, NewObject } from '../../lib/kube/objects.ts';
import { jobs, pods } from '../../lib/kube/resources.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { cliFor } from '../cli/cluster-cli.ts';
import type { PodBehaviour } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import type { Pod } from '../cluster/pod.ts';
import { controllerProcess } from './child.ts';
import { itemValueOf } from './item-value.ts';
import { Bench } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;
/** What the pod of an item does, by the item's value and what tries there were before. */
let score: (shard: number, failures: number, pod: Pod) => PodBehaviour;

/** A workflow that scores shards as one Job and merges the scores. */
function manifests(): readonly NewObject[] {
  const chart = Testing.chart();
  const list = new ContainerTask(chart, 'list', {
    image: 'list:1',
    inputs: { count: z.int() },
    outputs: { shards: z.array(z.int()) },
  });
  const scoring = new ContainerTask(chart, 'score', {
    image: 'score:1',
    inputs: { shard: z.int(), model: z.string() },
    outputs: { score: z.int() },
    retries: { limit: 1, unless: { exitCodes: [64] } },
  });
  const merge = new ContainerTask(chart, 'merge', {
    image: 'merge:1',
    inputs: { scores: z.array(z.int().nullable()) },
  });
  for (const [name, options] of Object.entries({ all: {}, most: { minSuccessRatio: 0.8 } })) {
    const workflow = new Workflow(chart, name, { inputs: { count: z.int() } }, ({ inputs, step }) => {
      const { shards } = step('list', list, { count: inputs.count }).outputs;
      const given = { shard: shards, model: 'large' };
      const scores = step.map('score', scoring, given, { ...options, runAs: 'IndexedJob', concurrency: 50 });
      step('merge', merge, { scores: scores.outputs.score });
      return { scores: scores.outputs.score };
    });
    new LaunchPlan(chart, `score-${name}`, { workflow, parallelism: 2 });
  }
  return Testing.synth(chart) as NewObject[];
}

const main = (pod: Pod) => pod.spec!.containers![0]!;
const variable = (pod: Pod, name: string) => {
  const { env = [] } = main(pod) as { env?: readonly { name: string; value?: string }[] };
  return env.find((one) => one.name === name)?.value ?? '';
};

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'indexed-map' });
  bench = await Bench.create(cluster.kubeconfigPath, 'indexed-map');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  cluster.simulatedNode!.behaviour = async (pod) => {
    if (main(pod).image === 'list:1')
      return { outputs: { shards: Array.from({ length: Number(variable(pod, 'INPUT_COUNT')) }, (_, shard) => shard) } };
    if (main(pod).image === 'merge:1') return undefined;
    const failures = Number(pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'] ?? 0);
    return score(Number(await itemValueOf(bench.client, pod, 'shard')), failures, pod);
  };
  for (const manifest of manifests()) await bench.apply(manifest);
}, 60_000);

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const plain = (shard: number): PodBehaviour => ({ outputs: { score: 2 * shard }, runMs: 50, log: `shard ${shard}\n` });
const jobOf = (name: string) => bench.client.get<KubeObject & { spec: JsonObject }>(jobs, name);

describe('a map as one Indexed Job on a cluster', () => {
  it('is one Job with an index for each item, whose pods find their values in files', async () => {
    score = (shard, failures) => (shard === 3 && failures === 0 ? { exitCode: 2 } : plain(shard));
    const controller = await bench.controller();
    onTestFinished(() => controller.stop());
    const { code } = await cli(['launch', 'score-all', '--name', 'twelve', '--input', 'count=12', '--wait']);
    expect(code).toBe(0);
    const record = await bench.record('twelve');
    expect(record.run.outputs).toEqual({ scores: Array.from({ length: 12 }, (_, shard) => 2 * shard) });
    expect(record.steps.get('score')).toMatchObject({ phase: 'Succeeded', indexes: 12 });
    expect(record.steps.get('score')!.attempts).toHaveLength(1);
    expect(record.items).toBeUndefined();
    expect((await jobOf('twelve-score-1')).spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 12,
      parallelism: 12,
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 0,
      podReplacementPolicy: 'Failed',
    });
    const made = (await bench.pods('twelve')).filter(({ metadata }) => metadata.labels?.[labels.step] === 'score');
    expect(made).toHaveLength(13);
    expect(variable(made[0] as Pod, 'INPUT_MODEL')).toBe('large');
  });

  it('names the items that failed, and gives null in their places where they may', async () => {
    score = (shard) => (shard === 3 ? { exitCode: 64 } : shard === 7 ? { outputs: { score: 'high' } } : plain(shard));
    const controller = await bench.controller();
    onTestFinished(() => controller.stop());
    expect((await cli(['launch', 'score-most', '--name', 'some', '--input', 'count=12', '--wait'])).code).toBe(0);
    const record = await bench.record('some');
    const scores = Array.from({ length: 12 }, (_, shard) => (shard === 3 || shard === 7 ? null : 2 * shard));
    expect(record.run.outputs).toEqual({ scores });
    const failed =
      '2 of 12 items failed: score-3 (exit code 64), score-7 (outputs.score must be integer, but is "high")';
    expect(record.steps.get('score')).toMatchObject({ phase: 'Succeeded', message: failed });
    // Its exit code is the last word, and outputs that do not fit are not the Job's business.
    expect(
      (await bench.pods('some')).filter(({ metadata }) => metadata.labels?.[labels.step] === 'score'),
    ).toHaveLength(12);

    expect((await cli(['launch', 'score-all', '--name', 'none', '--input', 'count=12', '--wait'])).code).not.toBe(0);
    expect((await bench.record('none')).steps.get('score')).toMatchObject({
      phase: 'Failed',
      reason: 'ItemsFailed',
      message: expect.stringContaining('score-3 (exit code 64)') as string,
    });
    expect((await bench.record('none')).steps.get('score')!.attempts).toHaveLength(1);
    expect((await cli(['describe', 'none'])).stdout).toMatch(/score +Failed +12 items/);
  });

  it('goes on where it was when the controller was killed; a thousand items are one record of one Job', async () => {
    score = (shard) => ({ ...plain(shard), runMs: 100 });
    await cli(['launch', 'score-all', '--name', 'thousand', '--input', 'count=1000']);
    const progress = new Set<string>();
    for (let kill = 0; kill < 4; kill++) {
      const child = controllerProcess(cluster.kubeconfigPath, bench.namespace);
      const before = (await bench.pods('thousand')).length;
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50))
        if ((await bench.pods('thousand')).length > before) break;
      await sleep(Math.random() * 1000);
      progress.add((await bench.record('thousand')).steps.get('score')?.message ?? '');
      await child.end('SIGKILL');
    }
    const controller = await bench.controller();
    onTestFinished(() => controller.stop());
    await bench.finished('thousand', 120_000);
    const record = await bench.record('thousand');
    expect(record.run.outputs).toEqual({ scores: Array.from({ length: 1000 }, (_, shard) => 2 * shard) });
    expect([...record.steps.keys()].toSorted()).toEqual(['list', 'merge', 'score']);
    expect(record.steps.get('score')!.attempts).toHaveLength(1);
    expect(record.items).toBeUndefined();
    expect([...progress]).toContainEqual(expect.stringMatching(/^\d+ of 1000 items done$/));
    expect(
      (await bench.pods('thousand')).filter(({ metadata }) => metadata.labels?.[labels.step] === 'score'),
    ).toHaveLength(1000);
  });

  it('shows the logs of its items', async () => {
    expect((await cli(['logs', 'twelve', 'score-5'])).stdout).toBe('shard 5\n');
    const all = (await cli(['logs', 'twelve', 'score'])).stdout.trimEnd().split('\n');
    expect(all).toHaveLength(12);
    expect(all.at(-1)).toBe('[score-3] shard 3');
    expect(all.slice(-3, -1)).toEqual(['[score-10] shard 10', '[score-11] shard 11']);
    expect((await cli(['logs', 'twelve', 'score-99'])).stderr).toContain(
      'has 12 items, counted from 0, and no item 99',
    );
    expect((await cli(['describe', 'twelve'])).stdout).toMatch(/score +Succeeded +12 items/);
  });

  it('takes no pod that the platform took away for a try, and no result of a pod that is gone', async () => {
    score = (shard) => ({ ...plain(shard), ...(shard === 1 && { stuck: 'Running' as const }) });
    const controller = await bench.controller();
    await cli(['launch', 'score-all', '--name', 'taken', '--input', 'count=3']);
    const stuck = () =>
      eventually(async () => {
        const found = (await bench.pods('taken')).filter(
          ({ metadata, status }) => metadata.name.startsWith('taken-score-1-1-') && status?.phase === 'Running',
        );
        expect(found).toHaveLength(1);
        return found[0]!;
      }, 30_000);
    // Twice, where a single failure would be one too many with one retry.
    await cluster.simulatedNode!.evict(await stuck());
    await cluster.simulatedNode!.evict(await stuck());
    const last = await stuck();
    await bench.recorded('taken', ({ steps }) => steps.get('score')?.message === '2 of 3 items done');
    await controller.stop();
    const done = (await bench.pods('taken')).find(({ metadata }) => metadata.name.startsWith('taken-score-1-0-'))!;
    await bench.client.delete(pods, done.metadata.name);
    score = plain;
    await cluster.simulatedNode!.finish(last, plain(1));
    await eventually(async () => {
      const { status } = (await jobOf('taken-score-1')) as { status?: { completionTime?: string } };
      expect(status?.completionTime).toBeDefined();
    }, 30_000);
    onTestFinished((await bench.controller()).stop);
    await bench.finished('taken', 60_000);
    const record = await bench.record('taken');
    expect(record.run.outputs).toEqual({ scores: [0, 2, 4] });
    expect(record.steps.get('score')!.attempts).toMatchObject([
      {
        phase: 'Failed',
        failure: 'system',
        reason: 'PodDeleted',
        message: 'the pods of 1 of 3 items are gone, and their outputs with them: score-0',
      },
      { phase: 'Succeeded' },
    ]);
  });

  it('is stopped with its run, and its pods with it', async () => {
    score = () => ({ stuck: 'Running' });
    const controller = await bench.controller();
    onTestFinished(() => controller.stop());
    await cli(['launch', 'score-all', '--name', 'stopped', '--input', 'count=5']);
    await bench.recorded('stopped', ({ steps }) => steps.get('score')?.reason === 'ItemsRunning');
    expect((await cli(['cancel', 'stopped'])).code).toBe(0);
    await bench.finished('stopped', 60_000);
    expect((await bench.record('stopped')).steps.get('score')).toMatchObject({
      phase: 'Cancelled',
      reason: 'CancelRequested',
    });
    await eventually(async () => {
      const running = (await bench.pods('stopped')).filter(({ status }) => status?.phase === 'Running');
      expect(running).toEqual([]);
    }, 30_000);
  });
});
