import { Testing } from 'cdk8s';
import { cel, ContainerTask, gt, LaunchPlan, Workflow, z } from 'cdk8s-workflows';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NewObject } from '../../lib/kube/objects.ts';
import { cliFor } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

function manifests(): readonly NewObject[] {
  const chart = Testing.chart();
  const outputs = { price: z.number() };
  const measure = new ContainerTask(chart, 'measure', { image: 'measure:1', outputs: { rows: z.int() } });
  const offer = new ContainerTask(chart, 'offer', { image: 'offer:1', outputs });
  const report = new ContainerTask(chart, 'report', { image: 'report:1', inputs: { price: z.number() } });
  const workflow = new Workflow(chart, 'price', { inputs: { least: z.int() } }, ({ inputs, step, branch }) => {
    const size = step('measure', measure);
    const priced = branch('price')
      .if(gt(size.outputs.rows, inputs.least), () => ({ price: step('bulk', offer).outputs.price }))
      .else(() => ({ price: 3 }));
    step('report', report, { price: priced.price }).when(cel`${priced.price} > 1`);
    return { price: priced.price };
  });
  new LaunchPlan(chart, 'price-plan', { workflow });
  return Testing.synth(chart) as NewObject[];
}

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'branches' });
  bench = await Bench.create(cluster.kubeconfigPath, 'branches');
  await bench.controller();
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  const written = { measure: { rows: 5 }, bulk: { price: 0.5 } };
  cluster.simulatedNode!.behaviour = ({ metadata }) => {
    const step = Object.entries(written).find(([name]) => metadata.name.includes(`-${name}-`));
    return step === undefined ? {} : { outputs: step[1] };
  };
  await bench.apply(...manifests());
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

it.each([
  [4, { price: 0.5 }, { bulk: 'Completed', report: 'WhenFalse' }],
  [5, { price: 3 }, { bulk: 'WhenFalse', report: 'Completed' }],
])('a run takes the arm whose condition holds, with at least %i rows for bulk', async (least, outputs, reasons) => {
  const run = `least-${least}`;
  expect(await cli(['launch', 'price-plan', '--name', run, '--input', `least=${least}`])).toMatchObject({ code: 0 });
  await bench.finished(run);
  const record = await bench.record(run);
  expect(record.run).toMatchObject({ phase: 'Succeeded', outputs });
  for (const [step, reason] of Object.entries(reasons)) expect(record.steps.get(step)).toMatchObject({ reason });
});
