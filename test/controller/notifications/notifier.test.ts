import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../../lib/controller/notifications/deliveries.ts';
import type { Outcome } from '../../../lib/controller/notifications/delivery.ts';
import { Notifier } from '../../../lib/controller/notifications/notifier.ts';
import { silentLogger } from '../../../lib/controller/log.ts';
import { noMetrics } from '../../../lib/controller/metrics.ts';
import type { Job } from '../../../lib/controller/objects.ts';
import type { RunClient } from '../../../lib/controller/worker-context.ts';
import { annotations, labels, notifiedPrefix } from '../../../lib/graph/labels.ts';
import type { WireNotification } from '../../../lib/graph/notifications.ts';
import type { EventNote } from '../../../lib/kube/events.ts';
import { FakeClock } from '../fake-clock.ts';

const SECOND = 1000;

/** A Job on a cluster of its own, and the controllers that look at it one after the other. */
class World {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly tries: { readonly id: string; readonly at: number }[] = [];
  job: Job;
  outcome: (number: number) => Outcome | Promise<Outcome> = () => ({ kind: 'delivered' });
  /** Whether the API server takes what is noted. */
  notes = true;
  #stop = new AbortController();
  #notifier: Notifier | undefined;

  constructor(wanted: Partial<WireNotification>) {
    const to = { kind: 'slack', url: 'https://chat.test' } as const;
    const document = { notifications: { team: { on: ['succeeded', 'failed'], to, ...wanted } } };
    this.job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: 'etl-1',
        namespace: 'n',
        uid: 'u',
        creationTimestamp: '1970-01-01T00:00:00Z',
        labels: { [labels.plan]: 'etl' },
        annotations: { [annotations.notifications]: JSON.stringify(document) },
      },
      status: { startTime: '1970-01-01T00:00:00Z' },
    };
  }

  start(): Notifier {
    this.#stop = new AbortController();
    const { clock } = this;
    const client = { patch: (_: unknown, __: string, patch: Job) => this.#patch(patch) } as unknown as RunClient;
    const { signal } = this.#stop;
    const shared = {
      client,
      clock,
      log: silentLogger,
      tell: (_: unknown, { reason, message }: EventNote) => this.told.push(`${reason}: ${message}`),
    };
    const deliveries = new Deliveries(
      {
        ...shared,
        metrics: noMetrics,
        random: () => 1,
        backoff: { baseDelayMs: SECOND, maxDelayMs: 60 * SECOND },
        deliverer: {
          deliver: async (_, { id }) => {
            this.tries.push({ id, at: clock.now() / SECOND });
            return this.outcome(this.tries.length);
          },
        },
      },
      signal,
    );
    const notifier = new Notifier({ ...shared, deliveries, toldMissing: () => undefined }, signal);
    notifier.see(this.job);
    notifier.start();
    this.#notifier = notifier;
    return notifier;
  }

  /** As a process that is killed. */
  kill(): void {
    this.#stop.abort();
    this.#notifier = undefined;
  }

  end(type: 'Complete' | 'Failed'): void {
    const at = new Date(this.clock.now()).toISOString();
    const condition = { type, status: 'True', reason: 'StepFailed', message: 'why', lastTransitionTime: at };
    this.#change({ ...this.job, status: { ...this.job.status, conditions: [condition] } });
  }

  get noted(): Readonly<Record<string, string>> {
    const found = Object.entries(this.job.metadata.annotations!);
    return Object.fromEntries(found.filter(([key]) => key.startsWith(notifiedPrefix)));
  }

  #change(job: Job): void {
    this.job = job;
    this.#notifier?.see(job);
  }

  async #patch({ metadata }: Job): Promise<void> {
    if (!this.notes) return new Promise(() => {});
    const { annotations: given } = this.job.metadata;
    this.#change({
      ...this.job,
      metadata: { ...this.job.metadata, annotations: { ...given, ...metadata.annotations } },
    });
  }
}

const key = (event: string) => `${notifiedPrefix}${event}.team`;

