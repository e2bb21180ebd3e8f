import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionError, KubeError } from '../../lib/kube/errors.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import type { ReflectorOptions } from '../../lib/kube/reflector-options.ts';
import { configMaps } from '../../lib/kube/resources.ts';
import { Collection, gone } from './collection.ts';
import { HastyClock, ManualClock, settle } from './manual-clock.ts';

function follow(
  collection: Collection,
  options: Partial<ReflectorOptions<KubeObject>> = {},
): { reflector: Reflector; told: string[]; stop: AbortController } {
  const told: string[] = [];
  const stop = new AbortController();
  const reflector = new Reflector(collection.client, configMaps, {
    onChange: ({ metadata, data }, previous) =>
      told.push(`${metadata.name}=${String(data)}${previous ? ` was ${String(previous['data'])}` : ''}`),
    onDelete: ({ metadata }) => told.push(`${metadata.name} gone`),
    onSynced: () => told.push('synced'),
    onError: (error) => told.push(`error ${(error as { code?: number }).code ?? String(error)}`),
    environment: { clock: new HastyClock(), random: () => 0 },
    ...options,
  });
  reflector.start(stop.signal);
  onTestFinished(() => stop.abort());
  return { reflector, told, stop };
}

describe('Reflector', () => {
  test('tells what exists, page by page, then what happens', async () => {
    const collection = new Collection();
    for (const name of ['a', 'b', 'c']) collection.set(name, '1');
    const { reflector, told } = follow(collection, { pageSize: 2 });
    await reflector.synced();
    await settle();
    collection.set('b', '2');
    collection.delete('a');
    collection.set('d', '1');
    await settle();
    expect(told).toEqual(['a=1', 'b=1', 'c=1', 'synced', 'b=2 was 1', 'a gone', 'd=1']);
    expect(collection.lists.length).toBe(2);
    expect(reflector.get('n/b')).toMatchObject({ data: '2' });
    expect([...reflector.values()].map(({ metadata }) => metadata.name)).toEqual(['b', 'c', 'd']);
    expect(reflector.size).toBe(3);
    expect(reflector.lastSyncAt).toBeGreaterThanOrEqual(0);
  });

  test('passes selectors and namespace to both requests', async () => {
    const collection = new Collection();
    const select = { namespace: null, labelSelector: 'a=b', fieldSelector: 'metadata.name=x' };
    const { reflector } = follow(collection, select);
    await reflector.synced();
    await settle();
    expect(collection.lists[0]).toMatchObject({ ...select, limit: 500 });
    expect(collection.watches[0]).toMatchObject({ ...select, resourceVersion: '1', timeoutSeconds: 300 });
  });

  test('resumes from the last version when the stream ends, and misses nothing', async () => {
    const collection = new Collection();
    collection.set('a', '1');
    const { reflector, told } = follow(collection);
    await reflector.synced();
    await settle();
    collection.set('a', '2');
    await settle();
    collection.breakStreams();
    collection.set('a', '3');
    await settle();
    expect(told).toEqual(['a=1', 'synced', 'a=2 was 1', 'a=3 was 2']);
    expect(collection.lists.length).toBe(1);
    expect(collection.watches.map(({ resourceVersion }) => resourceVersion)).toEqual(['2', '3']);
  });

  test('a bookmark moves the version on', async () => {
    const collection = new Collection();
    const { reflector } = follow(collection);
    await reflector.synced();
    await settle();
    collection.version = 40;
    collection.bookmark();
    await settle();
    collection.breakStreams();
    await settle();
    expect(collection.watches.at(-1)?.resourceVersion).toBe('40');
  });

  test.each([
    ['the watch is refused', (c: Collection): void => c.breakStreams()],
    ['the stream says so', (c: Collection): void => c.sendGone()],
  ])('lists again when the version is too old: %s', async (_, end) => {
    const collection = new Collection();
    for (const name of ['a', 'b', 'c']) collection.set(name, '1');
    const { reflector, told } = follow(collection);
    await reflector.synced();
    await settle();
    end(collection);
    collection.set('b', '2');
    collection.delete('a');
    collection.delete('c');
    collection.set('c', 'new');
    collection.compact();
    await settle();
    expect(told.slice(4)).toEqual(['error 410', 'a gone', 'b=2 was 1', 'c gone', 'c=new']);
    expect(collection.lists.length).toBe(2);
  });

  test('lists again when the server has fewer versions than we have seen', async () => {
    const collection = new Collection();
    const { reflector } = follow(collection);
    await reflector.synced();
    await settle();
    const details = { causes: [{ reason: 'ResourceVersionTooLarge' }] };
    const subject = { verb: 'watch', object: 'configmaps' };
    collection.faults.push(new KubeError({ kind: 'Status', code: 504, reason: 'Timeout', details }, subject));
    collection.breakStreams();
    await settle();
    expect(collection.lists.length).toBe(2);
  });

  test('takes the whole list at once when the page token becomes too old', async () => {
    const collection = new Collection();
    for (const name of ['a', 'b', 'c']) collection.set(name, '1');
    collection.faults.push(undefined, gone());
    const { reflector, told } = follow(collection, { pageSize: 1 });
    await reflector.synced();
    expect(told).toEqual(['a=1', 'b=1', 'c=1', 'synced']);
    expect(collection.lists.map(({ limit }) => limit)).toEqual([1, 1, undefined]);
  });

  test('waits longer and longer while the server refuses, and once for a single break', async () => {
    const collection = new Collection();
    const refused = new KubeError({ kind: 'Status', code: 403, reason: 'Forbidden' }, { verb: 'list', object: 'x' });
    collection.faults.push(refused, refused, refused, refused);
    const clock = new HastyClock();
    const { reflector, told } = follow(collection, { environment: { clock, random: () => 1 } });
    await reflector.synced();
    expect(told).toEqual(['error 403', 'error 403', 'error 403', 'error 403', 'synced']);
    expect(clock.slept.slice(0, 3)).toEqual([200, 400, 800]);
  });

  test('does not spin when every watch ends at once with 410', async () => {
    const collection = new Collection();
    const clock = new ManualClock();
    const { reflector } = follow(collection, { environment: { clock, random: () => 1 } });
    await reflector.synced();
    for (let i = 0; i < 8; i++) {
      collection.sendGone();
      await settle();
    }
    expect(collection.watches.length).toBeLessThan(4);
    await clock.advance(60_000);
    expect(collection.watches.length).toBeGreaterThan(2);
  });

  test('gives up a silent watch and resumes it', async () => {
    const collection = new Collection();
    const clock = new ManualClock();
    const { reflector, told } = follow(collection, { environment: { clock, random: () => 0 }, idleMs: 60_000 });
    await reflector.synced();
    await clock.advance(50_000);
    collection.bookmark();
    await clock.advance(50_000);
    expect(collection.watches.length).toBe(1);
    await clock.advance(15_000);
    expect(collection.watches.length).toBe(2);
    expect(collection.streams.size).toBe(1);
    expect(told.at(-1)).toContain('The watch of configmaps was silent for 60000 ms');
  });

  test('goes on when a handler throws', async () => {
    const collection = new Collection();
    collection.set('a', '1');
    const errors: unknown[] = [];
    const { reflector } = follow(collection, {
      onChange: () => {
        throw new Error('a mistake');
      },
      onError: (error) => errors.push(error),
    });
    await reflector.synced();
    await settle();
    collection.set('b', '1');
    await settle();
    expect(reflector.size).toBe(2);
    expect(errors).toEqual([new Error('a mistake'), new Error('a mistake')]);
  });

  test('drops managedFields, or what it is told to', async () => {
    const object = (): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', managedFields: [1] },
    });
    for (const [transform, expected] of [
      [undefined, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }],
      [({ metadata: { name } }: KubeObject) => ({ metadata: { name } }) as KubeObject, { metadata: { name: 'a' } }],
    ] as const) {
      const collection = new Collection();
      collection.objects.set('a', object());
      const { reflector } = follow(collection, { transform });
      await reflector.synced();
      expect(reflector.get('a')).toEqual(expected);
    }
  });

  test('tells nothing after it was stopped', async () => {
    const collection = new Collection();
    const { reflector, told, stop } = follow(collection);
    await reflector.synced();
    await settle();
    stop.abort();
    collection.set('a', '1');
    await reflector.stopped();
    expect(told).toEqual(['synced']);
    expect(collection.streams.size).toBe(0);
  });

  test('synced() rejects when it is stopped before', async () => {
    const collection = new Collection();
    collection.faults.push(...Array.from({ length: 9 }, () => new Error('no')));
    const { reflector, stop } = follow(collection, { environment: { clock: new ManualClock(), random: () => 0 } });
    stop.abort('enough');
    await expect(reflector.synced()).rejects.toBe('enough');
    await reflector.stopped();
  });

  test('gives way to other work within a burst', async () => {
    const collection = new Collection();
    for (let i = 0; i < 100; i++) collection.set(`a${i}`, '1');
    let longest = 0;
    let last = performance.now();
    const tick = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    onTestFinished(() => clearInterval(tick));
    const busy = (): void => {
      const until = performance.now() + 3;
      while (performance.now() < until);
    };
    const { reflector } = follow(collection, { onChange: busy });
    await reflector.synced();
    expect(longest).toBeLessThan(150);
  });
});

