import { describe, expect, it } from 'vitest';
import { noMetrics } from '../../../lib/controller/metrics.ts';
import { silentLogger } from '../../../lib/controller/log.ts';
import type { ConfigMap, Job } from '../../../lib/controller/objects.ts';
import { DeposedError, PredecessorError, RecordStore } from '../../../lib/controller/run/record-store.ts';
import { defaultTiming, type WorkerContext } from '../../../lib/controller/worker-context.ts';
import type { RunState, StepRecord } from '../../../lib/engine/record.ts';
import { ConnectionError, KubeError } from '../../../lib/kube/errors.ts';
import { InvalidError } from '../../../lib/values/problems.ts';
import { FakeClock } from '../fake-clock.ts';

const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'r', namespace: 'n', uid: 'u1' } } satisfies Job;
const state: RunState = { phase: 'Running', reason: 'Started', startedAt: 0 };
const step = (message: string): StepRecord => ({
  phase: 'Pending',
  reason: 'WaitingForUpstreams',
  message,
  attempts: [],
});
const refusal = (code: number, reason: string) =>
  new KubeError({ kind: 'Status', code, reason, message: reason }, { verb: 'patch', object: 'ConfigMap' });

/** One ConfigMap on an API server that may be told to fail, before or after it has written. */
class Server {
  map: ConfigMap | undefined;
  readonly writes: Record<string, string>[] = [];
  failures: { readonly error: Error; readonly written: boolean }[] = [];
  #version = 1;

  get(): Promise<ConfigMap> {
    return this.map ? Promise.resolve(structuredClone(this.map)) : Promise.reject(refusal(404, 'NotFound'));
  }

  create(_: unknown, map: ConfigMap): Promise<ConfigMap> {
    return this.#write(this.map ? refusal(409, 'AlreadyExists') : undefined, () => map);
  }

  patch(_: unknown, __: string, patch: ConfigMap): Promise<ConfigMap> {
    const current = this.map;
    const conflict = current && patch.metadata.resourceVersion !== current.metadata.resourceVersion;
    const refused = !current ? refusal(404, 'NotFound') : conflict ? refusal(409, 'Conflict') : undefined;
    return this.#write(refused, () => ({ ...current!, data: { ...current!.data, ...patch.data } }), patch.data);
  }

