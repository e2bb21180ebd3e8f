import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../lib/graph/labels.ts';
import { recordName } from '../../lib/graph/object-names.ts';
import { configMaps, jobs } from '../../lib/kube/resources.ts';
import { eventually } from '../cluster/eventually.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { workflow, type Bench, type RunningController } from '../controller/support.ts';
import { steady } from './cluster-cli.ts';
import { broken, etl, startSampleCluster, type SampleCluster } from './sample-cluster.ts';

let sample: SampleCluster;
let cluster: ControlPlane;
let bench: Bench;
let cli: SampleCluster['cli'];
let controller: RunningController;

beforeAll(async () => {
  sample = await startSampleCluster('rerun');
  ({ cluster, bench, cli } = sample);
  controller = await bench.controller();
  await cli(['launch', 'broken', '--name', 'bad', '--wait']);
  await cli(['launch', 'slow', '--name', 'busy']);
});

afterAll(() => sample?.stop());

/** What steps of runs do whose pods' names begin so. */
function pods(behaviour: Readonly<Record<string, object>>): void {
  cluster.simulatedNode!.behaviour = ({ metadata }) =>
    Object.entries(behaviour).find(([start]) => metadata.name.startsWith(start))?.[1];
}

const podNames = async (run: string) => (await bench.pods(run)).map(({ metadata }) => metadata.name).sort();

