import { afterAll, beforeAll, expect, it } from 'vitest';
import { withApplyLease, type ApplyHolder, type ApplyLeaseOptions } from '../../../lib/fleet/apply/apply-lease.ts';
import { applyCluster } from '../../../lib/fleet/apply/apply-cluster.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { Lease } from '../../../lib/kube/lease-claim.ts';
import { cronJobs, leases } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { plan } from '../manifests.ts';

let cluster: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'apply-lease', scheduler: false, controllerManager: false });
  client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const holder = (identity: string, process?: string): ApplyHolder => ({ identity, ...(process && { process }) });

function hold<T>(
  name: string,
  who: ApplyHolder,
  work: (signal: AbortSignal) => Promise<T>,
  options: Partial<ApplyLeaseOptions> = {},
): Promise<T> {
  const times = { durationMs: 2_000, periodMs: 200 };
  return withApplyLease(client, { name, namespace: 'default', holder: who, ...times, ...options }, work);
}

const read = (name: string) => client.get<Lease>(leases, name, { namespace: 'default' });

/** A lease that was left behind by somebody who was killed. */
async function abandoned(name: string, who: ApplyHolder, durationMs: number): Promise<void> {
  const leave = new AbortController();
  const left = hold(
    name,
    who,
    async () => {
      const lease = await read(name);
      leave.abort(new Error('killed'));
      return lease;
    },
    { durationMs },
  );
  const { metadata, ...lease } = await left;
  const { resourceVersion: _, uid: __, ...kept } = metadata;
  await client.create(leases, { ...lease, metadata: kept });
}

it('two applies at once: the second is refused with the name of the first', async () => {
  const { failure } = await hold('applyset-acme', holder('alice@laptop-1'), async () =>
    applyCluster(client, [plan('a')], { namespace: 'default', inventory: { name: 'acme', namespace: 'default' } }),
  );
  expect(failure).toEqual({
    message: 'alice@laptop-1 is applying at this moment (Lease default/applyset-acme)',
    fix: 'wait until that has ended, then apply again',
  });
  await expect(client.get(cronJobs, 'a')).rejects.toThrow('not found');
  // It is given back.
  await expect(read('applyset-acme')).rejects.toThrow('not found');
});

it('one that nobody renews is taken when its time is over, and told of meanwhile', async () => {
  await abandoned('expiring', holder('bob@ci-7'), 1_000);
  const waited: string[] = [];
  const started = performance.now();
  await hold('expiring', holder('alice'), async () => undefined, { onWaiting: (who) => waited.push(who) });
  expect(performance.now() - started).toBeGreaterThan(900);
  expect(new Set(waited)).toEqual(new Set(['bob@ci-7']));
});

it('one whose process has ended on this machine is taken at once', async () => {
  await abandoned('dead', holder('bob', 'process 7'), 3600_000);
  const alice = { ...holder('alice', 'process 8'), hasEnded: (process: string) => process === 'process 7' };
  const seen = await hold('dead', alice, () => read('dead'));
  expect(seen.spec).toMatchObject({ holderIdentity: 'alice', leaseTransitions: 1 });
  expect(seen.metadata.annotations).toEqual({ 'cdk8s-workflows.dev/process': 'process 8' });
});

it('work ends when the lease was lost', async () => {
  const lost = hold('lost', holder('alice'), async (signal) => {
    const lease = await read('lost');
    await client.replace(leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'bob' } });
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  });
  await expect(lost).rejects.toThrow('The lease was lost: somebody else may apply');
  expect((await read('lost')).spec?.holderIdentity).toBe('bob');
});

it('work that outlasts the lease keeps it', async () => {
  const times = { durationMs: 600, periodMs: 100 };
  const renewed = await hold(
    'long',
    holder('alice'),
    async (signal) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      signal.throwIfAborted();
      return read('long');
    },
    times,
  );
  expect(renewed.spec?.renewTime).not.toBe(renewed.spec?.acquireTime);
});
