import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../lib/controller/objects.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import { configMaps } from '../../lib/kube/resources.ts';
import { cliFor, steady } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { controllerProcess } from './child.ts';
import { Bench, cronJob, workflow, type RunOptions, type RunningController, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let controller: RunningController;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'cache' });
  bench = await Bench.create(cluster.kubeconfigPath, 'cache');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  controller = await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const rows = { properties: { rows: { type: 'integer' } }, required: ['rows'] };
const given = JSON.stringify({ rows: 7 });

/** A step with a cache, whose key is `key`, and one that takes what it gives. */
const steps = (key: string, more: Partial<TestStep> = {}): readonly TestStep[] => [
  { name: 'extract', outputs: rows, sim: { outputs: given }, cache: { key }, ...more },
  { name: 'load', inputs: { rows: { step: 'extract', output: 'rows' } } },
];
const flow = (key: string, more?: Partial<TestStep>) =>
  workflow(key, steps(key, more), { outputs: { rows: { step: 'extract', output: 'rows' } } });

async function play(of: ReturnType<typeof flow>, name: string, options?: RunOptions): Promise<string> {
  await bench.launch(of, name, options);
  await bench.finished(name);
  const { run, steps: records } = await bench.record(name);
  expect(run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 7 } });
  return records.get('extract')!.reason;
}

async function keptBy(task: string): Promise<readonly ConfigMap[]> {
  const labelSelector = `${labels.content}=cache,${labels.task}=${task}`;
  return (await bench.client.list<ConfigMap>(configMaps, { labelSelector })).items;
}

/** The results of runs of one key: the tasks of a test are named after it. */
const named = (key: string) => ({ task: key });
const onlyOne = async (key: string): Promise<ConfigMap> =>
  eventually(async () => {
    const found = await keptBy(key);
    expect(found).toHaveLength(1);
    return found[0]!;
  });

describe('a step with a cache', () => {
  it('runs once for all runs, and the others say where their results are from', async () => {
    expect(await play(flow('twice', named('twice')), 'twice-1')).toBe('Completed');
    expect(await play(flow('twice', named('twice')), 'twice-2')).toBe('Cached');
    expect((await bench.pods('twice-2')).map(({ metadata }) => metadata.name)).toEqual(['twice-2-load-1']);
    const { stdout } = await cli(['describe', 'twice-2']);
    expect(steady(stdout)).toMatch(/✓ extract Succeeded - - from the cache: step extract of run twice-1, \d+ s ago/);
    const { metadata, data } = await onlyOne('twice');
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'cdk8s-workflows' });
    expect(JSON.parse(data!.result!)).toMatchObject({ outputs: { rows: 7 }, run: 'twice-1', step: 'extract' });
    expect(metadata.ownerReferences).toBeUndefined();
  });

  it.each<[string, (found: ConfigMap) => Promise<unknown>]>([
    ['deleted', ({ metadata }) => bench.client.delete(configMaps, metadata.name)],
    ['garbage', (found) => edit(found, 'not even JSON')],
    ['of another shape', (found) => edit(found, '{"run":1}')],
    ['without what the step gives', (found) => edit(found, wrote({}))],
    ['of another type', (found) => edit(found, wrote({ rows: 'many' }))],
    ['emptied', (found) => edit(found, null)],
  ])('runs again when its result was %s, and keeps it anew', async (how, change) => {
    const key = `edited-${how.replaceAll(' ', '-').slice(0, 12)}`;
    await play(flow(key, named(key)), `${key}-1`);
    await change(await onlyOne(key));
    expect(await play(flow(key, named(key)), `${key}-2`)).toBe('Completed');
    await eventually(async () =>
      expect(JSON.parse((await onlyOne(key)).data!.result!)).toMatchObject({ run: `${key}-2` }),
    );
    expect(await play(flow(key, named(key)), `${key}-3`)).toBe('Cached');
  });

  it('runs again when its result is too old, by the time of the reader', async () => {
    const aged = { ...named('aged'), cache: { key: 'aged', ttlSeconds: 3600 } };
    await play(flow('aged', aged), 'aged-1');
    const { metadata } = await onlyOne('aged');
    const expires = Date.parse(metadata.annotations![annotations.expires]!);
    expect(Math.abs(expires - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(await play(flow('aged', aged), 'aged-2')).toBe('Cached');
    await edit(await onlyOne('aged'), wrote({ rows: 7 }, Date.now() - 3_700_000));
    expect(await play(flow('aged', aged), 'aged-3')).toBe('Completed');
  });

  it('runs when the run is told so, and keeps its result or not', async () => {
    const of = flow('told', named('told'));
    const off = { annotations: { [annotations.cache]: 'Off' } };
    expect(await play(of, 'told-1', off)).toBe('Completed');
    expect(await keptBy('told')).toEqual([]);
    expect(await play(of, 'told-2')).toBe('Completed');
    expect(await play(of, 'told-3', { annotations: { [annotations.cache]: 'Overwrite' } })).toBe('Completed');
    await eventually(async () => expect(JSON.parse((await onlyOne('told')).data!.result!).run).toBe('told-3'));
  });

  it('takes no result of another image', async () => {
    const of = flow('image', named('image'));
    await play(of, 'image-1');
    const override = { spec: { containers: [{ name: 'main', image: 'task:2' }] } };
    const changed = { annotations: { [annotations.runOverride]: JSON.stringify({ extract: override }) } };
    expect(await play(of, 'image-2', changed)).toBe('Completed');
    expect(await play(of, 'image-3', changed)).toBe('Cached');
    expect(await play(of, 'image-4')).toBe('Cached');
  });

  it('is run by launch --no-cache and --overwrite-cache, and by a rerun that names it', async () => {
    const of = flow('cli', named('cli'));
    await bench.apply(...of.manifests, cronJob(of, 'cli-plan'));
    const reason = async (name: string) => (await bench.record(name)).steps.get('extract')!.reason;
    const launch = (name: string, ...args: string[]) => cli(['launch', 'cli-plan', '--name', name, '--wait', ...args]);
    await launch('cli-1');
    await onlyOne('cli');
    await launch('cli-2');
    expect(await reason('cli-2')).toBe('Cached');
    await launch('cli-3', '--no-cache');
    expect(await reason('cli-3')).toBe('Completed');
    await launch('cli-4', '--overwrite-cache');
    expect(await reason('cli-4')).toBe('Completed');
    await cli(['rerun', 'cli-4', '--step', 'extract', '--name', 'cli-5', '--wait']);
    expect(await reason('cli-5')).toBe('Completed');
    await cli(['rerun', 'cli-4', '--step', 'load', '--name', 'cli-6', '--wait']);
    expect(await reason('cli-6')).toBe('Recovered');
    await cli(['rerun', 'cli-4', '--all', '--name', 'cli-7', '--wait']);
    expect(await reason('cli-7')).toBe('Completed');
    expect((await launch('cli-8', '--no-cache', '--overwrite-cache')).code).toBe(2);
  });
});

