import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { Controller, type ControllerOptions } from '../../lib/controller/controller.ts';
import { createLogger } from '../../lib/controller/log.ts';
import { isFinished, type ConfigMap, type Job, type Pod } from '../../lib/controller/objects.ts';
import { decodeRecord } from '../../lib/engine/codec.ts';
import { readRecordData } from '../../lib/engine/record-data.ts';
import type { RunRecord } from '../../lib/engine/record.ts';
import { encodeGraph } from '../../lib/graph/config-map.ts';
import type { Gate, Graph, IndexedMapStep, RunSource, TaskStep } from '../../lib/graph/graph.ts';
import { annotations, CONTENT_GRAPH, CONTROLLER_NAME, labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { recordName } from '../../lib/graph/object-names.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import { isAlreadyExists } from '../../lib/kube/errors.ts';
import type { KubeObject, NewObject } from '../../lib/kube/objects.ts';
import { configMaps, cronJobs, events, jobs, namespaces, pods, podTemplates } from '../../lib/kube/resources.ts';
import { contentHash } from '../../lib/values/hash.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { eventually } from '../cluster/eventually.ts';

/** A step as a test writes it: what is left out is as in the simplest step there is. */
export interface TestStep extends Partial<Omit<TaskStep, 'kind' | 'name'>> {
  readonly name: string;
  /** A step that only waits, without a pod. */
  readonly gate?: Gate;
  /** A step that is a run of its own. */
  readonly runs?: RunSource;
  /** The cluster that such a run is on. */
  readonly cluster?: string;
  readonly maxDepth?: number;
  /** A step that is a map as one Indexed Job. */
  readonly indexed?: Partial<IndexedMapStep> & Pick<IndexedMapStep, 'over'>;
  /** Annotations of the simulated pod, without their prefix: `{ 'run-ms': '50' }`. */
  readonly sim?: Readonly<Record<string, string>>;
  /** Fields of the pod's spec beside the main container. */
  readonly spec?: JsonObject;
  /** What the spec of a pod must hold to, whoever overrides it. */
  readonly policy?: JsonObject;
  /** The same of the spec of the Job around it. */
  readonly jobPolicy?: JsonObject;
}

/** A workflow as the manifests that synth would write. */
export interface TestWorkflow {
  readonly graph: Graph;
  readonly graphName: string;
  readonly manifests: readonly NewObject[];
}

/** Makes the manifests of a workflow. */
export function workflow(
  name: string,
  steps: readonly TestStep[],
  options: Partial<Pick<Graph, 'inputs' | 'outputs' | 'failurePolicy'>> = {},
): TestWorkflow {
  const templates = new Map(
    steps
      .filter(({ gate, runs }) => gate === undefined && runs === undefined)
      .map((step) => [step.name, podTemplate(name, step)]),
  );
  const graph: Graph = {
    apiVersion: 'cdk8s-workflows.dev/v1',
    workflow: name,
    inputs: { properties: {}, required: [] },
    outputs: {},
    failurePolicy: 'FinishRunning',
    ...options,
    steps: steps.map(({ sim: _, spec: __, policy: ___, jobPolicy: ____, gate, runs, indexed, ...step }) => {
      if (runs !== undefined) return { kind: 'run', runs, inputs: {}, ...step };
      if (gate !== undefined) return { kind: 'gate', gate, ...step };
      const template = templates.get(step.name)!.metadata!.name!;
      const task = { task: step.name, template, inputs: {}, ...step };
      if (indexed !== undefined) return { ...task, ...indexed, kind: 'indexedMap', runAs: 'Job' };
      return { kind: 'task', ...task };
    }),
  };
  const graphName = `${name}-${contentHash(graph)}`;
  const data = encodeGraph(graph) as { data: Record<string, string> };
  const config: NewObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: graphName,
      labels: {
        [labels.managedBy]: MANAGED_BY,
        [labels.workflow]: name,
        [labels.version]: contentHash(graph),
        [labels.content]: CONTENT_GRAPH,
      },
    },
    ...data,
  };
  return { graph, graphName, manifests: [...templates.values(), config] };
}

