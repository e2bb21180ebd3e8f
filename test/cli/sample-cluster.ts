import type { NewObject, ObjectMeta } from '../../lib/kube/objects.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench, cronJob, workflow, type TestWorkflow } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

const string = { type: 'string' } as const;
/** Two steps that pass a value; an input is fixed by its plan, another must be given. */
export const etl = workflow(
  'site-etl',
  [
    {
      name: 'extract',
      inputs: { site: { input: 'site' } },
      outputs: { properties: { rows: { type: 'integer' } }, required: ['rows'] },
      sim: { outputs: '{"rows":3}', log: 'connecting\n3 rows\n', 'run-ms': '300' },
    },
    {
      name: 'transform',
      inputs: { rows: { step: 'extract', output: 'rows' } },
      sim: { log: 'transformed', 'run-ms': '100' },
    },
  ],
  {
    inputs: { properties: { site: string, day: string, limit: { type: 'integer' } }, required: ['site', 'day'] },
    outputs: { rows: { step: 'extract', output: 'rows' } },
  },
);
/** Its second step fails, twice. */
export const broken = workflow('broken', [
  { name: 'first', sim: { log: 'fine' } },
  { name: 'second', after: ['first'], sim: { 'exit-code': '3', log: 'cannot reach the store' }, retries: { limit: 1 } },
  { name: 'third', after: ['second'] },
]);
/** Its first step never ends by itself. */
export const slow = workflow('slow', [
  { name: 'wait', sim: { stuck: 'Running' } },
  { name: 'then', after: ['wait'] },
]);

/** A launch plan as synth writes it. */
function plan(of: TestWorkflow, name: string, fixed: JsonObject = {}): NewObject {
  const made = cronJob(of, name);
  const labels = { ...made.metadata!.labels, 'cdk8s-workflows.dev/plan': name };
  const { jobTemplate, ...spec } = made.spec as { jobTemplate: { metadata: ObjectMeta; spec: object } };
  const annotations = { ...jobTemplate.metadata.annotations, 'cdk8s-workflows.dev/inputs': JSON.stringify(fixed) };
  return {
    ...made,
    metadata: { name, labels, annotations: { 'cdk8s-workflows.dev/fixed-inputs': JSON.stringify(Object.keys(fixed)) } },
    spec: { ...spec, jobTemplate: { metadata: { labels, annotations }, spec: jobTemplate.spec } },
  };
}

/** A cluster with a launch plan for each of the workflows, and the command line in its namespace. */
export interface SampleCluster {
  readonly cluster: ControlPlane;
  readonly bench: Bench;
  readonly cli: ReturnType<typeof cliFor>;
  stop(): Promise<void>;
}

/** Starts a {@link SampleCluster}. No controller runs there yet. */
export async function startSampleCluster(name: string): Promise<SampleCluster> {
  const cluster = await startControlPlane({ name, nodes: 1 });
  try {
    const bench = await Bench.create(cluster.kubeconfigPath, name);
    for (const of of [etl, broken, slow]) await bench.apply(...of.manifests);
    await bench.apply(plan(etl, 'etl-site-a', { site: 'site-a' }), plan(broken, 'broken'), plan(slow, 'slow'));
    const stop = () => bench.close().finally(() => cluster.stop());
    return { cluster, bench, cli: cliFor(cluster.kubeconfigPath, bench.namespace), stop };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
