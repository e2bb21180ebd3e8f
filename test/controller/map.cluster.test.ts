import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Workflow, z } from 'cdk8s-workflows';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { NewObject } from '../../lib/kube/objects.ts';
import { cliFor } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import type { Pod } from '../cluster/pod.ts';
import { controllerProcess } from './child.ts';
import { Bench } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

/** A workflow that lists shards, scores each and merges the scores. */
function manifests(): readonly NewObject[] {
  const chart = Testing.chart();
  const list = new ContainerTask(chart, 'list', {
    image: 'list:1',
    inputs: { count: z.int() },
    outputs: { shards: z.array(z.int()) },
  });
  const score = new ContainerTask(chart, 'score', {
    image: 'score:1',
    inputs: { shard: z.int() },
    outputs: { score: z.int() },
    retries: 1,
    env: ({ shard }) => ({ SHARD: shard }),
  });
  const merge = new ContainerTask(chart, 'merge', { image: 'merge:1', inputs: { scores: z.array(z.int()) } });
  const workflow = new Workflow(chart, 'scores', { inputs: { count: z.int() } }, ({ inputs, step }) => {
    const { shards } = step('list', list, { count: inputs.count }).outputs;
    const scores = step.map('score', score, { shard: shards }, { concurrency: 8 });
    step('merge', merge, { scores: scores.outputs.score });
    return { scores: scores.outputs.score };
  });
  new LaunchPlan(chart, 'score-all', { workflow, parallelism: 20 });
  return Testing.synth(chart) as NewObject[];
}

const main = (pod: Pod) => pod.spec!.containers![0]!;
const variable = (pod: Pod, name: string) => {
  const { env = [] } = main(pod) as { env?: readonly { name: string; value?: string }[] };
  return env.find((one) => one.name === name)?.value ?? '';
};

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'map' });
  bench = await Bench.create(cluster.kubeconfigPath, 'map');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  cluster.simulatedNode!.behaviour = (pod) => {
    if (main(pod).image === 'list:1')
      return { outputs: { shards: Array.from({ length: Number(variable(pod, 'INPUT_COUNT')) }, (_, shard) => shard) } };
    if (main(pod).image === 'merge:1') return undefined;
    const shard = Number(variable(pod, 'SHARD'));
    const failing = shard === 3 && pod.metadata.name.endsWith('-1');
    return failing ? { exitCode: 2, runMs: 20 } : { outputs: { score: 2 * shard }, runMs: 50, log: `shard ${shard}\n` };
  };
  for (const manifest of manifests()) await bench.apply(manifest);
}, 60_000);

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

describe('a map step on a cluster', () => {
  it('runs a pod for each item, again for one that failed, and passes what they gave on in order', async () => {
    const controller = await bench.controller();
    onTestFinished(() => controller.stop());
    const { code } = await cli(['launch', 'score-all', '--name', 'twelve', '--input', 'count=12', '--wait']);
    expect(code).toBe(0);
    const record = await bench.record('twelve');
    expect(record.run.outputs).toEqual({ scores: Array.from({ length: 12 }, (_, shard) => 2 * shard) });
    expect(record.steps.get('score')).toMatchObject({ phase: 'Succeeded', items: 12 });
    expect(record.items!.get('score')!.map((item) => item!.attempts.length)).toEqual(
      Array.from({ length: 12 }, (_, shard) => (shard === 3 ? 2 : 1)),
    );
    const merge = (await bench.pods('twelve')).find(({ metadata }) => metadata.name === 'twelve-merge-1') as Pod;
    expect(JSON.parse(variable(merge, 'INPUT_SCORES'))).toEqual(record.run.outputs!['scores']);
    expect((await cli(['describe', 'twelve'])).stdout).toMatch(/score +Succeeded +12 items/);
    expect((await cli(['logs', 'twelve', 'score-5'])).stdout).toBe('shard 5\n');
    const all = (await cli(['logs', 'twelve', 'score'])).stdout.trimEnd().split('\n');
    expect(all).toHaveLength(12);
    expect((await cli(['logs', 'twelve', 'score-99'])).stderr).toContain(
      'has 12 items, counted from 0, and no item 99',
    );
  });

  it('goes on where it was when the controller was killed, and runs no item twice', async () => {
    const start = () => controllerProcess(cluster.kubeconfigPath, bench.namespace);
    await cli(['launch', 'score-all', '--name', 'sixty', '--input', 'count=60']);
    for (let kill = 0; kill < 4; kill++) {
      const child = start();
      const before = (await bench.pods('sixty')).length;
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20))
        if ((await bench.pods('sixty')).length > before) break;
      await sleep(Math.random() * 100);
      await child.end('SIGKILL');
    }
    start();
    await bench.finished('sixty', 60_000);
    const record = await bench.record('sixty');
    expect(record.run.phase).toBe('Succeeded');
    const attempts = record.items!.get('score')!.map((item) => item!.attempts.length);
    expect(attempts).toEqual(Array.from({ length: 60 }, (_, shard) => (shard === 3 ? 2 : 1)));
    expect(await bench.pods('sixty')).toHaveLength(63);
  });
});
