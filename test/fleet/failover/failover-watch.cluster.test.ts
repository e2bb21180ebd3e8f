import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failoverOf, type PlanObject } from '../../../lib/fleet/failover/failover-record.ts';
import { failoverBeside } from '../../../lib/cli/cluster/fleet/failover-beside.ts';
import { runController } from '../../../lib/controller/controller-process.ts';
import { FailoverWatch } from '../../../lib/fleet/failover/failover-watch.ts';
import { annotations, labels, MANAGED_BY } from '../../../lib/graph/labels.ts';
import { failoverRules, remoteFailoverRules, type PermissionRule } from '../../../lib/graph/permissions.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { NewObject } from '../../../lib/kube/objects.ts';
import { cronJobs } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { writeTokenConfig } from '../../cluster/kubeconfig.ts';

let eu: ControlPlane;
let clients: Readonly<Record<'eu' | 'us', KubeClient>>;
/** With the permissions that the manifests give to a controller. */
let limited: Readonly<Record<'eu' | 'us', KubeClient>>;
let us: ControlPlane;

beforeAll(async () => {
  const options = { scheduler: false, controllerManager: false };
  [eu, us] = await Promise.all([
    startControlPlane({ name: 'watch-eu', ...options }),
    startControlPlane({ name: 'watch-us', ...options }),
  ]);
  const [euClient, usClient] = await Promise.all(
    [eu, us].map(({ kubeconfigPath: kubeconfig }) => KubeClient.fromKubeconfig({ kubeconfig, retry: { attempts: 1 } })),
  );
  clients = { eu: euClient!, us: usClient! };
  limited = { eu: await limitedTo(eu, remoteFailoverRules), us: await limitedTo(us, failoverRules) };
});

/** A client that may do what rules say and no more. */
async function limitedTo(cluster: ControlPlane, rules: readonly PermissionRule[]): Promise<KubeClient> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: 'failover' };
  const [roleRef, subject] = [
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'failover' },
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' },
  ];
  for (const object of [
    { apiVersion, kind: 'Role', metadata, rules },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects: [subject] },
  ])
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  return KubeClient.fromKubeconfig({ kubeconfig: await cluster.userKubeconfig('alice'), retry: { attempts: 1 } });
}

afterAll(async () => {
  await Promise.all([clients, limited].flatMap((each) => Object.values(each ?? {})).map((client) => client.close()));
  await Promise.all([eu?.stop(), us?.stop()]);
});

function plan(name: string, suspend: boolean, notes: Record<string, string> = {}): NewObject {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, labels: { [labels.managedBy]: MANAGED_BY }, annotations: notes },
    spec: { schedule: '0 0 1 1 *', suspend, jobTemplate: { spec: { template } } },
  };
}

const backup = (rank: string, more: object = {}) => ({
  [annotations.backupOf]: 'eu',
  [annotations.backupRank]: rank,
  ...more,
});

/** The plans that are active. */
async function active(on: 'eu' | 'us'): Promise<string[]> {
  const { items } = await clients[on].list<PlanObject>(cronJobs);
  return items.filter(({ spec }) => !spec.suspend).map(({ metadata }) => metadata.name);
}

/** Watches eu from us while something happens. */
async function watching(
  afterMs: number,
  work: (told: readonly string[]) => Promise<void>,
  client: KubeClient = limited.eu,
): Promise<void> {
  const told: string[] = [];
  const log = {
    info: (message: string) => void told.push(message),
    warn: (message: string) => void told.push(message),
  };
  const watch = new FailoverWatch({
    home: { name: 'eu', client },
    backup: { name: 'us', client: limited.us, namespaces: ['default'] },
    afterMs,
    everyMs: 100,
    log,
  });
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await work(told).finally(() => stop.abort());
  await running;
}

