import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KubeClient } from '../../lib/kube/client.ts';
import { LeaderElection } from '../../lib/kube/lease.ts';
import type { Lease } from '../../lib/kube/lease-claim.ts';
import { leases } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';

let plane: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  plane = await startControlPlane({ name: 'kube-lease', controllerManager: false, scheduler: false });
  client = await KubeClient.fromKubeconfig({ kubeconfig: plane.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await plane?.stop();
});

const times = { leaseDurationMs: 5000, renewDeadlineMs: 3000, retryPeriodMs: 300 };

function candidate(name: string, identity: string, leading: Set<string>): { stop: () => Promise<void> } {
  const stop = new AbortController();
  const election = new LeaderElection(client, { name, identity, ...times });
  const ended = election.run(
    {
      onStarted: (signal) => {
        leading.add(identity);
        signal.addEventListener('abort', () => leading.delete(identity));
      },
    },
    stop.signal,
  );
  return {
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

async function until(condition: () => boolean, seconds = 20): Promise<number> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > seconds * 1000) throw new Error('It did not come to that');
    await wait(10);
  }
  return performance.now() - started;
}

test('one leads, and the other takes over at once after a release', async () => {
  const leading = new Set<string>();
  const a = candidate('handover', 'a', leading);
  await until(() => leading.has('a'));
  const b = candidate('handover', 'b', leading);
  await wait(1500);
  expect([...leading]).toEqual(['a']);
  const held = await client.get<Lease>(leases, 'handover');
  expect(held.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 5 });
  expect(held.spec?.renewTime).toMatch(/\.\d{6}Z$/);
  await a.stop();
  expect(leading.has('a')).toBe(false);
  expect(await until(() => leading.has('b'))).toBeLessThan(1500);
  await b.stop();
  const left = await client.get<Lease>(leases, 'handover');
  expect(left.spec).toMatchObject({ leaseTransitions: 1 });
  expect(left.spec?.holderIdentity || '').toBe('');
});

test('a leader without a server stops in time, and somebody leads again afterwards', async () => {
  const leading = new Set<string>();
  const most = new Set<number>();
  const watchman = setInterval(() => most.add(leading.size), 5);
  const candidates = ['a', 'b'].map((identity) => candidate('outage', identity, leading));
  await until(() => leading.size === 1);
  plane.pauseApiServer();
  expect(await until(() => leading.size === 0)).toBeLessThan(times.renewDeadlineMs + 500);
  plane.resumeApiServer();
  await until(() => leading.size === 1);
  await Promise.all(candidates.map(({ stop }) => stop()));
  clearInterval(watchman);
  expect(Math.max(...most)).toBe(1);
});