/** Steps one after the other, each passing nothing. */
export function chain(length: number, step: Omit<TestStep, 'name'> = {}): readonly TestStep[] {
  return Array.from({ length }, (_, index) => ({
    ...step,
    name: `s${index}`,
    after: index > 0 ? [`s${index - 1}`] : [],
  }));
}

function podTemplate(workflowName: string, { name, sim = {}, spec = {}, policy, jobPolicy }: TestStep): NewObject {
  const annotated = Object.fromEntries(Object.entries(sim).map(([key, value]) => [`${annotationPrefix}${key}`, value]));
  const template = {
    metadata: { annotations: annotated },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1', command: ['run'] }], ...spec },
  };
  const held = { cluster: 'test', template: { spec: policy ?? {} }, ...(jobPolicy && { job: { spec: jobPolicy } }) };
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: {
      name: `${workflowName}-${name}-${contentHash([template, policy, jobPolicy])}`,
      labels: { [labels.managedBy]: MANAGED_BY, [labels.workflow]: workflowName, [labels.step]: name },
      ...((policy ?? jobPolicy) && { annotations: { [annotations.policy]: JSON.stringify(held) } }),
    },
    template,
  };
}

/** What a test sets of a run's Job. */
export interface RunOptions {
  readonly inputs?: JsonObject | string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: JsonObject;
  readonly driver?: boolean;
}

/** A run as a manifest. */
export function run(of: TestWorkflow, name: string, options: RunOptions = {}): Job {
  const { inputs = {}, spec = {}, driver = false } = options;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      labels: { [labels.managedBy]: MANAGED_BY, [labels.workflow]: of.graph.workflow, [labels.plan]: 'plan' },
      annotations: {
        [annotations.graph]: of.graphName,
        [annotations.inputs]: typeof inputs === 'string' ? inputs : JSON.stringify(inputs),
        ...options.annotations,
      },
    },
    spec: {
      ...(!driver && { managedBy: CONTROLLER_NAME }),
      completions: driver ? 1 : of.graph.steps.length,
      parallelism: driver ? 1 : 10,
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'driver', image: 'controller:1', args: ['driver'] }],
        },
      },
      ...spec,
    } as Job['spec'] & JsonObject,
  };
}

/** What a step runs that is a run of this workflow. */
export function runOf({ graph, graphName }: TestWorkflow): RunSource {
  return { workflow: graph.workflow, graph: graphName, version: contentHash(graph) };
}

/** A CronJob that makes such runs. */
export function cronJob(of: TestWorkflow, name: string, spec: JsonObject = {}): NewObject {
  const { metadata, spec: jobSpec } = run(of, name);
  const { name: _, ...rest } = metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, labels: metadata.labels },
    spec: { schedule: '0 0 31 2 *', suspend: true, jobTemplate: { metadata: rest, spec: jobSpec }, ...spec },
  };
}

/** A namespace of a cluster, with what tests ask of it. */
export class Bench {
  readonly client: KubeClient;
  readonly kubeconfigPath: string;
  readonly namespace: string;
  readonly #controllers = new Set<{ readonly stop: () => Promise<void> }>();

  private constructor(client: KubeClient, kubeconfigPath: string) {
    this.client = client;
    this.kubeconfigPath = kubeconfigPath;
    this.namespace = client.namespace;
  }

  /** A namespace of its own. */
  static create(kubeconfigPath: string, prefix = 'test'): Promise<Bench> {
    return Bench.named(kubeconfigPath, `${prefix}-${randomBytes(4).toString('hex')}`);
  }

  /** A namespace of this name, which the cluster must not have. */
  static async named(kubeconfigPath: string, namespace: string): Promise<Bench> {
    const client = await KubeClient.fromKubeconfig({ kubeconfig: kubeconfigPath, namespace });
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const bench = new Bench(client, kubeconfigPath);
    // Without it pods are refused, as on a cluster that is just coming up.
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await eventually(() => client.request('GET', account), 30_000);
    return bench;
  }