it('the controller deletes results that are too old for anybody, and no others', async () => {
  for (const key of ['old', 'young'])
    await play(flow(key, { ...named(key), cache: { key, ttlSeconds: 60 } }), `${key}-1`);
  const [{ metadata: old }] = [await onlyOne('old'), await onlyOne('young')];
  const past = { metadata: { annotations: { [annotations.expires]: new Date(Date.now() - 1).toISOString() } } };
  await bench.client.patch(configMaps, old.name, past, { type: 'merge' });
  const second = await bench.controller({ timing: { sweepMs: 100 } });
  await eventually(async () => expect(await keptBy('old')).toEqual([]));
  await second.stop();
  expect(await keptBy('young')).toHaveLength(1);
  expect(
    (await bench.client.list(configMaps, { labelSelector: `${labels.content}=graph` })).items.length,
  ).toBeGreaterThan(5);
});

describe('equal steps that are serialized', () => {
  const alone = (key: string, sim: Record<string, string>) =>
    flow(key, { ...named(key), cache: { key, serialize: true }, sim });

  it('run once, however many runs want their result at the same time', async () => {
    const of = alone('alone', { outputs: given, 'run-ms': '300' });
    const names = Array.from({ length: 6 }, (_, index) => `alone-${index}`);
    await Promise.all(names.map((name) => bench.launch(of, name)));
    await bench.recorded('alone-5', ({ steps: records }) => records.get('extract')!.reason !== 'CheckingCache');
    await Promise.all(names.map((name) => bench.finished(name)));
    const ends = await Promise.all(names.map(async (name) => (await bench.record(name)).steps.get('extract')!.reason));
    expect(ends.toSorted()).toEqual(['Cached', 'Cached', 'Cached', 'Cached', 'Cached', 'Completed']);
  });

  it('say whose result they wait for, and run in turn when that fails', async () => {
    const of = alone('failing', { 'exit-code': '1', 'run-ms': '500' });
    await bench.launch(of, 'failing-1');
    await bench.recorded('failing-1', ({ steps: records }) => records.get('extract')?.phase === 'Running');
    await bench.launch(of, 'failing-2');
    const record = await bench.recorded(
      'failing-2',
      ({ steps: records }) => records.get('extract')?.reason === 'WaitingForResult',
    );
    expect(record.steps.get('extract')!.message).toBe('its result comes from run failing-1 (step extract)');
    await Promise.all(['failing-1', 'failing-2'].map((name) => bench.finished(name)));
    expect((await bench.record('failing-2')).steps.get('extract')).toMatchObject({
      phase: 'Failed',
      reason: 'ExitCode',
    });
  });
});

it('controllers that are killed at any moment repeat no step that ran, and lose no result', async () => {
  await controller.stop();
  const many = (name: string) =>
    workflow(
      name,
      Array.from({ length: 12 }, (_, index) => ({
        name: `s${index}`,
        task: 'many',
        outputs: rows,
        sim: { outputs: given, 'run-ms': '20' },
        cache: { key: `many-${index}` },
        after: index > 0 ? [`s${index - 1}`] : [],
      })),
    );
  for (const name of ['many-1', 'many-2']) {
    await bench.launch(many(name), name);
    for (let kill = 0; kill < 6; kill++) {
      const child = controllerProcess(cluster.kubeconfigPath, bench.namespace);
      await new Promise((resolve) => setTimeout(resolve, 600 + Math.random() * 500));
      expect(await child.end('SIGKILL')).toBeNull();
    }
    controller = await bench.controller();
    await bench.finished(name);
    await controller.stop();
    const reasons = [...(await bench.record(name)).steps.values()].map(({ reason }) => reason);
    if (name === 'many-1') expect(reasons).toEqual(Array(12).fill('Completed'));
    // What was lost with a controller between writing the end of a step and keeping its result runs again: at most one a kill.
    else expect(reasons.filter((reason) => reason === 'Cached').length).toBeGreaterThanOrEqual(6);
  }
  const names = (await bench.pods('many-2')).map(({ metadata }) => metadata.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name.endsWith('-1'))).toBe(true);
});

function wrote(outputs: object, at = Date.now()): string {
  return JSON.stringify({ outputs, run: 'somebody', step: 'extract', at: new Date(at).toISOString() });
}

function edit({ metadata }: ConfigMap, result: string | null): Promise<unknown> {
  return bench.client.patch(configMaps, metadata.name, { data: { result } }, { type: 'merge' });
}
