import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench, chain, workflow } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'runs' });
  bench = await Bench.create(cluster.kubeconfigPath);
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

describe('a run', () => {
  it('of a chain completes, one pod after the other', async () => {
    await bench.launch(workflow('chain', chain(5)), 'chain');
    const job = await bench.finished('chain');
    expect(job.status).toMatchObject({ succeeded: 5 });
    expect(job.status?.conditions?.map(({ type }) => type)).toEqual(['SuccessCriteriaMet', 'Complete']);
    expect(await bench.pods('chain')).toHaveLength(5);
    const record = await bench.record('chain');
    expect(record.run).toMatchObject({ phase: 'Succeeded', reason: 'Completed' });
    expect([...record.steps.values()].map(({ phase }) => phase)).toEqual(Array(5).fill('Succeeded'));
  });
});
