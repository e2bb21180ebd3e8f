import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ElectionOptions } from '../../lib/kube/election-options.ts';
import { LeaderElection } from '../../lib/kube/lease.ts';
import { LeaseServer } from './lease-server.ts';
import { ManualClock, settle } from './manual-clock.ts';

class Candidate {
  readonly network = { latencyMs: 0, down: false };
  readonly told: string[] = [];
  readonly stop = new AbortController();
  readonly election: LeaderElection;
  readonly ended: Promise<unknown>;
  term: AbortSignal | undefined;
  /** Settles what `onStarted` returned. */
  work = Promise.withResolvers<void>();
  failure: unknown;

  constructor(server: LeaseServer, clock: ManualClock, identity: string, options: Partial<ElectionOptions> = {}) {
    const environment = { clock, random: () => 0.5 };
    this.election = new LeaderElection(server.client(this.network), { name: 'l', identity, environment, ...options });
    this.ended = this.election
      .run(
        {
          onStarted: (signal) => {
            this.term = signal;
            this.told.push('started');
            signal.addEventListener('abort', () => this.told.push('ending'));
            return this.work.promise;
          },
          onStopped: () => this.told.push('stopped'),
          onNewLeader: (id) => this.told.push(`leader ${id}`),
          onError: () => this.told.push('error'),
        },
        this.stop.signal,
      )
      .catch((error: unknown) => (this.failure = error));
  }

  get leads(): boolean {
    return this.term !== undefined && !this.term.aborted;
  }
}

function pair(): { server: LeaseServer; clock: ManualClock; a: Candidate; b: Candidate } {
  const clock = new ManualClock();
  const server = new LeaseServer(clock);
  const [a, b] = [new Candidate(server, clock, 'a'), new Candidate(server, clock, 'b')];
  a.work.resolve();
  b.work.resolve();
  return { server, clock, a, b };
}

