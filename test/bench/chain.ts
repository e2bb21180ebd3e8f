import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { pods } from '../../lib/kube/resources.ts';
import type { Pod } from '../../lib/controller/objects.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { Bench, chain, workflow } from '../controller/support.ts';
import { median } from './numbers.ts';

/** What `npm run bench -- chain` takes. */
export interface ChainOptions {
  /** Steps of the chain. @default 100 */
  readonly steps?: number;
  /** How often each of the two is measured, alternately. @default 5 */
  readonly rounds?: number;
}

/** Milliseconds a step, by round. */
export interface ChainResult {
  readonly raw: readonly number[];
  readonly controller: readonly number[];
  readonly ratio: number;
}

/**
 * Measures the time from step to step: a raw client that creates the next pod as soon as its watch shows the last one
 * Succeeded, and the controller on a chain of the same length, in turns on the same cluster. Both run in processes of their
 * own, so that neither pays for the simulated node.
 */
export async function benchChain({ steps = 100, rounds = 5 }: ChainOptions = {}): Promise<ChainResult> {
  await using cluster = await startControlPlane({ nodes: 1, name: 'bench' });
  const bench = await Bench.create(cluster.kubeconfigPath, 'bench');
  const { kubeconfigPath, namespace } = bench;
  const raw: number[] = [];
  const controller: number[] = [];
  const chained = workflow('chain', chain(steps));
  await bench.apply(...chained.manifests);
  const process = await child(['controller', kubeconfigPath, namespace]);
  try {
    // What is not measured: the first connections, and code that is not compiled yet.
    await measureRaw(kubeconfigPath, namespace, 'warm-raw', 20);
    await measureController(bench, chained, 'warm-controller');
    for (let round = 0; round < rounds; round++) {
      raw.push((await measureRaw(kubeconfigPath, namespace, `raw-${round}`, steps)) / steps);
      controller.push((await measureController(bench, chained, `run-${round}`)) / steps);
    }
  } finally {
    process.kill('SIGTERM');
    await once(process, 'exit');
    await bench.close();
  }
  return { raw, controller, ratio: median(controller) / median(raw) };
}

/** From the creation of the first pod to the watch showing the last one Succeeded: by the times of the same observer. */
async function measureController(bench: Bench, chained: ReturnType<typeof workflow>, name: string): Promise<number> {
  const last = chained.graph.steps.length - 1;
  const watching = await watchPods(bench.client, `${labels.run}=${name}`);
  const launched = bench.launch(chained, name);
  const { first, end } = await watching(`${name}-s${last}-1`);
  await launched;
  await bench.finished(name);
  return end - first;
}

async function measureRaw(kubeconfig: string, namespace: string, prefix: string, steps: number): Promise<number> {
  const process = await child(['raw', kubeconfig, namespace, prefix, String(steps)]);
  const [answer] = (await once(process, 'message')) as [{ readonly ms: number }];
  await once(process, 'exit');
  return answer.ms;
}

async function watchPods(client: KubeClient, labelSelector: string) {
  const { metadata } = await client.list(pods, { labelSelector });
  const abort = new AbortController();
  const batches = await client.watch<Pod>(pods, {
    labelSelector,
    resourceVersion: metadata.resourceVersion,
    signal: abort.signal,
  });
  return async (lastPod: string): Promise<{ first: number; end: number }> => {
    let first = NaN;
    for await (const batch of batches) {
      for (const { object, type } of batch) {
        if (type === 'ERROR' || type === 'BOOKMARK') continue;
        if (Number.isNaN(first)) first = performance.now();
        if (object.metadata.name !== lastPod || object.status?.phase !== 'Succeeded') continue;
        abort.abort();
        return { first, end: performance.now() };
      }
    }
    throw new Error('The watch ended before the chain');
  };
}

/** The raw client: nothing but requests, a watch and the next request. */
export async function rawChain(client: KubeClient, prefix: string, steps: number): Promise<number> {
  const selector = { [labels.managedBy]: MANAGED_BY, bench: prefix };
  const pod = (index: number) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${prefix}-${index}`, labels: selector },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1', command: ['run'] }] },
  });
  const labelSelector = `bench=${prefix}`;
  const { metadata } = await client.list(pods, { labelSelector });
  const batches = await client.watch<Pod>(pods, { labelSelector, resourceVersion: metadata.resourceVersion });
  let next = 0;
  let first = NaN;
  const failures: unknown[] = [];
  const create = () => client.create(pods, pod(next++)).catch((error: unknown) => failures.push(error));
  void create();
  for await (const batch of batches) {
    for (const { object, type } of batch) {
      if (type === 'ERROR' || type === 'BOOKMARK') continue;
      if (failures.length > 0) throw failures[0];
      if (Number.isNaN(first)) first = performance.now();
      if (object.status?.phase !== 'Succeeded' || object.metadata.name !== `${prefix}-${next - 1}`) continue;
      if (next === steps) return performance.now() - first;
      void create();
    }
  }
  throw new Error('The watch ended before the chain');
}

/** Measures a chain and prints what it measured. */
export async function printChainBench(steps: number, rounds: number): Promise<void> {
  console.log(`A chain of ${steps} steps on a simulated node, ${rounds} rounds of each in turns:`);
  const { raw, controller, ratio } = await benchChain({ steps, rounds });
  const line = (name: string, ms: readonly number[]) =>
    console.log(
      `${name.padEnd(12)} ${median(ms).toFixed(1).padStart(6)} ms a step   (${ms.map((value) => value.toFixed(1)).join(', ')})`,
    );
  line('raw client', raw);
  line('controller', controller);
  console.log(`${'ratio'.padEnd(12)} ${ratio.toFixed(2).padStart(6)}`);
}

async function child(args: readonly string[]): Promise<ChildProcess> {
  const process = fork(join(import.meta.dirname, 'chain-child.ts'), args, { execArgv: ['--conditions=source'] });
  const exited = once(process, 'exit').then(([code]) => Promise.reject(new Error(`The child ended with ${code}`)));
  exited.catch(() => undefined);
  await Promise.race([once(process, 'message'), exited]);
  return process;
}
