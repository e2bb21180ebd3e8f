import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerText } from '../../lib/engine/answers.ts';
import { answerKey, isAnswerable } from '../../lib/graph/gate-rules.ts';
import { annotations, CONTENT_GRAPH, labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { itemName } from '../../lib/graph/items.ts';
import { encodeGraph } from '../../lib/graph/config-map.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import { INDEX_ANNOTATION } from '../../lib/pods/indexed-template.ts';
import { inputVariable } from '../../lib/values/environment.ts';
import type { Json } from '../../lib/values/json.ts';
import type { PodBehaviour } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import type { Pod } from '../cluster/pod.ts';
import { itemValueOf } from '../controller/item-value.ts';
import { Bench, type TestWorkflow } from '../controller/support.ts';
import { doingOf, expected, graphOfScenario, outcomeOf, templateNames, type Scenario } from './scenario.ts';
import { scenarios } from './table.ts';

let cluster: ControlPlane;
let bench: Bench;
const byRun = new Map(scenarios.map((scenario, index) => [`s${index}`, scenario]));

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'scenarios' });
  bench = await Bench.create(cluster.kubeconfigPath, 'scenarios');
  cluster.simulatedNode!.behaviour = behaviour;
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

it.concurrent.for([...byRun].map(([runName, scenario]) => ({ ...scenario, runName })))(
  'on an API server: $name',
  async ({ runName, ...scenario }) => {
    await launch(scenario, runName);
    if (scenario.asked !== undefined) await ask(scenario, runName);
    await bench.finished(runName, 120_000);
    expect(outcomeOf(await bench.record(runName), scenario)).toEqual(expected(scenario));
  },
);

async function launch(scenario: Scenario, name: string): Promise<void> {
  const of = manifests(scenario, name);
  const { inputs = {}, parallelism = 10, timeoutSeconds, answers = {} } = scenario;
  await bench.launch(of, name, {
    inputs,
    annotations: answered(of, answers),
    spec: { parallelism, ...(timeoutSeconds !== undefined && { activeDeadlineSeconds: timeoutSeconds }) },
  });
}

async function ask({ asked }: Scenario, name: string): Promise<void> {
  const [step, reason] = asked!.once.split(': ');
  const record = async () => bench.record(name).catch(() => undefined);
  while ((await record())?.steps.get(step!)?.reason !== reason) await sleep(50);
  const { cancel, answers = {} } = asked!;
  if (cancel !== undefined) await bench.annotate(name, annotations.cancel, cancel);
  for (const [key, value] of Object.entries(answered(manifests(byRun.get(name)!, name), answers)))
    await bench.annotate(name, key, value);
}

function answered({ graph }: TestWorkflow, answers: NonNullable<Scenario['answers']>): Record<string, string> {
  const gates = graph.steps.filter(isAnswerable).filter(({ name }) => answers[name] !== undefined);
  return Object.fromEntries(gates.map((gate) => [answerKey(gate), answerText(answers[gate.name]!)]));
}

function manifests(scenario: Scenario, workflow: string): TestWorkflow {
  const graph = graphOfScenario(scenario, workflow);
  const own = { [labels.managedBy]: MANAGED_BY, [labels.workflow]: workflow };
  const templates = templateNames(graph).map((name): NewObject => {
    const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1', command: ['run'] }] };
    return { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name, labels: own }, template: { spec } };
  });
  const { data } = encodeGraph(graph) as { data: Record<string, string> };
  const metadata = { name: `${workflow}-graph`, labels: { ...own, [labels.content]: CONTENT_GRAPH } };
  const config: NewObject = { apiVersion: 'v1', kind: 'ConfigMap', immutable: true, metadata, data };
  return { graph, graphName: metadata.name, manifests: [...templates, config] };
}

/** What the simulated node makes of a pod: what its scenario says. */
async function behaviour(pod: Pod): Promise<PodBehaviour> {
  const given = pod.metadata.labels ?? {};
  const scenario = byRun.get(given[labels.run] ?? '');
  if (scenario === undefined) return {};
  const { exit = 0, outputs, passes, seconds = 0 } = doingOf(scenario, unitOf(pod), Number(given[labels.attempt]));
  const passed = await Promise.all(
    Object.entries(passes ?? {}).map(async ([output, input]) => [output, await inputOf(pod, input)] as const),
  );
  const written = passes === undefined ? outputs : (Object.fromEntries(passed) as object);
  return { exitCode: exit, runMs: seconds * 1000, ...(written !== undefined && { outputs: written }) };
}

/** The step that a pod runs, or the item of an Indexed Job. */
function unitOf({ metadata }: Pod): string {
  const { [labels.step]: step = '', [INDEX_ANNOTATION]: index } = metadata.labels ?? {};
  return index === undefined ? step : itemName(step, Number(index));
}

async function inputOf(pod: Pod, input: string): Promise<Json> {
  const [{ env = [] }] = pod.spec.containers as unknown as [{ env?: readonly { name: string; value?: string }[] }];
  const { value } = env.find(({ name }) => name === inputVariable(input)) ?? {};
  return JSON.parse(value ?? (await itemValueOf(bench.client, pod, input))) as Json;
}
