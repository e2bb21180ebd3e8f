/**
 * `npm run check:fleet -- [--plans 1000] [--drop 100]`: a group of plans on ten clusters, which are namespaces of three real control planes, is
 * synthesized and applied; runs of twenty of its plans begin; then some keys leave the group. Ends with 1 unless exactly their plans are pruned, the others
 * are the very objects that they were, and every run goes on.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { mergedKubeconfig } from '../cli/fleet-kubeconfig.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { cronJobs, jobs, type Resource } from '../../lib/kube/resources.ts';

const { values } = parseArgs({
  options: { plans: { type: 'string', default: '1000' }, drop: { type: 'string', default: '100' } },
});
const [count, drop] = [Number(values.plans), Number(values.drop)];
if (!Number.isInteger(count) || !Number.isInteger(drop) || drop < 10 || count < drop + 10) {
  console.error('usage: npm run check:fleet -- [--plans 1000] [--drop 100]');
  process.exit(2);
}

const BIN = join(import.meta.dirname, '../../build/lib/cli/bin.js');
const PLANES = ['plane-0', 'plane-1', 'plane-2'];
const work = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-fleet-'));
const dist = join(work, 'dist');
const sites = join(work, 'sites.json');
const kubeconfig = join(work, 'kubeconfig');
const controllers: ChildProcess[] = [];
let wrong = 0;

const started = await Promise.all(
  PLANES.map(async (name) => ({ name, cluster: await startControlPlane({ name, nodes: 1 }) })),
);
try {
  const files = started.map(({ name, cluster }) => [name, cluster.kubeconfigPath] as const);
  await writeFile(kubeconfig, stringify(await mergedKubeconfig(Object.fromEntries(files))));
  const clients = await Promise.all(
    files.map(([, file]) => KubeClient.fromKubeconfig({ kubeconfig: file, namespace: 'default' })),
  );
  for (const name of PLANES) controllers.push(controller(name));

  const keys = Array.from({ length: count }, (_, index) => `s${String(index).padStart(4, '0')}`);
  await writeFile(sites, JSON.stringify(keys));
  await cli('synth', join(import.meta.dirname, 'fleet-app'), '--output', dist);
  await cli('apply', dist, '--yes');
  const before = await all(clients, cronJobs);
  expect(`${count} plans are there`, before.size === count, before.size);

  const every = Math.floor(count / drop);
  const dropped = new Set(keys.filter((_, index) => index % every === 0).slice(0, drop));
  const kept = keys.filter((key) => !dropped.has(key));
  const launched = [...[...dropped].slice(0, 10), ...kept.slice(0, 10)].map((key) => `site-${key}`);
  const { plans } = JSON.parse(await readFile(join(dist, 'placement.json'), 'utf8')) as Placement;
  for (const plan of launched) await cli('launch', plan, '--cluster', plans[plan]!.cluster, '-o', 'name');
  await eventually(async () => {
    if ((await active(clients)).length < launched.length) throw new Error('not all runs have begun');
  }, 60_000);

  await writeFile(sites, JSON.stringify(kept));
  await cli('synth', join(import.meta.dirname, 'fleet-app'), '--output', dist);
  const said = await cli('apply', dist, '--yes');
  const after = await all(clients, cronJobs);
  const gone = [...before.keys()].filter((plan) => !after.has(plan)).sort();
  const expected = [...dropped].map((key) => `site-${key}`).sort();
  expect(`exactly the ${drop} plans of the keys that left are pruned`, gone.join() === expected.join(), gone.length);
  const same = [...after].every(([plan, { metadata }]) => {
    const then = before.get(plan)?.metadata;
    return then?.uid === metadata.uid && then?.resourceVersion === metadata.resourceVersion;
  });
  expect('nobody wrote the others', same && after.size === count - drop, after.size);
  // What goes with its owner does so within seconds.
  await new Promise((done) => setTimeout(done, 10_000));
  const going = (await active(clients)).length;
  expect(
    `the ${launched.length} runs go on, ${launched.length / 2} of them of plans that are gone`,
    going === launched.length,
    going,
  );
  console.log(
    said
      .split('\n')
      .filter((line) => line.startsWith('✓'))
      .join('\n'),
  );
  expect('a third apply has nothing to do', /unchanged/.test(await cli('apply', dist, '--yes')), '');
  await Promise.all(clients.map((client) => client.close()));
} finally {
  for (const child of controllers) {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  }
  await Promise.all(started.map(({ cluster }) => cluster.stop()));
  await rm(work, { recursive: true, force: true });
}
console.log(`${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

interface Placement {
  readonly plans: Readonly<Record<string, { readonly cluster: string }>>;
}

function expect(what: string, holds: boolean, seen: unknown): void {
  console.log(`${holds ? '✓' : '✗'} ${what}${holds ? '' : `: ${String(seen)}`}`);
  if (!holds) wrong += 1;
}

/** The seconds that a command takes are printed. */
async function cli(...args: string[]): Promise<string> {
  const begun = performance.now();
  const child = spawn(process.execPath, [BIN, ...args, ...(args[0] === 'synth' ? [] : ['--kubeconfig', kubeconfig])], {
    cwd: work,
    env: { ...process.env, SITES: sites },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (child.exitCode !== 0)
    throw new Error(`${args.join(' ')} ended with ${child.exitCode}: ${(stdout + stderr).slice(-3000)}`);
  if (args[0] !== 'launch') console.log(`${args[0]}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  return stdout;
}

function controller(context: string): ChildProcess {
  const args = ['controller', '-A', '--no-leader-elect', '--log-level', 'error', '--kubeconfig', kubeconfig];
  return spawn(process.execPath, [BIN, ...args, '--context', context], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The objects on all control planes by name. */
async function all(clients: readonly KubeClient[], of: Resource): Promise<Map<string, KubeObject>> {
  const lists = await Promise.all(clients.map((client) => client.list(of, { namespace: null })));
  return new Map(lists.flatMap(({ items }) => items.map((item) => [item.metadata.name, item] as const)));
}

/** The runs whose pods run. */
async function active(clients: readonly KubeClient[]): Promise<KubeObject[]> {
  const found = [...(await all(clients, jobs)).values()] as (KubeObject & { status?: { active?: number } })[];
  return found.filter(({ status }) => (status?.active ?? 0) > 0);
}