describe('a delivery', () => {
  it('that fails is tried again with a growing wait, until it is given up', async () => {
    const world = new World({ retryForSeconds: 20 });
    world.outcome = () => ({ kind: 'failed', why: 'HTTP 500' });
    world.start();
    world.end('Failed');
    await world.clock.advance(60 * SECOND);
    expect(world.tries.map(({ at }) => at)).toEqual([0, 1, 3, 7, 15]);
    expect(world.noted).toEqual({ [key('failed')]: 'given up: HTTP 500' });
    expect(world.told.at(-1)).toBe(
      'NotificationGivenUp: Notification team (failed) could not be delivered and is given up: HTTP 500',
    );
    expect(world.told.filter((line) => line.startsWith('NotificationFailed'))).toHaveLength(4);
  });

  it('waits as long as the receiver asks for', async () => {
    const world = new World({});
    world.outcome = (number) =>
      number === 1 ? { kind: 'failed', why: 'HTTP 429', afterMs: 30 * SECOND } : { kind: 'delivered' };
    world.start();
    world.end('Failed');
    await world.clock.advance(60 * SECOND);
    expect(world.tries.map(({ at }) => at)).toEqual([0, 30]);
  });

  it('that is under way is waited for in the end, and no other is begun', async () => {
    const world = new World({});
    const answer = Promise.withResolvers<Outcome>();
    world.outcome = () => answer.promise;
    const notifier = world.start();
    world.end('Complete');
    await world.clock.advance(0);
    const closed = notifier.close();
    answer.resolve({ kind: 'delivered' });
    await closed;
    expect(world.noted).toEqual({ [key('succeeded')]: '1970-01-01T00:00:00Z' });
  });

  it('of a run whose Job is gone goes on', async () => {
    const world = new World({});
    world.outcome = (number) => (number === 1 ? { kind: 'failed', why: 'HTTP 500' } : { kind: 'delivered' });
    const notifier = world.start();
    world.end('Failed');
    await world.clock.advance(0);
    notifier.forget(world.job);
    await world.clock.advance(10 * SECOND);
    expect(world.tries).toHaveLength(2);
  });
});

it('what makes no sense is told on the run, and nobody else is told of it', async () => {
  const world = new World({});
  world.job.metadata.annotations = { [annotations.notifications]: '{"notifications":{"team":{"on":["ended"]}}}' };
  world.start();
  world.end('Failed');
  await world.clock.advance(SECOND);
  expect(world.tries).toEqual([]);
  expect(world.told).toEqual([
    expect.stringMatching(/^InvalidAnnotation: Nobody is told of the run: .*notifications\.team/),
  ]);
});

/** What happens to the controllers while a run is late, goes on and ends. */
const lives = fc.record({
  endsAt: fc.integer({ min: 1, max: 100 }),
  type: fc.constantFrom('Complete' as const, 'Failed' as const),
  /** When one is killed, and how long there is none. */
  kills: fc.array(fc.record({ after: fc.integer({ min: 1, max: 40 }), down: fc.integer({ min: 0, max: 40 }) }), {
    maxLength: 5,
  }),
  failures: fc.array(fc.boolean(), { maxLength: 20 }),
});

it('whoever is killed when, each event is delivered with one id, and once, unless one died before it was noted', async () => {
  await fc.assert(
    fc.asyncProperty(lives, fc.boolean(), async ({ endsAt, type, kills, failures }, lost) => {
      const world = new World({ longAfterSeconds: 30 });
      const delivered: string[] = [];
      world.outcome = (number) => {
        if (failures[number - 1]) return { kind: 'failed', why: 'HTTP 500' };
        delivered.push(world.tries.at(-1)!.id);
        return { kind: 'delivered' };
      };
      let ended = false;
      const pass = async (seconds: number) => {
        for (let second = 0; second < seconds; second++) {
          await world.clock.advance(SECOND);
          if (!ended && world.clock.now() >= endsAt * SECOND) world.end(type);
          ended ||= world.clock.now() >= endsAt * SECOND;
          // Whoever is killed has noted what was delivered, unless it could not.
          await world.clock.advance(0);
        }
      };
      world.start();
      for (const { after, down } of kills) {
        world.notes = !lost;
        await pass(after);
        world.kill();
        await pass(down);
        world.start();
      }
      world.notes = true;
      await pass(101);
      await world.clock.advance(1_000 * SECOND);
      const expected = [`u.${type === 'Failed' ? 'failed' : 'succeeded'}`, ...(endsAt >= 30 ? ['u.runningLong'] : [])];
      expect([...new Set(delivered)].sort()).toEqual([...expected].sort());
      if (!lost) expect([...delivered].sort()).toEqual([...expected].sort());
      world.kill();
    }),
    { numRuns: 50 },
  );
});