  /** A token that the API server makes for a service account; of the API server's own audience unless another is given. */
  async token(account: string, audience?: string): Promise<string> {
    const path = `/api/v1/namespaces/${this.namespace}/serviceaccounts/${account}/token`;
    const spec = audience === undefined ? { expirationSeconds: 3600 } : { audiences: [audience] };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const { status } = await this.client.request<{ status: { token: string } }>('POST', path, { body });
    return status.token;
  }

  /** Writes a kubeconfig with a token of a service account. */
  async kubeconfigOf(account: string, file: string): Promise<void> {
    const config = parse(await readFile(this.kubeconfigPath, 'utf8')) as { users: { user: object }[] };
    const token = await this.token(account);
    for (const entry of config.users) entry.user = { token };
    await writeFile(file, stringify(config), { mode: 0o600 });
  }

  /** Starts a controller in this process that looks after this namespace. */
  async controller(options: Partial<ControllerOptions> = {}): Promise<RunningController> {
    const client = await KubeClient.fromKubeconfig({ kubeconfig: this.kubeconfigPath, namespace: this.namespace });
    const log = process.env.TEST_LOG ? await createLogger({ level: 'debug', format: 'text' }) : undefined;
    const controller = new Controller({ client, ...(log && { log }), ...options });
    const abort = new AbortController();
    const running = controller.run(abort.signal);
    const stop = async () => {
      this.#controllers.delete(handle);
      abort.abort();
      await running;
      await client.close();
    };
    const handle = { controller, stop };
    this.#controllers.add(handle);
    return handle;
  }

  async apply(...objects: readonly NewObject[]): Promise<void> {
    const resources = { PodTemplate: podTemplates, ConfigMap: configMaps, Job: jobs, CronJob: cronJobs, Pod: pods };
    for (const object of objects) {
      await this.client.create(resources[object.kind as keyof typeof resources], object).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
  }

  /** Applies a workflow and starts a run of it. */
  async launch(of: TestWorkflow, name: string, options: RunOptions = {}): Promise<Job> {
    await this.apply(...of.manifests);
    return this.client.create<Job>(jobs, run(of, name, options));
  }

  job(name: string): Promise<Job> {
    return this.client.get<Job>(jobs, name);
  }

  patchJob(name: string, patch: JsonObject): Promise<Job> {
    return this.client.patch<Job>(jobs, name, patch, { type: 'merge' });
  }

  annotate(name: string, key: string, value: string): Promise<Job> {
    return this.patchJob(name, { metadata: { annotations: { [key]: value } } });
  }

  /** Waits for the end of a run. */
  finished(name: string, timeoutMs = 30_000): Promise<Job> {
    return eventually(async () => {
      const job = await this.job(name);
      if (!isFinished(job)) throw new Error(`the run ${name} is not finished: ${JSON.stringify(job.status)}`);
      return job;
    }, timeoutMs);
  }

  async record(name: string): Promise<RunRecord> {
    const { data = {} } = await this.client.get<ConfigMap>(configMaps, recordName(name));
    const decoded = decodeRecord(readRecordData(data));
    if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
    return decoded.record;
  }

  /** Waits until the record says this. */
  recorded(name: string, check: (record: RunRecord) => boolean, timeoutMs = 20_000): Promise<RunRecord> {
    return eventually(async () => {
      const record = await this.record(name);
      if (!check(record)) throw new Error(`the record is ${JSON.stringify([record.run, ...record.steps])}`);
      return record;
    }, timeoutMs);
  }

  /** The pods of a run, the oldest first. */
  async pods(name: string): Promise<readonly Pod[]> {
    const { items } = await this.client.list<Pod>(pods, { labelSelector: `${labels.run}=${name}` });
    return items;
  }

  /** The events of a run, as `Reason: message`. */
  async events(name: string): Promise<readonly string[]> {
    const { items } = await this.client.list<KubeObject & { reason: string; message: string }>(events, {
      fieldSelector: `involvedObject.name=${name}`,
    });
    return items.map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Ends the controllers that are still running. */
  async close(): Promise<void> {
    await Promise.all([...this.#controllers].map(({ stop }) => stop()));
    await this.client.close();
  }
}

/** A controller in this process. */
export interface RunningController {
  readonly controller: Controller;
  /** Stops it at once, as a crash does. */
  stop(): Promise<void>;
}