describe('LeaderElection', () => {
  test('lets one lead, and both know who', async () => {
    const { server, clock, a, b } = pair();
    await clock.advance(60_000);
    expect([a.leads, b.leads]).toEqual([true, false]);
    expect([a.election.isLeader, b.election.isLeader]).toEqual([true, false]);
    expect(a.told).toEqual(['leader a', 'started']);
    expect(b.told).toEqual(['leader a']);
    expect(b.election.leader).toBe('a');
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 15 });
  });

  test('hands over at once when the leader ends', async () => {
    const { clock, a, b } = pair();
    await clock.advance(10_000);
    a.stop.abort('shut down');
    await a.ended;
    await clock.advance(2500);
    expect(a.told).toEqual(['leader a', 'started', 'ending', 'stopped']);
    expect(a.term?.reason).toBe('shut down');
    expect(b.told).toEqual(['leader a', 'leader b', 'started']);
  });

  test('keeps the lease until the work of the leader has ended', async () => {
    const clock = new ManualClock();
    const server = new LeaseServer(clock);
    const a = new Candidate(server, clock, 'a');
    const b = new Candidate(server, clock, 'b');
    await clock.advance(10_000);
    a.stop.abort();
    await clock.advance(60_000);
    expect([a.leads, b.leads]).toEqual([false, false]);
    expect(server.lease?.spec?.holderIdentity).toBe('a');
    a.work.resolve();
    await a.ended;
    await clock.advance(3000);
    expect(b.leads).toBe(true);
  });

  test('lets the lease run out when it is not to be released', async () => {
    const clock = new ManualClock();
    const server = new LeaseServer(clock);
    const a = new Candidate(server, clock, 'a', { releaseOnCancel: false });
    const b = new Candidate(server, clock, 'b');
    a.work.resolve();
    await clock.advance(10_000);
    a.stop.abort();
    await a.ended;
    await clock.advance(11_000);
    expect(b.leads).toBe(false);
    await clock.advance(6000);
    expect(b.leads).toBe(true);
  });

  test('a leader cut off stops before another starts, and competes again afterwards', async () => {
    const { server, clock, a, b } = pair();
    await clock.advance(10_000);
    a.network.down = true;
    await clock.advance(10_000);
    expect([a.leads, b.leads]).toEqual([false, false]);
    expect(a.term?.reason).toEqual(new Error('The lease l was lost'));
    await clock.advance(8000);
    expect([a.leads, b.leads]).toEqual([false, true]);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    a.network.down = false;
    await clock.advance(60_000);
    expect(a.told.at(-1)).toBe('leader b');
    b.stop.abort();
    await b.ended;
    await clock.advance(3000);
    expect(a.leads).toBe(true);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 2 });
  });

  test('a leader whose answers are late counts from its questions', async () => {
    const { clock, a, b } = pair();
    await clock.advance(9500);
    a.network.latencyMs = 7500;
    await clock.advance(7500);
    a.network.down = true;
    for (let half = 0; half < 40; half++) {
      await clock.advance(500);
      expect(a.leads && b.leads).toBe(false);
    }
    expect(b.leads).toBe(true);
  });

  test('survives a lease that somebody else touched, and yields to one that took it', async () => {
    const { server, clock, a } = pair();
    await clock.advance(10_000);
    if (server.lease) server.lease.metadata.resourceVersion = 'other';
    await clock.advance(6000);
    expect(a.leads).toBe(true);
    if (server.lease?.spec) {
      server.lease.metadata.resourceVersion = 'stolen';
      server.lease.spec.holderIdentity = 'thief';
    }
    await clock.advance(5000);
    expect(a.leads).toBe(false);
    expect(a.told.at(-2)).toBe('ending');
  });

  test('takes its own lease back after a crash, under the same name', async () => {
    const clock = new ManualClock();
    const server = new LeaseServer(clock);
    const a = new Candidate(server, clock, 'a', { releaseOnCancel: false });
    a.work.resolve();
    await clock.advance(5000);
    a.stop.abort();
    await a.ended;
    const again = new Candidate(server, clock, 'a');
    await settle();
    expect(again.leads).toBe(true);
    expect(server.lease?.spec?.leaseTransitions).toBe(0);
  });

  test('gives the lease back and rejects when the work fails', async () => {
    const clock = new ManualClock();
    const server = new LeaseServer(clock);
    const a = new Candidate(server, clock, 'a');
    await clock.advance(5000);
    a.work.reject(new Error('a mistake'));
    await a.ended;
    expect(a.failure).toEqual(new Error('a mistake'));
    expect(a.told.at(-1)).toBe('stopped');
    expect(server.lease?.spec?.holderIdentity).toBe('');
  });

  test('refuses times with which a leader would be too late', () => {
    const client = new LeaseServer(new ManualClock()).client();
    for (const times of [{ leaseDurationMs: 10_000 }, { renewDeadlineMs: 2400 }, { retryPeriodMs: 0 }]) {
      expect(() => new LeaderElection(client, { name: 'l', identity: 'a', ...times })).toThrow(RangeError);
    }
  });
});

const mishap = fc.record({
  who: fc.nat({ max: 2 }),
  down: fc.boolean(),
  latencyMs: fc.constantFrom(0, 100, 3000, 8000),
  forMs: fc.integer({ min: 100, max: 20_000 }),
});

describe('LeaderElection under faults', () => {
  test('never has two leaders, and has one when the network is well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(mishap, { maxLength: 12 }), async (mishaps) => {
        const clock = new ManualClock();
        const server = new LeaseServer(clock);
        const candidates = ['a', 'b', 'c'].map((identity) => new Candidate(server, clock, identity));
        for (const { work } of candidates) work.resolve();
        const leaders = (): number => candidates.filter(({ leads }) => leads).length;
        const pass = async (ms: number): Promise<void> => {
          for (let passed = 0; passed < ms; passed += 500) {
            await clock.advance(500);
            expect(leaders()).toBeLessThanOrEqual(1);
          }
        };
        for (const { who, down, latencyMs, forMs } of mishaps) {
          Object.assign(candidates[who]?.network ?? {}, { down, latencyMs });
          await pass(forMs);
        }
        for (const { network } of candidates) Object.assign(network, { down: false, latencyMs: 0 });
        await pass(40_000);
        expect(leaders()).toBe(1);
        for (const { stop } of candidates) stop.abort();
        await Promise.all(candidates.map(({ ended }) => ended));
        expect(server.lease?.spec?.holderIdentity).toBe('');
      }),
      { numRuns: 25 },
    );
  });
});
