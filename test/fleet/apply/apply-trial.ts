import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyHolder } from '../../../lib/cli/cluster/apply/apply-holder.ts';
import { applyCluster } from '../../../lib/fleet/apply/apply-cluster.ts';
import { isApplied, type ApplyResult, type Manifest } from '../../../lib/fleet/apply/apply-result.ts';
import { inventoryId } from '../../../lib/fleet/apply/applyset.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import * as known from '../../../lib/kube/resources.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { FaultProxy, type Fault } from '../fault-proxy.ts';
import { graph, manifest, plan } from '../manifests.ts';

const BIN = join(import.meta.dirname, '../../../lib/cli/bin.ts');
const INVENTORY = 'acme';
/** But Leases: one that ran out may be left behind, and is taken by the next apply that writes. */
const KINDS = [known.cronJobs, known.jobs, known.serviceAccounts, known.roles, known.configMaps, known.podTemplates];

/** Twenty objects of each: what is created, changed and pruned; and some that stay as they are. */
function directories(): { readonly before: readonly Manifest[]; readonly after: readonly Manifest[] } {
  const some = (prefix: string, value: string): Manifest[] => [
    ...numbered(8).map((n) => plan(`${prefix}-plan-${n}`, { timeZone: value })),
    ...numbered(4).map((n) => manifest('ServiceAccount', `${prefix}-account-${n}`, annotated(value))),
    ...numbered(4).map((n) => manifest('Role', `${prefix}-role-${n}`, { ...annotated(value), rules: [] }, RBAC)),
    ...numbered(4).map((n) => manifest('ConfigMap', `${prefix}-config-${n}`, { data: { value } })),
  ];
  const stay = [...numbered(3).map((n) => plan(`stay-${n}`)), graph('etl-old')];
  return {
    before: [...stay, ...some('changed', 'Etc/UTC'), ...some('gone', 'Etc/UTC')],
    after: [...stay, ...some('changed', 'Europe/Berlin'), ...some('new', 'Etc/UTC'), graph('etl-new')],
  };
}

const RBAC = 'rbac.authorization.k8s.io/v1';
const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const annotated = (value: string) => ({ metadata: { annotations: { value } } });

/** How a trial went. */
export interface TrialResult {
  /** Requests of the apply that was interrupted or spoilt. */
  readonly requests: number;
  /** Whether the process was killed before it was done. */
  readonly killed: boolean;
  /** What is not as after an apply that nothing happened to; empty when all is well. */
  readonly wrong: readonly string[];
}

/**
 * Applies of one directory over another, each in a namespace of its own: undisturbed, in a process that is killed, or through a proxy that
 * spoils requests; then applied once more, and compared.
 */