describe('a controller that watches the cluster whose backup it is on', () => {
  beforeEach(async () => {
    for (const cluster of [eu, us]) await cluster.kubectl(['delete', 'cronjob', '--all']);
    for (const name of ['first', 'second', 'by-hand'])
      await clients.eu.create(cronJobs, plan(name, name === 'by-hand'));
    await clients.us.create(cronJobs, plan('first', true, backup('1')));
    await clients.us.create(cronJobs, plan('second', true, backup('2')));
    await clients.us.create(cronJobs, plan('by-hand', true, backup('1', { [annotations.staysSuspended]: 'true' })));
    await clients.us.create(cronJobs, plan('own', true));
  });

  it('takes over the plans of which it is the first backup, and ends that they are active twice', async () => {
    await watching(1_500, async (told) => {
      await setTimeout(500);
      expect(told).toEqual([]);
      await eu.stopApiServer();
      await eventually(() => Promise.resolve(expect(told).toContain('A cluster is lost')));
      expect(await active('us')).toEqual([]);
      await eventually(async () => expect(await active('us')).toEqual(['first']));
      const taken = await clients.us.get<PlanObject>(cronJobs, 'first');
      expect(failoverOf(taken)).toMatchObject({ from: 'eu', to: 'us', by: 'the controller' });
      await eu.startApiServer();
      await eventually(async () => expect(await active('eu')).toEqual(['second']));
      expect(await active('us')).toEqual(['first']);
      // An API server that starts is ready, and not, and ready.
      expect(new Set(told)).toContain('A cluster is back');
      const switches = () => told.filter((message) => message === 'A plan was switched');
      await eventually(() => Promise.resolve(expect(switches()).toHaveLength(2)));
    });
    // One that starts later has nothing to do.
    await watching(1_500, async (told) => {
      await setTimeout(500);
      expect(told).toEqual([]);
    });
  });

  it('does nothing when the cluster is back in time', async () => {
    await watching(600_000, async (told) => {
      await eu.stopApiServer();
      await eventually(() => Promise.resolve(expect(told).toEqual(['A cluster is lost'])));
      await setTimeout(1_000);
      await eu.startApiServer();
      await eventually(() => Promise.resolve(expect(told.at(-1)).toBe('A cluster is back')));
      expect(told).not.toContain('A plan was switched');
    });
    expect([await active('eu'), await active('us')]).toEqual([['first', 'second'], []]);
  });

  it('does not take its own expired credentials for the loss of the cluster', async () => {
    const kubeconfig = join(eu.directory, 'expired.kubeconfig');
    await writeTokenConfig(kubeconfig, { server: eu.server, caFile: eu.caFile, user: 'nobody', token: 'expired' });
    const expired = await KubeClient.fromKubeconfig({ kubeconfig });
    await watching(
      0,
      async (told) => {
        await eventually(() => Promise.resolve(expect(told).toEqual(['A cluster cannot be watched'])));
        await setTimeout(500);
      },
      expired,
    );
    await expired.close();
    expect(await active('us')).toEqual([]);
  });

  it('tries again when its own cluster does not answer', async () => {
    await watching(500, async (told) => {
      await us.stopApiServer();
      await eu.stopApiServer();
      await eventually(() =>
        Promise.resolve(expect(told).toContain('Plans could not be switched, which is tried again')),
      );
      await us.startApiServer();
      await eventually(async () => expect(await active('us')).toEqual(['first']));
      await eu.startApiServer();
      await eventually(async () => expect(await active('eu')).toEqual(['second']));
    });
  });

  it('does so as its command line says, for as long as it leads', async () => {
    const failover = { clusterName: 'us', failoverAfter: 2, failoverFrom: ['eu'], remoteCluster: [{ name: 'eu' }] };
    const stop = new AbortController();
    const running = runController(
      {
        kubeconfig: us.kubeconfigPath,
        namespaces: ['default'],
        leaderElect: true,
        leaseName: 'controller',
        logLevel: 'error',
        logFormat: 'json',
        version: '0.0.0',
        remoteClusters: [{ name: 'eu', kubeconfig: eu.kubeconfigPath }],
        whileLeading: failoverBeside(failover)!,
        env: {},
      },
      stop.signal,
    );
    await eu.stopApiServer();
    await eventually(async () => expect(await active('us')).toEqual(['first']));
    await eu.startApiServer();
    await eventually(async () => expect(await active('eu')).toEqual(['second']));
    stop.abort();
    await running;
  });
});
