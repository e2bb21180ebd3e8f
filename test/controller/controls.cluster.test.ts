import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations, type CancelMode } from '../../lib/graph/labels.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, chain, workflow, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'controls' });
  bench = await Bench.create(cluster.kubeconfigPath);
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const wide = (count: number, sim: Readonly<Record<string, string>>): TestStep[] =>
  Array.from({ length: count }, (_, index) => ({ name: `w${index}`, sim }));

describe('a run that is changed while it goes on', () => {
  it.each<[CancelMode, string, string]>([
    ['Now', 'Cancelled', 'Cancelled'],
    ['RunFinally', 'Cancelled', 'Cancelled'],
    ['Drain', 'Succeeded', 'Cancelled'],
  ])('is cancelled with %s: what runs is %s, the rest %s', async (mode, running, rest) => {
    const name = `cancel-${mode.toLowerCase()}`;
    const steps: TestStep[] = [
      { name: 'a', sim: { 'run-ms': '2000' } },
      { name: 'b', after: ['a'] },
    ];
    await bench.launch(workflow(name, steps), name);
    await bench.recorded(name, ({ steps: s }) => s.get('a')?.reason === 'ContainerRunning');
    await bench.annotate(name, annotations.cancel, mode);
    const job = await bench.finished(name);
    const record = await bench.record(name);
    expect(record.run).toMatchObject({ phase: 'Cancelled', reason: 'CancelRequested' });
    expect([record.steps.get('a')?.phase, record.steps.get('b')?.phase]).toEqual([running, rest]);
    expect(job.status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'CancelRequested' });
    await eventually(async () => expect((await bench.events(name)).join()).toContain('RunCancelled'));
  });

  it('is not cancelled by an annotation that makes no sense, which an event says', async () => {
    await bench.launch(workflow('nonsense', chain(3, { sim: { 'run-ms': '300' } })), 'nonsense');
    await bench.annotate('nonsense', annotations.cancel, 'now');
    expect((await bench.finished('nonsense')).status).toMatchObject({ succeeded: 3 });
    await eventually(async () =>
      expect((await bench.events('nonsense')).join()).toMatch(
        /InvalidAnnotation: .*cancel.* is "now"; did you mean "Now"\?/,
      ),
    );
  });

  it('starts nothing while it is suspended, and goes on when it is resumed', async () => {
    await bench.launch(workflow('pause', chain(3, { sim: { 'run-ms': '500' } })), 'pause');
    await bench.recorded('pause', ({ steps }) => steps.get('s0')?.phase === 'Running');
    await bench.patchJob('pause', { spec: { suspend: true } });
    await bench.recorded(
      'pause',
      ({ run, steps }) => steps.get('s0')?.phase === 'Succeeded' && run.reason === 'Suspended',
    );
    await eventually(async () => {
      const { stdout } = await cluster.kubectl(['get', 'job', 'pause', '-n', bench.namespace, '--no-headers']);
      expect(stdout).toMatch(/pause\s+Suspended\s+1\/3/);
    });
    expect(await bench.pods('pause')).toHaveLength(1);
    await bench.patchJob('pause', { spec: { suspend: false } });
    await bench.finished('pause');
    await eventually(async () =>
      expect((await bench.events('pause')).join()).toMatch(/RunSuspended.*RunResumed|RunResumed.*RunSuspended/s),
    );
  });

  it('that was made suspended begins when it is resumed', async () => {
    await bench.launch(workflow('asleep', chain(1)), 'asleep', { spec: { suspend: true } });
    await eventually(async () => {
      const { status } = await bench.job('asleep');
      expect(status?.conditions).toMatchObject([{ type: 'Suspended', status: 'True' }]);
      expect(status?.startTime).toBeUndefined();
    });
    await bench.patchJob('asleep', { spec: { suspend: false } });
    expect((await bench.finished('asleep')).status).toMatchObject({ succeeded: 1 });
  });

  it('takes a new parallelism at once', async () => {
    await bench.launch(workflow('wide', wide(6, { stuck: 'Running' })), 'wide', { spec: { parallelism: 1 } });
    await bench.recorded('wide', ({ steps }) => steps.get('w0')?.reason === 'ContainerRunning');
    expect(await bench.pods('wide')).toHaveLength(1);
    await bench.patchJob('wide', { spec: { parallelism: 4 } });
    await eventually(async () => expect(await bench.pods('wide')).toHaveLength(4));
    await bench.patchJob('wide', { spec: { parallelism: 0 } });
    await eventually(async () => expect((await bench.job('wide')).status?.active).toBe(4));
    await bench.annotate('wide', annotations.cancel, 'Now');
    await bench.finished('wide');
    expect(await bench.pods('wide')).toHaveLength(4);
  });

  it('is stopped also where no node has its pods yet', async () => {
    const nowhere = { nodeSelector: { gpu: 'h9000' } };
    await bench.launch(workflow('nowhere', [{ name: 'a', spec: nowhere }]), 'nowhere');
    const waiting = await bench.recorded('nowhere', ({ steps }) =>
      /unschedulable/.test(steps.get('a')?.attempts[0]?.message ?? ''),
    );
    expect(waiting.steps.get('a')?.attempts[0]?.message).toContain("didn't match Pod's node affinity/selector");
    await bench.annotate('nowhere', annotations.cancel, 'Now');
    await bench.finished('nowhere');
    expect((await bench.record('nowhere')).steps.get('a')?.phase).toBe('Cancelled');
    await eventually(async () => expect(await bench.pods('nowhere')).toEqual([]));
  });
});
