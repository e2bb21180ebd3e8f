import { describe, expect, it } from 'vitest';
import type { RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { LockTable, type StepLimits } from '../../lib/engine/lock-table.ts';
import { Run } from '../../lib/engine/run.ts';
import type { LockSource } from '../../lib/graph/locks.ts';
import type { Graph } from '../../lib/graph/graph.ts';
import { graphOf, rowsOf, Scenario, withRows, type StepSketch } from './scenario.ts';

const mutex = (key: string, scope: LockSource['scope'] = 'namespace'): LockSource => ({
  key: { value: key },
  limit: 1,
  scope,
});
const semaphore = (key: string, limit: number, scope: LockSource['scope'] = 'namespace'): LockSource => ({
  ...mutex(key, scope),
  limit,
});
const locked = (...locks: readonly LockSource[]): StepSketch => ({ locks });

/** A run among others. */
class SharedRun extends Scenario {
  woken = 0;
  readonly #table: LockTable;
  readonly #namespace: string;

  constructor(table: LockTable, graph: Graph, spec: Partial<RunSpec> & { readonly name: string }, namespace = 'a') {
    super(graph, spec);
    this.#table = table;
    this.#namespace = namespace;
    this.run = new Run(this.topology, this.spec, undefined, this.#seat());
  }

  get id() {
    return { uid: `uid-${this.spec.name}`, namespace: this.#namespace, name: this.spec.name };
  }

  /** As a new shell that has read the record. */
  rebuild(table: LockTable): SharedRun {
    const { name } = this.spec;
    const decoded = decodeRecord(encodeRecord(this.run.record()));
    if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
    const next = new SharedRun(table, this.topology.graph, { ...this.spec, name }, this.#namespace);
    next.run = new Run(next.topology, next.spec, decoded.record, next.#seat());
    next.now = this.now;
    return next;
  }

  #seat() {
    return this.#table.join(this.id, () => void (this.woken += 1));
  }
}

/** Runs of one controller, by name; each begins a second after the one before. */
function share(table: LockTable, graph: Graph, ...specs: readonly (string | (Partial<RunSpec> & { name: string }))[]) {
  return specs.map((spec) => {
    const run = new SharedRun(table, graph, typeof spec === 'string' ? { name: spec } : spec);
    const before = begun.get(table) ?? 0;
    begun.set(table, before + 1);
    return run.after(before) as SharedRun;
  });
}

/** How many runs have begun. */
const begun = new WeakMap<LockTable, number>();

const one = graphOf({ load: locked(mutex('db')) });

describe('a lock', () => {
  it('is had by one step of all runs of a namespace, and given on when that has ended', () => {
    const [a, b] = share(new LockTable(), one, 'a', 'b');
    expect(a!.phase('load')).toBe('Running/Created');
    expect(b!.phase('load')).toBe('Waiting/WaitingForLock');
    expect(b!.run.explain('load', b!.now)).toBe('lock db held by run a (step load)');
    a!.succeed('load');
    expect(b!.woken).toBe(1);
    expect(b!.tell().asked).toEqual(['start load 1']);
    expect(b!.run.step('load').message).toBeUndefined();
  });

  it.each([
    ['run', 'Running/Created', 'Running/Created'],
    ['namespace', 'Waiting/WaitingForLock', 'Running/Created'],
    ['controller', 'Waiting/WaitingForLock', 'Waiting/WaitingForLock'],
  ] as const)('of scope %s keeps out steps of the same namespace: %s; of another: %s', (scope, same, other) => {
    const table = new LockTable();
    const graph = graphOf({ load: locked(mutex('db', scope)) });
    share(table, graph, 'a');
    expect(new SharedRun(table, graph, { name: 'b' }).tell().phase('load')).toBe(same);
    expect(new SharedRun(table, graph, { name: 'c' }, 'elsewhere').tell().phase('load')).toBe(other);
  });

  it('does not keep other steps of the run from starting', () => {
    const [, b] = share(new LockTable(), graphOf({ load: locked(mutex('db')), other: {} }), 'a', 'b');
    expect(b!.phases()).toEqual({ load: 'Waiting/WaitingForLock', other: 'Running/Created' });
  });

  it('is free while a step waits for a retry', () => {
    const retries = { limit: 1, delaySeconds: 60 };
    const [a, b] = share(new LockTable(), graphOf({ load: { ...locked(mutex('db')), retries } }), 'a', 'b');
    a!.fail('load');
    expect(a!.phase('load')).toBe('Waiting/Backoff');
    expect(b!.tell().phase('load')).toBe('Running/Created');
    expect(a!.after(60).phase('load')).toBe('Waiting/WaitingForLock');
  });

  it('is held by a step that is being stopped until its end is seen', () => {
    const [a, b] = share(new LockTable(), one, 'a', 'b');
    a!.ask({ cancel: 'Now' });
    expect(b!.tell().phase('load')).toBe('Waiting/WaitingForLock');
    a!.fail('load');
    expect(b!.tell().phase('load')).toBe('Running/Created');
  });

  it('is a semaphore with a limit above 1', () => {
    const [a, b, c] = share(new LockTable(), graphOf({ train: locked(semaphore('gpu', 2)) }), 'a', 'b', 'c');
    expect([a, b].map((run) => run!.phase('train'))).toEqual(['Running/Created', 'Running/Created']);
    expect(c!.run.step('train').message).toBe('semaphore gpu: 2 of 2 held by run a (step train), run b (step train)');
  });

  it('is never had by more than the least limit that one of them names', () => {
    const table = new LockTable();
    const [reader] = share(table, graphOf({ read: locked(semaphore('db', 4)) }), 'reader');
    const [writer] = share(table, graphOf({ write: locked(mutex('db')) }), 'writer');
    const [late] = share(table, graphOf({ read: locked(semaphore('db', 4)) }), 'late');
    expect(writer!.phase('write')).toBe('Waiting/WaitingForLock');
    // The writer has its place before it: it does not starve.
    expect(late!.run.step('read').message).toBe('semaphore db goes first to run writer (step write)');
    reader!.succeed('read');
    expect(writer!.tell().phase('write')).toBe('Running/Created');
    expect(late!.tell().phase('read')).toBe('Waiting/WaitingForLock');
  });

  it('named twice by a step counts once', () => {
    const [run] = share(new LockTable(), graphOf({ load: locked(semaphore('db', 2), mutex('db')) }), 'a');
    expect(run!.phase('load')).toBe('Running/Created');
    expect(run!.run.step('load').locks).toEqual([{ key: 'db', limit: 1, scope: 'namespace' }]);
  });

  it('is not in the record of a step that has ended', () => {
    const [a] = share(new LockTable(), one, 'a');
    a!.runs('load').succeed('load');
    expect(a!.run.step('load')).not.toHaveProperty('locks');
  });
});

describe('several locks', () => {
  const both = graphOf({ both: locked(mutex('x'), mutex('y')) });
  const table = () => {
    const locks = new LockTable();
    const [x] = share(locks, graphOf({ x: locked(mutex('x')) }), 'x');
    const [two] = share(locks, both, 'two');
    const [y] = share(locks, graphOf({ y: locked(mutex('y')) }), 'y');
    return [x!, two!, y!] as const;
  };

  it('are taken together or not at all', () => {
    const [x, two] = table();
    expect(two.run.step('both').message).toBe('lock x held by run x (step x)');
    x.succeed('x');
    expect(two.tell().phase('both')).toBe('Running/Created');
  });

  it('are kept for whom waits for all of them by those behind it', () => {
    const [, , y] = table();
    expect(y.run.step('y').message).toBe('lock y goes first to run two (step both)');
  });

  it.each([
    ['is cancelled', { cancel: 'Now' }],
    ['is suspended', { suspended: true }],
    ['skips the step', { skips: { both: '' } }],
  ] as const)('are not kept for it any more when its run %s', (_, change) => {
    const [, two, y] = table();
    two.ask(change);
    expect(y.woken).toBe(1);
    expect(y.tell().phase('y')).toBe('Running/Created');
  });
});

describe('who waits', () => {
  it.each([
    ['the older one', [{}, {}], ['b', 'c']],
    ['the run of higher priority', [{}, { priority: 5 }], ['c', 'b']],
    ['the run of less low priority', [{ priority: -5 }, { priority: -1 }], ['c', 'b']],
  ])('is let in in order: first %s', (_, [b, c], order) => {
    const runs = share(new LockTable(), one, 'a', { name: 'b', ...b }, { name: 'c', ...c });
    runs[0]!.succeed('load');
    const woken = runs.filter((run) => run.woken > 0).map((run) => run.spec.name);
    expect(woken).toEqual([order[0]]);
  });

  it('moves up when its priority is raised', () => {
    const [a, b, c] = share(new LockTable(), one, 'a', 'b', 'c');
    c!.ask({ priority: 1 });
    a!.succeed('load');
    expect([b!.woken, c!.woken]).toEqual([0, 1]);
  });

  it('does not keep a lock from others while its run has no room', () => {
    const [a] = share(new LockTable(), one, 'a');
    const table = new LockTable();
    const graph = graphOf({ long: {}, load: locked(mutex('db')) });
    const [busy] = share(table, graph, { name: 'busy', parallelism: 1 });
    expect(busy!.phase('load')).toBe('Waiting/ParallelismLimit');
    const [other] = share(table, one, 'other');
    expect(other!.phase('load')).toBe('Running/Created');
    expect(busy!.succeed('long').phase('load')).toBe('Waiting/WaitingForLock');
    other!.succeed('load');
    expect(busy!.tell().phase('load')).toBe('Running/Created');
    expect(a!.phase('load')).toBe('Running/Created');
  });

  it('times out like any other', () => {
    const [, b] = share(new LockTable(), graphOf({ load: { ...locked(mutex('db')), timeoutSeconds: 10 } }), 'a', 'b');
    expect(b!.after(10).phase('load')).toBe('Failed/StepTimeout');
  });
});

describe('items of a map', () => {
  const items = {
    over: [{ input: 'shard', list: { value: ['x', 'y', 'x', 'z'] } }],
    inputs: { shard: { item: 'shard' } },
  };

  it('each have their own locks, by their own values', () => {
    const locks = [{ ...mutex(''), key: { list: [{ value: 'shard' }, { item: 'shard' }] } }];
    const [run] = share(new LockTable(), graphOf({ score: { kind: 'map', ...items, locks } }), 'a');
    expect(run!.asked).toEqual(['start score-0 1', 'start score-1 1', 'start score-3 1']);
    expect(run!.run.step('score-2').message).toBe('lock shard/x held by step score-0');
    expect(run!.succeed('score-0').asked).toEqual(['start score-2 1']);
  });

  it('go one by one with a common lock, in the order of the items', () => {
    const [run] = share(new LockTable(), graphOf({ score: { kind: 'map', ...items, ...locked(mutex('db')) } }), 'a');
    const started: string[] = [];
    for (let item = 0; item < 4; item++) {
      started.push(...run!.asked);
      run!.succeed(`score-${item}`);
    }
    expect(started).toEqual([0, 1, 2, 3].map((item) => `start score-${item} 1`));
    expect(run!.end).toBe('Succeeded/Completed');
  });

  it('that wait for a lock end with their map', () => {
    const [run] = share(new LockTable(), graphOf({ score: { kind: 'map', ...items, ...locked(mutex('db')) } }), 'a');
    run!.fail('score-0');
    expect(run!.phase('score')).toBe('Failed/ItemsFailed');
    expect(run!.phase('score-2')).toBe('Cancelled/MapStopped');
  });
});

describe('a key', () => {
  it('may be made of outputs, and is an edge', () => {
    const key = { list: [{ value: 'rows' }, rowsOf('count')] };
    const run = new SharedRun(new LockTable(), graphOf({ count: withRows, load: { locks: [{ ...mutex(''), key }] } }), {
      name: 'a',
    });
    expect(run.tell().phase('load')).toBe('Pending/WaitingForUpstreams');
    run.succeed('count', { rows: 7 });
    expect(run.run.step('load').locks).toEqual([{ key: 'rows/7', limit: 1, scope: 'namespace' }]);
  });

  it.each([
    ['has no value', { input: 'site' }, {}, 'the key of locks[0] has no value'],
    ['has a part without a value', { list: [{ value: 'a' }, { input: 'site' }] }, {}, 'not undefined'],
    ['is empty', { input: 'site' }, { site: '' }, 'is empty'],
    ['is no text', { input: 'site' }, { site: {} }, 'must be text, a number or a boolean'],
    ['is too long', { input: 'site' }, { site: 'x'.repeat(257) }, 'has 257 characters; it may have 256'],
  ])('that %s fails the step', (_, key, inputs, message) => {
    const graph = graphOf({
      load: { locks: [{ ...mutex(''), key }], retries: { limit: 5 } },
      next: { after: ['load'] },
    });
    const run = new SharedRun(new LockTable(), graph, { name: 'a', inputs }).tell();
    expect(run.phases()).toEqual({ load: 'Failed/LockError', next: 'Skipped/UpstreamFailed' });
    expect(run.run.step('load').message).toContain(message);
  });
});

describe('limits of running steps', () => {
  const three = graphOf({ x: {}, y: {}, z: {} });
  const running = (runs: readonly SharedRun[]) => runs.map(({ run }) => run.counts().active);

  it.each<[string, StepLimits, string, string]>([
    [
      'a namespace',
      { maxStepsPerNamespace: 2 },
      'Waiting/NamespaceLimit',
      'limit of 2 running steps in namespace a reached',
    ],
    [
      'the controller',
      { maxSteps: 2 },
      'Waiting/ControllerLimit',
      'limit of 2 running steps of the controller reached',
    ],
  ])('of %s hold over all runs, whatever these allow', (_, limits, phase, message) => {
    const [a, b] = share(new LockTable(limits), three, 'a', 'b');
    expect(running([a!, b!])).toEqual([2, 0]);
    expect(a!.phase('z')).toBe(phase);
    expect(b!.phase('x')).toBe(phase);
    expect(b!.run.explain('x', b!.now)).toBe(message);
    expect(b!.run.explain('y', b!.now)).toBe('waiting for its turn behind other steps of the run');
  });

  it('are given on to the oldest step, or the run of highest priority', () => {
    const runs = share(new LockTable({ maxSteps: 2 }), three, 'a', { name: 'b' }, { name: 'c', priority: 1 });
    runs[0]!.succeed('x');
    expect(runs.map(({ woken }) => woken)).toEqual([0, 0, 1]);
  });

  it('are not used up by who waits for a lock', () => {
    const table = new LockTable({ maxSteps: 2 });
    const [holder, waiter] = share(table, one, 'holder', 'waiter');
    const [other] = share(table, graphOf({ x: {} }), 'other');
    expect([holder!.phase('load'), waiter!.phase('load'), other!.phase('x')]).toEqual([
      'Running/Created',
      'Waiting/WaitingForLock',
      'Running/Created',
    ]);
  });
});

describe('a shell that takes the place of another', () => {
  it('gives nothing out before all that was active is known, and then only what is free', () => {
    const table = new LockTable();
    const [a, b] = share(table, one, 'a', 'b');
    const next = new LockTable();
    for (const run of [a!, b!]) next.expect(run.id);
    begun.set(next, 2);
    const [fresh] = share(next, one, 'fresh');
    expect(fresh!.run.step('load').message).toBe('lock db: waiting until 2 runs are taken up again');
    const b2 = b!.rebuild(next).tell() as SharedRun;
    expect(b2.phase('load')).toBe('Waiting/WaitingForLock');
    const a2 = a!.rebuild(next).tell() as SharedRun;
    expect(a2.phase('load')).toBe('Running/Created');
    expect(b2.tell().phase('load')).toBe('Waiting/WaitingForLock');
    a2.succeed('load');
    expect([b2.woken > 0, fresh!.woken]).toEqual([true, 0]);
    expect(b2.tell().phase('load')).toBe('Running/Created');
  });

  it('does not wait for runs of other namespaces', () => {
    const table = new LockTable();
    table.expect({ uid: 'x', namespace: 'elsewhere', name: 'x' });
    expect(share(table, one, 'a')[0]!.phase('load')).toBe('Running/Created');
  });

  it('counts what exists but was never written down', () => {
    const [a] = share(new LockTable(), one, 'a');
    const before = new SharedRun(new LockTable(), one, { name: 'a' });
    const next = new LockTable();
    next.expect(before.id);
    const [b] = share(next, one, 'b');
    const a2 = new SharedRun(next, one, { name: 'a' });
    a2.tell({ step: 'load', attempt: 1, state: { kind: 'running', startedAt: a!.now } });
    expect([a2.phase('load'), b!.tell().phase('load')]).toEqual(['Running/ContainerRunning', 'Waiting/WaitingForLock']);
  });

  it('goes on without runs that are gone', () => {
    const table = new LockTable();
    const gone = { uid: 'gone', namespace: 'a', name: 'gone' };
    table.expect(gone);
    const [a] = share(table, one, 'a');
    table.forget(gone);
    expect(a!.woken).toBe(1);
    expect(a!.tell().phase('load')).toBe('Running/Created');
  });
});