export class ApplyTrials implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #proxy: FaultProxy;
  readonly #directory: string;
  readonly #manifests = directories();
  #expected: string[] | undefined;
  #count = 0;

  private constructor(client: KubeClient, proxy: FaultProxy, directory: string) {
    this.#client = client;
    this.#proxy = proxy;
    this.#directory = directory;
  }

  /** @param cluster with its controller manager, which lets go of the runs of plans */
  static async start(cluster: ControlPlane): Promise<ApplyTrials> {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-trial-'));
    const client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
    const trials = new ApplyTrials(client, await FaultProxy.start(cluster, join(directory, 'proxy')), directory);
    await mkdir(join(directory, 'after'));
    const items = trials.#manifests.after.map(({ object }) => object);
    await writeFile(join(directory, 'after', 'all.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    return trials;
  }

  /** Objects that an apply creates, changes and prunes. */
  get writes(): number {
    return 60;
  }

  /** Kills the applying process when the API server has answered its request of that number. */
  async killedAt(number: number): Promise<TrialResult> {
    return this.#trial(async (namespace) => {
      const child = this.#spawn(namespace);
      this.#proxy.begin({ onAnswered: (answered) => answered === number && child.kill('SIGKILL') });
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      return signal === 'SIGKILL';
    });
  }

  /** Applies through a proxy that spoils every n-th request. */
  async faulty(fault: Fault, every: number): Promise<TrialResult> {
    return this.#trial(async (namespace) => {
      this.#proxy.begin({ fault: (number) => (number % every === 0 ? fault : 'none') });
      await once(this.#spawn(namespace), 'exit');
      return false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#proxy[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #trial(disturbed: (namespace: string) => Promise<boolean>): Promise<TrialResult> {
    this.#expected ??= await this.#undisturbed();
    const { namespace, foreign } = await this.#prepare();
    const killed = await disturbed(namespace);
    const { requests } = this.#proxy;
    const wrong = await this.#finish(namespace, foreign, this.#expected);
    if (requests === 0) wrong.push('the apply asked for nothing');
    await this.#client.delete(known.namespaces, namespace);
    return { requests, killed, wrong };
  }

  /** Applies what may be left to do, and compares. */
  async #finish(namespace: string, foreign: readonly string[], expected: readonly string[]): Promise<string[]> {
    const result = await this.#apply(namespace, this.#manifests.after);
    if (!isApplied(result)) return [`the next apply failed: ${JSON.stringify(failuresOf(result))}`];
    const again = await this.#apply(namespace, this.#manifests.after);
    const busy = again.objects.filter(({ outcome }) => outcome !== 'unchanged').map(({ name }) => name);
    const found = await eventually(async () => {
      const state = await this.#state(namespace);
      if (state.length > expected.length) throw new Error('The garbage collector has not let go yet');
      return state;
    }).catch(() => this.#state(namespace));
    const untouched = await this.#foreign(namespace);
    return [
      ...busy.map((name) => `the apply after that has to do with ${name}`),
      ...expected.filter((line) => !found.includes(line)).map((line) => `missing: ${line.slice(0, 300)}`),
      ...found.filter((line) => !expected.includes(line)).map((line) => `left: ${line.slice(0, 300)}`),
      ...foreign.filter((line) => !untouched.includes(line)).map((line) => `touched: ${line}`),
    ];
  }

  async #undisturbed(): Promise<string[]> {
    const { namespace } = await this.#prepare();
    await this.#apply(namespace, this.#manifests.after);
    const expected = await eventually(async () => {
      const state = await this.#state(namespace);
      if (state.some((line) => line.includes('deletionTimestamp'))) throw new Error('The garbage collector is busy');
      return state;
    });
    await this.#client.delete(known.namespaces, namespace);
    return expected;
  }

  /** A namespace to which the first directory was applied, with a run of a plan that will go, and with what is somebody else's. */
  async #prepare(): Promise<{ namespace: string; foreign: readonly string[] }> {
    const namespace = `trial-${++this.#count}`;
    const created = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await this.#client.create(known.namespaces, created);
    await eventually(() => this.#client.get(known.serviceAccounts, 'default', { namespace }));
    await this.#apply(namespace, this.#manifests.before);
    const owner = await this.#client.get(known.cronJobs, 'gone-plan-1', { namespace });
    await this.#client.create(known.jobs, runOf(owner), { namespace });
    const foreignPlan = plan('foreign').object;
    await this.#client.create(known.cronJobs, foreignPlan, { namespace });
    const labels = { 'applyset.kubernetes.io/part-of': 'applyset-of-somebody-else-v1' };
    const theirs = { ...foreignPlan, metadata: { name: 'theirs', labels } };
    await this.#client.create(known.cronJobs, theirs, { namespace });
    return { namespace, foreign: await this.#foreign(namespace) };
  }

  async #foreign(namespace: string): Promise<string[]> {
    const names = ['foreign', 'theirs'];
    const found = names.map((name) => this.#client.get(known.cronJobs, name, { namespace }).catch(() => undefined));
    return (await Promise.all(found)).map((object, index) => `${names[index]} ${object?.metadata.resourceVersion}`);
  }

  #apply(namespace: string, manifests: readonly Manifest[]): Promise<ApplyResult> {
    return applyCluster(this.#client, manifests, {
      namespace,
      inventory: { name: INVENTORY, namespace },
      yesDelete: true,
      holder: applyHolder(),
    });
  }

  #spawn(namespace: string) {
    const kubeconfig = ['--kubeconfig', this.#proxy.kubeconfig, '--allow-insecure'];
    const args = ['apply', 'after', '-n', namespace, '--applyset', INVENTORY, '--yes', '--yes-delete', ...kubeconfig];
    return spawn(process.execPath, ['--conditions=source', BIN, ...args], { cwd: this.#directory, stdio: 'ignore' });
  }

  /** All that a namespace holds, a line an object, without what differs from one way there to another. */
  async #state(namespace: string): Promise<string[]> {
    const lists = await Promise.all(KINDS.map((kind) => this.#client.list(kind, { namespace })));
    const id = inventoryId({ name: INVENTORY, namespace });
    return lists
      .flatMap(({ items }) => items)
      .map((object) => JSON.stringify(steady(object)).replaceAll(id, '<id>').replaceAll(namespace, '<namespace>'))
      .sort();
  }
}

function steady({ metadata, status: _, ...rest }: KubeObject): object {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    generation: _generation,
    ...kept
  } = metadata;
  const fields = (kept.managedFields ?? []) as readonly { manager: string; operation: string; fieldsV1: object }[];
  const managedFields = fields.map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }));
  const annotations = { ...kept.annotations, 'applyset.kubernetes.io/tooling': '' };
  if ('template' in ((rest.spec ?? {}) as object))
    return { kind: rest.kind, metadata: { name: kept.name, owners: kept.ownerReferences } };
  return { ...rest, metadata: { ...kept, annotations, managedFields } };
}

function runOf({ metadata, spec }: KubeObject): KubeObject {
  const { name, uid } = metadata;
  const { jobTemplate } = spec as { jobTemplate: { spec: object } };
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name, uid: uid!, controller: true };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'run', ownerReferences: [owner] },
    spec: { ...jobTemplate.spec, suspend: true },
  };
}

function failuresOf({ objects, failure }: ApplyResult): unknown {
  return [failure, ...objects.map((object) => object.failure)].filter((reason) => reason !== undefined).slice(0, 3);
}