describe('rerun', () => {
  it('goes on from what failed: only that and what comes after it runs', async () => {
    pods({ 'bad-r1-second': { exitCode: 0 } });
    const { code, stderr } = await cli(['rerun', 'bad', '--wait']);
    expect(stderr).toContain('run bad-r1 launched: 1 of 3 steps are taken over from bad\n');
    expect(code).toBe(0);
    expect(await podNames('bad-r1')).toEqual(['bad-r1-second-1', 'bad-r1-third-1']);
    const { stdout } = await cli(['describe', 'bad-r1']);
    expect(steady(stdout)).toContain('Rerun of: bad\n');
    expect(steady(stdout)).toMatch(/✓ first Succeeded - - taken over from run bad\n✓ second Succeeded 1/);
    const { metadata, status } = await bench.job('bad-r1');
    expect(metadata.labels).toEqual((await bench.job('bad')).metadata.labels);
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'broken' }]);
    expect(status).toMatchObject({ succeeded: 3 });
    expect((await bench.events('bad-r1')).join()).toContain('RunRecovered: The run has begun: 1 of 3 steps');
  });

  it('takes values over, also when the controller dies in between and the old run is gone', async () => {
    const inputs = ['-i', 'day=1'];
    pods({ 'values-transform': { exitCode: 1 }, 'values-r1-transform': { stuck: 'Running' } });
    await cli(['launch', 'etl-site-a', ...inputs, '--name', 'values', '--wait']);
    await cli(['rerun', 'values']);
    await bench.recorded('values-r1', ({ steps }) => steps.get('transform')?.reason === 'ContainerRunning');
    await controller.stop();
    await bench.client.delete(jobs, 'values', { propagationPolicy: 'Foreground' });
    await eventually(async () => expect((await cli(['describe', 'values'])).code).toBe(1));
    pods({ 'values-r1-transform': { exitCode: 0 } });
    for (const { metadata } of await bench.pods('values-r1'))
      await cluster.kubectl(['delete', 'pod', metadata.name, '-n', bench.namespace, '--grace-period=0', '--force']);
    controller = await bench.controller();
    await bench.finished('values-r1');
    const { run, steps } = await bench.record('values-r1');
    expect(run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 3 } });
    expect(steps.get('extract')).toMatchObject({ reason: 'Recovered', attempts: [], outputs: { rows: 3 } });
    expect((await podNames('values-r1')).every((name) => name.startsWith('values-r1-transform'))).toBe(true);
  });

  it('runs a step that is named, and what comes after it, of a run that succeeded', async () => {
    expect((await cli(['rerun', 'bad-r1', '--step', 'second', '--step', 'first', '--dry-run'])).stdout).toBe(
      'run bad-r2 launched: 0 of 3 steps are taken over from bad-r1 (dry run, nothing was started)\n',
    );
    pods({ 'bad-r2': { exitCode: 0 } });
    expect((await cli(['rerun', 'bad-r1', '--step', 'third', '--wait'])).code).toBe(0);
    expect(await podNames('bad-r2')).toEqual(['bad-r2-third-1']);
    // It ran in the first of the three runs.
    expect((await bench.record('bad-r2')).steps.get('first')?.message).toBe('taken over from run bad');
  });

  it('starts no second run while the first goes on, and another one for another request', async () => {
    pods({ 'twice-r1': { stuck: 'Running' }, 'twice-r2': { stuck: 'Running' } });
    // Of no plan, whose history has room for one failed run.
    await bench.launch(broken, 'twice');
    await bench.finished('twice');
    const [first, second] = [await cli(['rerun', 'twice', '-o', 'name']), await cli(['rerun', 'twice'])];
    expect([first.stdout, second.stdout]).toEqual(['job.batch/twice-r1\n', 'run twice-r1 does this already\n']);
    const all = await cli(['rerun', 'twice', '--all']);
    expect(all.stdout).toBe('run twice-r2 launched\n');
    await bench.recorded('twice-r2', ({ steps }) => steps.get('first')?.phase === 'Running');
    const named = await cli(['rerun', 'twice', '--name', 'twice-r2']);
    expect(named.stderr).toContain('There is a Job "twice-r2" already');
  });

  it.each<[readonly string[], number, string]>([
    [['busy'], 1, 'The run busy is not over (Running); wait for its end, or cancel it: cdk8s-workflows cancel busy'],
    [['bda'], 1, 'There is no run "bda" in namespace'],
    [['bad', '--step', 'secnd'], 2, 'Cannot rerun bad:\n  --step secnd: is no step of the run; did you mean "second"?'],
    [['bad-r1'], 1, 'has succeeded; name steps that shall run again with --step, or take --all'],
    [['bad', '--step', 'first', '--all'], 2, '--all and --step exclude each other'],
  ])('is refused: %j', async (args, code, message) => {
    const result = await cli(['rerun', ...args]);
    expect(result.stderr).toContain(message);
    expect([result.code, result.stdout]).toEqual([code, '']);
  });

  it('makes a new Job of a single task', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'cdk8s-workflows' };
    const pod = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] };
    pods({ 'single-r1-': { exitCode: 0 }, 'single-': { exitCode: 1 } });
    await bench.apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'single', labels },
      spec: { backoffLimit: 0, template: { spec: pod } },
    });
    await bench.finished('single');
    expect((await cli(['rerun', 'single', '--step', 'a'])).stderr).toContain('is a single task and has no steps');
    const { stderr, code } = await cli(['rerun', 'single', '--wait']);
    expect([code, stderr.split('\n')[0]]).toEqual([0, 'run single-r1 launched']);
  });
});

