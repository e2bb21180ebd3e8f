import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Pod } from '../../lib/controller/objects.ts';
import { pods } from '../../lib/kube/resources.ts';
import type { LockSource } from '../../lib/graph/locks.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { controllerProcess } from './child.ts';
import { Bench, workflow, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'locks' });
});
afterAll(async () => cluster?.stop());

/** Tests have namespaces of their own, and so locks of their own. */
async function newBench(): Promise<void> {
  bench = await Bench.create(cluster.kubeconfigPath);
  const { close } = bench;
  onTestFinished(() => close.call(bench));
}

const locks = (key: string, limit = 1): readonly LockSource[] => [{ key: { value: key }, limit, scope: 'namespace' }];
const work = (name: string, ms: number, more: Partial<TestStep> = {}): TestStep => ({
  name,
  sim: { 'run-ms': String(ms) },
  ...more,
});

/** The runs in the order in which their first step was started. */
async function order(...runs: readonly string[]): Promise<readonly string[]> {
  const records = await Promise.all(runs.map((run) => bench.record(run)));
  const starts = records.map(({ steps }, index) => ({
    run: runs[index]!,
    at: Math.min(...[...steps.values()].flatMap(({ attempts }) => attempts.map(({ createdAt }) => createdAt))),
  }));
  return starts.sort((a, b) => a.at - b.at).map(({ run }) => run);
}

/** The most pods of steps that were there at once and had not ended; asks again and again until the test ends. */
function witness(step = ''): () => number {
  let most = 0;
  let ended = false;
  const look = async () => {
    const labelSelector = step === '' ? labels.step : `${labels.step}=${step}`;
    while (!ended) {
      const { items } = await bench.client.list<Pod>(pods, { labelSelector });
      const open = items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
      most = Math.max(most, open.length);
    }
  };
  const looking = look();
  onTestFinished(() => {
    ended = true;
    return looking;
  });
  return () => most;
}

const waits = (run: string, step: string) =>
  bench.recorded(run, ({ steps }) => steps.get(step)?.reason === 'WaitingForLock');

describe('a mutex', () => {
  it('lets the steps of several runs go one at a time, the oldest first', async () => {
    await newBench();
    await bench.controller();
    const most = witness();
    const of = workflow('etl', [work('load', 400, { locks: locks('db') })]);
    for (const run of ['a', 'b', 'c']) {
      await bench.launch(of, run);
      await bench.recorded(run, ({ steps }) => steps.has('load'));
    }
    const { steps } = await waits('c', 'load');
    expect(steps.get('load')?.message).toMatch(/^lock db held by run [ab] \(step load\)$/);
    for (const run of ['a', 'b', 'c']) await bench.finished(run);
    expect(await order('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
    expect(most()).toBe(1);
  });

  it('lets runs of higher priority go first, also when the priority is changed while they wait', async () => {
    await newBench();
    await bench.controller();
    const of = workflow('etl', [work('load', 1_500, { locks: locks('db') })]);
    await bench.launch(of, 'holder');
    await bench.recorded('holder', ({ steps }) => steps.get('load')?.phase === 'Running');
    const brief = workflow('brief', [work('load', 50, { locks: locks('db') })]);
    for (const run of ['old', 'raised', 'urgent']) {
      await bench.launch(brief, run, run === 'urgent' ? { annotations: { [annotations.priority]: '5' } } : {});
      await waits(run, 'load');
    }
    await bench.annotate('raised', annotations.priority, '10');
    for (const run of ['old', 'raised', 'urgent']) await bench.finished(run);
    const runs = ['holder', 'raised', 'urgent', 'old'];
    expect(await order(...runs)).toEqual(runs);
  });

  it('stays with who has it when the controller is killed', async () => {
    await newBench();
    const most = witness('load');
    const of = workflow('etl', [work('load', 3_000, { locks: locks('db') }), work('other', 50)]);
    const first = controllerProcess(cluster.kubeconfigPath, bench.namespace);
    await bench.launch(of, 'a');
    await bench.recorded('a', ({ steps }) => steps.get('load')?.phase === 'Running');
    await first.end('SIGKILL');
    // Whether the new controller comes upon it before the one that has the lock, or after.
    await bench.launch(of, '0-before');
    await bench.launch(of, 'z-after');
    controllerProcess(cluster.kubeconfigPath, bench.namespace);
    for (const run of ['0-before', 'z-after']) {
      const { steps } = await waits(run, 'load');
      expect(steps.get('load')?.message).not.toContain('goes first');
    }
    for (const run of ['a', '0-before', 'z-after']) await bench.finished(run);
    expect(most()).toBe(1);
  });

  it('is free once the run that has it is deleted', async () => {
    await newBench();
    await bench.controller();
    await bench.launch(workflow('long', [work('load', 60_000, { locks: locks('db') })]), 'long');
    await bench.recorded('long', ({ steps }) => steps.get('load')?.phase === 'Running');
    await bench.launch(workflow('brief', [work('load', 50, { locks: locks('db') })]), 'brief');
    await waits('brief', 'load');
    const path = `/apis/batch/v1/namespaces/${bench.namespace}/jobs/long?propagationPolicy=Background`;
    await bench.client.request('DELETE', path);
    expect((await bench.finished('brief')).status).toMatchObject({ succeeded: 1 });
  });
});

describe('a semaphore', () => {
  it('lets so many steps of all runs go at once', async () => {
    await newBench();
    await bench.controller();
    const most = witness();
    const of = workflow(
      'wide',
      Array.from({ length: 4 }, (_, index) => work(`w${index}`, 200, { locks: locks('gpu', 3) })),
    );
    await Promise.all(['a', 'b'].map((run) => bench.launch(of, run)));
    for (const run of ['a', 'b']) await bench.finished(run);
    expect(most()).toBe(3);
  });
});

describe('limits of the controller', () => {
  it.each([
    ['a namespace', { maxStepsPerNamespace: 2 }, /^limit of 2 running steps in namespace /],
    ['all runs', { maxSteps: 2 }, /^limit of 2 running steps of the controller reached$/],
  ])('of the steps of %s hold over its runs, which say so', async (_, limits, message) => {
    await newBench();
    await bench.controller({ limits });
    const most = witness();
    const of = workflow(
      'wide',
      Array.from({ length: 3 }, (_each, index) => work(`w${index}`, 400)),
    );
    await Promise.all(['a', 'b'].map((run) => bench.launch(of, run)));
    await eventually(async () => {
      const records = await Promise.all(['a', 'b'].map((run) => bench.record(run)));
      const said = records.flatMap(({ steps }) => [...steps.values()].map((step) => step.message ?? ''));
      expect(said.some((text) => message.test(text))).toBe(true);
    });
    for (const run of ['a', 'b']) expect((await bench.finished(run)).status).toMatchObject({ succeeded: 3 });
    expect(most()).toBe(2);
  });
});
