import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { clusterProgram } from '../cluster/binary.ts';
import { graph, manifest, plan } from '../fleet/manifests.ts';
import { median } from './numbers.ts';

const BIN = join(import.meta.dirname, '../../build/lib/cli/bin.js');
const WORKS = ['first apply', 'no-op apply', 'one change'] as const;
type Work = (typeof WORKS)[number];
type Tool = 'kubectl' | 'ours';

/**
 * Applies the same files to the same API server with `kubectl apply --server-side` and with the built package, each as a process of its own
 * and into namespaces of their own, in turns; and prints the seconds of each and their ratio.
 */
export async function printApplyBench(objects = 1000, rounds = 3): Promise<void> {
  await using cluster = await startControlPlane({ name: 'bench-apply', scheduler: false, controllerManager: false });
  const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-bench-'));
  const taken = new Map<string, number[]>();
  try {
    for (const name of ['first', 'changed']) await write(directory, name, objects);
    for (let round = 0; round < rounds; round++)
      // Who comes first changes, as the API server is a little slower or faster each time.
      for (const tool of round % 2 === 0 ? (['kubectl', 'ours'] as const) : (['ours', 'kubectl'] as const)) {
        const namespace = `${tool}-${round}`;
        await cluster.kubectl(['create', 'namespace', namespace]);
        for (const work of WORKS) {
          const key = `${tool} ${work}`;
          taken.set(key, [...(taken.get(key) ?? []), await time(tool, work, cluster, directory, namespace)]);
        }
      }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  console.log(`${objects} objects, ${rounds} rounds in turns; the median, and all:`);
  for (const work of WORKS) print(work, taken.get(`kubectl ${work}`)!, taken.get(`ours ${work}`)!);
}

function print(work: Work, kubectl: readonly number[], ours: readonly number[]): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  const told = (all: readonly number[]) => `${seconds(median(all)).padStart(6)} s   (${all.map(seconds).join(', ')})`;
  console.log(`${work}\n  kubectl apply --server-side ${told(kubectl)}\n  cdk8s-workflows apply       ${told(ours)}`);
  console.log(`  ratio                       ${(median(ours) / median(kubectl)).toFixed(2).padStart(6)}`);
}

async function time(
  tool: Tool,
  work: Work,
  cluster: ControlPlane,
  directory: string,
  namespace: string,
): Promise<number> {
  const files = work === 'one change' ? 'changed' : 'first';
  const kubeconfig = ['--kubeconfig', cluster.kubeconfigPath, '-n', namespace];
  const [command, ...leading] =
    tool === 'kubectl'
      ? [...(await clusterProgram('kubectl')), 'apply', '--server-side', '-f', files]
      : [process.execPath, BIN, 'apply', files, '--yes', '--applyset', 'bench'];
  const started = performance.now();
  const child = spawn(command!, [...leading, ...kubeconfig], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr!);
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${tool} ended with ${code} (${work}): ${await said}`);
  return performance.now() - started;
}

/** A directory as synth writes it: half of the objects are plans, the others what they need. */
async function write(directory: string, name: string, count: number): Promise<void> {
  await mkdir(join(directory, name));
  const changed = name === 'changed' ? 'Europe/Berlin' : 'Etc/UTC';
  const items = Array.from({ length: count }, (_, index) => {
    if (index % 2 === 0) return plan(`site-${index}`, { timeZone: index === 0 ? changed : 'Etc/UTC' });
    return index % 4 === 1 ? graph(`etl-${index}`) : manifest('ServiceAccount', `runner-${index}`);
  });
  const documents = items.map(({ object }) => JSON.stringify(object));
  await writeFile(join(directory, name, 'all.yaml'), documents.join('\n---\n'));
}