const subject = { verb: 'watch', object: 'configmaps' };
const stepArbitrary = fc.oneof(
  fc.record({ do: fc.constant('set' as const), name: fc.constantFrom('a', 'b', 'c', 'd'), data: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('delete' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({
    do: fc.constantFrom(
      'compact' as const,
      'bookmark' as const,
      'end' as const,
      'break' as const,
      'sendGone' as const,
      'refuse' as const,
      'noAnswer' as const,
      'wait' as const,
    ),
  }),
);

describe('Reflector under faults', () => {
  test('ends up with what the server has, and its tale adds up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 40 }), async (steps) => {
        const collection = new Collection();
        const tale = new Map<string, unknown>();
        const mistakes: unknown[] = [];
        const stop = new AbortController();
        const reflector = new Reflector<KubeObject>(collection.client, configMaps, {
          pageSize: 2,
          onChange: ({ metadata, data }, previous) => {
            expect(tale.get(metadata.name)).toEqual(previous?.['data']);
            tale.set(metadata.name, data);
          },
          onDelete: ({ metadata }) => expect(tale.delete(metadata.name)).toBe(true),
          onError: (error) => {
            if (!(error instanceof KubeError || error instanceof ConnectionError)) mistakes.push(error);
          },
          environment: { clock: new HastyClock(), random: () => 0.5 },
        });
        reflector.start(stop.signal);
        for (const step of steps) {
          if (step.do === 'set') collection.set(step.name, String(step.data));
          else if (step.do === 'delete') collection.delete(step.name);
          else if (step.do === 'compact') collection.compact();
          else if (step.do === 'bookmark') collection.bookmark();
          else if (step.do === 'end') collection.breakStreams();
          else if (step.do === 'break') collection.breakStreams(new ConnectionError('s', subject, new Error('reset')));
          else if (step.do === 'sendGone') collection.sendGone();
          else if (step.do === 'refuse') collection.faults.push(new KubeError({ kind: 'Status', code: 500 }, subject));
          else if (step.do === 'noAnswer')
            collection.faults.push(new ConnectionError('s', subject, new Error('reset')));
          else await settle();
        }
        await reflector.synced();
        const expected = [...collection.objects.values()].map(({ metadata, data }) => [metadata.name, data]);
        for (let turn = 0; turn < 200 && tale.size !== expected.length; turn++) await settle();
        for (let turn = 0; turn < 20; turn++) await settle();
        stop.abort();
        await reflector.stopped();
        expect(mistakes).toEqual([]);
        expect([...tale].toSorted()).toEqual(expected.toSorted());
        expect([...reflector.values()].map(({ metadata, data }) => [metadata.name, data]).toSorted()).toEqual(
          expected.toSorted(),
        );
      }),
      { numRuns: 150 },
    );
  });
});