  touch(data: Record<string, string> = {}): void {
    const current = this.map!;
    this.map = {
      ...current,
      data: { ...current.data, ...data },
      metadata: { ...current.metadata, resourceVersion: String(++this.#version) },
    };
  }

  async #write(
    refused: Error | undefined,
    next: () => ConfigMap,
    data?: Readonly<Record<string, string>>,
  ): Promise<ConfigMap> {
    const failure = this.failures.shift();
    if (failure && !failure.written) throw failure.error;
    if (refused) throw refused;
    const map = next();
    this.map = { ...map, metadata: { ...map.metadata, resourceVersion: String(++this.#version) } };
    this.writes.push({ ...(data ?? map.data) });
    if (failure) throw failure.error;
    return structuredClone(this.map);
  }
}

function store(server = new Server()) {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  const context = {
    client: server,
    clock,
    log: silentLogger,
    metrics: noMetrics,
    mode: 'managed',
    timing: defaultTiming,
  } as unknown as WorkerContext;
  const abort = new AbortController();
  const made = new RecordStore(context, job, (error) => failures.push(error), abort.signal);
  return { store: made, server, clock, failures };
}

describe('the record of a run', () => {
  it('is created once, then patched with what has changed, in one patch for many changes', async () => {
    const { store: record, server, clock } = store();
    record.put({ run: state, steps: new Map([['a', step('1')]]) });
    await clock.advance(0);
    expect(Object.keys(server.writes[0]!)).toEqual(['run', 'step.a']);
    expect(server.map?.metadata).toMatchObject({
      name: 'r-record',
      ownerReferences: [{ uid: 'u1', controller: true }],
    });
    for (let change = 2; change < 10; change++) record.put({ steps: new Map([['b', step(String(change))]]) });
    await clock.advance(50);
    expect(server.writes).toHaveLength(1);
    await clock.advance(50);
    expect(server.writes).toHaveLength(2);
    expect(Object.keys(server.writes[1]!)).toEqual(['step.b']);
    expect(server.writes[1]!['step.b']).toContain('"9"');
  });

  it('is read again as it was written', async () => {
    const first = store();
    first.store.put({ run: state, steps: new Map([['a', step('x')]]) });
    await first.store.flush();
    const second = store(first.server);
    expect(await second.store.read()).toEqual({ run: state, steps: new Map([['a', step('x')]]) });
    second.store.put({ steps: new Map([['a', step('y')]]) });
    await second.store.flush();
    expect(second.server.map?.data?.['step.a']).toContain('"y"');
  });

  it('is nothing for a run that has none', async () => {
    expect(await store().store.read()).toBeUndefined();
  });

  it('goes on after a write whose answer was lost', async () => {
    const { store: record, server, clock, failures } = store();
    const lost = new ConnectionError('https://x', { verb: 'patch', object: 'x' }, { code: 'ECONNRESET' });
    server.failures = [{ error: lost, written: true }];
    record.put({ run: state, steps: new Map() });
    await clock.advance(10_000);
    server.failures = [
      { error: lost, written: true },
      { error: lost, written: false },
    ];
    record.put({ steps: new Map([['a', step('1')]]) });
    await clock.advance(10_000);
    expect(failures).toEqual([]);
    expect(server.map?.data?.['step.a']).toContain('"1"');
  });

  it('goes on when others touch what is not the record', async () => {
    const { store: record, server, clock, failures } = store();
    record.put({ run: state, steps: new Map() });
    await clock.advance(0);
    server.touch();
    record.put({ steps: new Map([['a', step('1')]]) });
    await clock.advance(10_000);
    expect(failures).toEqual([]);
    expect(server.map?.data?.['step.a']).toContain('"1"');
  });

  it.each<[string, (server: Server) => void]>([
    ['somebody else wrote to it', (server) => server.touch({ 'step.a': '{}' })],
    ['somebody else added to it', (server) => server.touch({ 'step.z': '{}' })],
    ['it was deleted', (server) => void (server.map = undefined)],
    [
      'it is that of another run',
      (server) => {
        server.touch();
        server.map!.metadata.ownerReferences = [];
      },
    ],
  ])('is given up when %s', async (_, change) => {
    const { store: record, server, clock, failures } = store();
    record.put({ run: state, steps: new Map([['a', step('1')]]) });
    await clock.advance(0);
    change(server);
    record.put({ steps: new Map([['b', step('1')]]) });
    await clock.advance(10_000);
    expect(failures).toEqual([expect.any(DeposedError)]);
    expect(server.writes).toHaveLength(1);
  });

  it('of a deleted run of the same name is waited for', async () => {
    const server = new Server();
    const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name: 'r', uid: 'u0' }];
    server.map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'r-record', ownerReferences } };
    await expect(store(server).store.read()).rejects.toThrow(PredecessorError);
  });

  it('that makes no sense is refused with everything that is wrong', async () => {
    const server = new Server();
    const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name: 'r', uid: 'u1' }];
    const data = { run: '[]', 'step.a': '{', 'step.b': '{"phase":"Sleeping"}' };
    server.map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'r-record', ownerReferences }, data };
    const error = await store(server)
      .store.read()
      .catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(InvalidError);
    for (const path of ['run', 'steps.a', 'steps.b']) expect((error as Error).message).toContain(path);
  });

  it('that the API server refuses for good is given up', async () => {
    const { store: record, server, clock, failures } = store();
    server.failures = [{ error: refusal(422, 'Invalid'), written: false }];
    record.put({ run: state, steps: new Map() });
    await clock.advance(0);
    expect(failures).toEqual([expect.any(KubeError)]);
  });
});