describe('a run that shall go on from another one, and cannot,', () => {
  const refused = async (name: string, given: Record<string, string>, of = broken) => {
    await bench.launch(of, name, { annotations: given });
    const { status } = await bench.finished(name);
    expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'InvalidRun' });
    expect(await bench.pods(name)).toEqual([]);
    return status!.conditions!.at(-1)!.message!;
  };

  it.each<[string, Record<string, string>, string]>([
    [
      'no-run',
      { [annotations.recover]: 'gone' },
      'there is no run gone any more, and so nothing to take over; launch a',
    ],
    ['other-graph', { [annotations.recover]: 'busy' }, 'the run busy is of the graph slow-'],
    ['itself', { [annotations.recover]: 'itself' }, 'the run itself has not ended; wait for its end, or cancel it'],
    ['no-step', { [annotations.recover]: 'bad', [annotations.rerunSteps]: '["frist"]' }, 'did you mean "first"?'],
    ['no-list', { [annotations.recover]: 'bad', [annotations.rerunSteps]: 'first' }, 'must be a JSON array of names'],
    ['alone', { [annotations.rerunSteps]: '["first"]' }, 'says nothing alone; set cdk8s-workflows.dev/recover'],
  ])('says why: %s', async (name, given, message) => {
    expect(await refused(name, given)).toContain(message);
  });

  it('says that inputs differ, and that the record is broken or gone', async () => {
    await bench.launch(etl, 'other', { inputs: { site: 'a', day: '1' }, annotations: { [annotations.cancel]: 'Now' } });
    await bench.finished('other');
    await bench.launch(etl, 'differs', {
      inputs: { site: 'b', day: '1' },
      annotations: { [annotations.recover]: 'other' },
    });
    expect((await bench.finished('differs')).status?.conditions?.at(-1)?.message).toContain('had other inputs');
    await bench.client.patch(
      configMaps,
      recordName('twice'),
      { data: { 'step.first': '{"phase":"Odd"}' } },
      { type: 'merge' },
    );
    const again = { [annotations.recover]: 'twice' };
    expect(await refused('odd', again)).toMatch(/The record twice-record of the run to take over cannot be read.*Odd/s);
    await bench.client.delete(configMaps, recordName('twice'));
    expect(await refused('none', again)).toContain('the run twice has left no record');
    expect((await cli(['rerun', 'twice', '--step', 'first'])).stderr).toContain('--all runs it from the beginning');
  });
});

describe('skip', () => {
  const steps = workflow('skipped', [
    { name: 'wait', sim: { stuck: 'Running' } },
    { name: 'check', after: ['wait'] },
    { name: 'then', after: ['check'] },
    { name: 'free' },
  ]);

  it('skips a step that waits, once, and what comes after it runs', async () => {
    pods({});
    await bench.launch(steps, 'skips');
    await bench.recorded('skips', (record) => record.steps.get('wait')?.reason === 'ContainerRunning');
    expect((await cli(['skip', 'skips', 'check', '--comment', 'known bad'])).stdout).toBe(
      'step check of run skips skipped\n',
    );
    const record = await bench.recorded('skips', (known) => known.steps.get('check')?.phase === 'Skipped');
    expect(record.steps.get('check')).toMatchObject({ reason: 'SkippedByHand' });
    expect(record.steps.get('check')?.message).toMatch(/^skipped by hand: known bad \(by .+\)$/);
    expect((await cli(['skip', 'skips', 'check'])).stdout).toBe('step check of run skips is skipped already\n');
  });

  it.each<[readonly string[], string]>([
    [['skips', 'wait'], 'The step wait of run skips is Running; only a step that waits can be skipped'],
    [['skips', 'free'], 'The step free of run skips is Succeeded already (Completed)'],
    [['skips', 'chekc'], 'The run skips has no step "chekc"; did you mean "check"?'],
    [['bad', 'third'], 'The run bad is over (Failed); nothing in it waits'],
    [['single', 'third'], 'is a single task and has no steps'],
  ])('is refused: %j', async (args, message) => {
    const { code, stdout, stderr } = await cli(['skip', ...args]);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([1, '']);
  });

  it('by an annotation says what it passes over, and goes on in spite of it', async () => {
    await bench.annotate('skips', 'cdk8s-workflows.dev/skip.chekc', '');
    await bench.annotate('skips', 'cdk8s-workflows.dev/skip.wait', 'too slow');
    await eventually(async () => {
      const events = (await bench.events('skips')).join();
      expect(events).toContain('skip.chekc: is about no step of the workflow; did you mean "check"?');
      expect(events).toContain('skip.wait: comes too late: the step is Running, and is left alone');
    });
    expect((await bench.record('skips')).steps.get('wait')?.phase).toBe('Running');
  });
});
