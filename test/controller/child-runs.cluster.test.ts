import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../lib/controller/objects.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import { cronJobs, jobs } from '../../lib/kube/resources.ts';
import type { ObjectSchema } from '../../lib/values/schema.ts';
import { cliFor, steady } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, cronJob, runOf, workflow, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'child-runs' });
  bench = await Bench.create(cluster.kubeconfigPath);
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await bench.controller({ timing: { missingMs: 1_500 } });
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const rows: ObjectSchema = { properties: { rows: { type: 'integer' } }, required: [] };
const count: ObjectSchema = { properties: { n: { type: 'integer' } }, required: ['n'] };
const wrote = (value: object) => ({ outputs: JSON.stringify(value) });

/** Gives `rows`, from a step of its own. */
const inner = (name: string, step: Partial<TestStep> = {}) =>
  workflow(name, [{ name: 'work', outputs: { ...rows, required: ['rows'] }, sim: wrote({ rows: 7 }), ...step }], {
    outputs: { rows: { step: 'work', output: 'rows' } },
  });

const children = async (run: string): Promise<readonly Job[]> => {
  const { items } = await bench.client.list<Job>(jobs, { labelSelector: `${labels.run}=${run}` });
  return items;
};

const phaseOf = async (run: string, step: string) => {
  const record = (await bench.record(run)).steps.get(step);
  return `${record?.phase}/${record?.reason}`;
};

describe('a step that is a run of its own', () => {
  it('is a Job that belongs to the run of the step, two deep, and gives its outputs', async () => {
    const leaf = inner('leaf');
    const middle = workflow('middle', [{ name: 'deeper', runs: runOf(leaf), outputs: rows }], {
      outputs: { rows: { step: 'deeper', output: 'rows' } },
    });
    const outer = workflow(
      'outer',
      [
        { name: 'child', runs: runOf(middle), outputs: rows },
        { name: 'last', after: ['child'] },
      ],
      {
        outputs: { rows: { step: 'child', output: 'rows' } },
      },
    );
    await bench.apply(...leaf.manifests, ...middle.manifests);
    await bench.launch(outer, 'nested', { annotations: { [annotations.priority]: '3' } });
    await bench.finished('nested');
    expect((await bench.record('nested')).run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 7 } });
    const [child] = await children('nested');
    const { uid } = (await bench.job('nested')).metadata;
    expect(child!.metadata).toMatchObject({
      name: 'nested-child-1',
      labels: { [labels.workflow]: 'middle', [labels.step]: 'child', [labels.attempt]: '1', [labels.plan]: 'plan' },
      annotations: { [annotations.within]: '["nested"]', [annotations.priority]: '3' },
      ownerReferences: [{ uid, controller: true }],
    });
    const leafRun = await bench.job('nested-child-1-deeper-1');
    expect(leafRun.metadata.annotations?.[annotations.within]).toBe('["nested","nested-child-1"]');
    expect(leafRun.spec).toMatchObject({ completions: 1, parallelism: 10 });
  });

  it('is shown by the command line, which hides it among runs unless it is asked for', async () => {
    const leaf = inner('shown');
    const outer = workflow('shows', [{ name: 'child', runs: runOf(leaf), outputs: rows }]);
    await bench.apply(...leaf.manifests);
    await bench.launch(outer, 'shows');
    await bench.finished('shows');
    const described = steady((await cli(['describe', 'shows'])).stdout);
    expect(described).toContain('RUN STEP PHASE DURATION\nshows-child-1 child Succeeded');
    expect(steady((await cli(['describe', 'shows-child-1'])).stdout)).toContain('Step of: shows (child)');
    const names = async (...options: string[]) => (await cli(['runs', '-o', 'name', ...options])).stdout.split('\n');
    expect(await names()).not.toContain('job.batch/shows-child-1');
    expect(await names('--children')).toContain('job.batch/shows-child-1');
    expect((await cli(['logs', 'shows'])).stderr).toContain(
      '[child] is a run of its own: cdk8s-workflows logs shows-child-1',
    );
  });

  it('may be rerun by itself', async () => {
    const broken = inner('breaks', { sim: { 'exit-code': '4' } });
    const outer = workflow('whole', [{ name: 'child', runs: runOf(broken), outputs: rows }]);
    await bench.apply(...broken.manifests);
    await bench.launch(outer, 'whole');
    await bench.finished('whole');
    expect((await cli(['rerun', 'whole-child-1'])).code).toBe(0);
    const again = await bench.finished('whole-child-1-r1');
    expect(again.metadata.labels).not.toHaveProperty([labels.step]);
    expect(again.metadata.ownerReferences ?? []).toEqual([]);
  });

  it('fails with the run, which it says, and is tried again', async () => {
    const broken = inner('broken', { sim: { 'exit-code': '4' } });
    const outer = workflow('tries', [{ name: 'child', runs: runOf(broken), outputs: rows, retries: { limit: 1 } }]);
    await bench.apply(...broken.manifests);
    await bench.launch(outer, 'tries');
    await bench.finished('tries');
    const { attempts, ...step } = (await bench.record('tries')).steps.get('child')!;
    expect(attempts.map(({ reason }) => reason)).toEqual(['RunFailed', 'RunFailed']);
    expect(step.message).toBe('run tries-child-2 failed: 1 of 1 steps failed: work (exit code 4) (2 attempts)');
  });

  it('is not tried again when somebody cancels the run', async () => {
    const slow = inner('slow', { sim: { stuck: 'Running' } });
    const outer = workflow('cut', [{ name: 'child', runs: runOf(slow), outputs: rows, retries: { limit: 3 } }]);
    await bench.apply(...slow.manifests);
    await bench.launch(outer, 'cut');
    await bench.recorded('cut', ({ steps }) => steps.get('child')?.reason === 'RunRunning');
    await bench.annotate('cut-child-1', annotations.cancel, 'Now');
    await bench.finished('cut');
    const { attempts, message } = (await bench.record('cut')).steps.get('child')!;
    expect(attempts).toHaveLength(1);
    expect(message).toBe('run cut-child-1 was cancelled: cancelled on request (Now)');
  });

  it('is cancelled in good order with the run around it', async () => {
    const tidy = workflow('tidy', [
      { name: 'work', sim: { stuck: 'Running' } },
      { name: 'clean', role: 'finally' },
    ]);
    const outer = workflow('stops', [{ name: 'child', runs: runOf(tidy) }]);
    await bench.apply(...tidy.manifests);
    await bench.launch(outer, 'stops');
    await bench.recorded('stops', ({ steps }) => steps.get('child')?.reason === 'RunRunning');
    await bench.recorded('stops-child-1', ({ steps }) => steps.get('work')?.phase === 'Running');
    await bench.annotate('stops', annotations.cancel, 'RunFinally');
    await bench.finished('stops');
    expect(await phaseOf('stops', 'child')).toBe('Cancelled/CancelRequested');
    expect(await phaseOf('stops-child-1', 'clean')).toBe('Succeeded/Completed');
    expect((await bench.record('stops-child-1')).run.phase).toBe('Cancelled');
  });

  it('is ended at once when that becomes urgent', async () => {
    const stuck = workflow('stuck', [
      { name: 'work', sim: { stuck: 'Running' } },
      { name: 'clean', role: 'finally', sim: { stuck: 'Running' } },
    ]);
    const outer = workflow('hurry', [{ name: 'child', runs: runOf(stuck) }]);
    await bench.apply(...stuck.manifests);
    await bench.launch(outer, 'hurry');
    await bench.recorded('hurry', ({ steps }) => steps.get('child')?.reason === 'RunRunning');
    await bench.annotate('hurry', annotations.cancel, 'RunFinally');
    await bench.recorded('hurry-child-1', ({ steps }) => steps.get('clean')?.reason === 'ContainerRunning');
    await bench.annotate('hurry', annotations.cancel, 'Now');
    await bench.finished('hurry');
    expect((await bench.record('hurry-child-1')).steps.get('clean')?.phase).toBe('Cancelled');
  });

  it('has a timeout, and runs again when it was deleted', async () => {
    const slow = inner('slower', { sim: { stuck: 'Running' } });
    const outer = workflow(
      'timed',
      [
        { name: 'late', runs: runOf(slow), outputs: rows, attemptTimeoutSeconds: 1 },
        { name: 'lost', runs: runOf(slow), outputs: rows, systemRetries: 1, timeoutSeconds: 8 },
      ],
      { failurePolicy: 'RunIndependent' },
    );
    await bench.apply(...slow.manifests);
    await bench.launch(outer, 'timed');
    await bench.recorded('timed', ({ steps }) => steps.get('lost')?.reason === 'RunRunning');
    await bench.client.delete(jobs, 'timed-lost-1', { propagationPolicy: 'Background' });
    await bench.finished('timed', 40_000);
    const { steps } = await bench.record('timed');
    expect(steps.get('late')).toMatchObject({ phase: 'Failed', reason: 'AttemptTimeout' });
    expect(steps.get('lost')?.attempts.map(({ reason }) => reason)).toEqual(['RunDeleted', 'StepTimeout']);
    expect((await bench.record('timed-late-1')).run.phase).toBe('Cancelled');
  });

  it('is found again by another controller, also when it ended meanwhile', async () => {
    const own = await Bench.create(cluster.kubeconfigPath);
    try {
      const leaf = inner('leaf', { sim: { 'run-ms': '600', ...wrote({ rows: 3 }) } });
      const outer = workflow('outer', [{ name: 'child', runs: runOf(leaf), outputs: rows }], {
        outputs: { rows: { step: 'child', output: 'rows' } },
      });
      await own.apply(...leaf.manifests);
      const first = await own.controller();
      await own.launch(outer, 'again');
      await own.recorded('again-child-1', ({ steps }) => steps.get('work')?.phase === 'Running');
      await first.stop();
      const [second] = [await own.controller()];
      await own.finished('again-child-1');
      await second.stop();
      await own.controller();
      await own.finished('again');
      expect((await own.record('again')).run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 3 } });
      const { items } = await own.client.list<Job>(jobs, { labelSelector: `${labels.run}=again` });
      expect(items).toHaveLength(1);
    } finally {
      await own.close();
    }
  });

  it('takes no place among steps that a controller limits, so that its own have one', async () => {
    const own = await Bench.create(cluster.kubeconfigPath);
    try {
      await own.controller({ limits: { maxSteps: 1 } });
      const leaf = inner('leaf');
      const middle = workflow('middle', [{ name: 'deeper', runs: runOf(leaf), outputs: rows }]);
      await own.apply(...leaf.manifests, ...middle.manifests);
      await own.launch(workflow('outer', [{ name: 'child', runs: runOf(middle) }]), 'narrow');
      await own.finished('narrow');
      expect((await own.record('narrow')).run.phase).toBe('Succeeded');
    } finally {
      await own.close();
    }
  });

  it('goes on while the run around it is suspended', async () => {
    const leaf = inner('unhurried', { sim: { 'run-ms': '700', ...wrote({ rows: 1 }) } });
    const outer = workflow('pauses', [
      { name: 'child', runs: runOf(leaf), outputs: rows },
      { name: 'next', after: ['child'] },
    ]);
    await bench.apply(...leaf.manifests);
    await bench.launch(outer, 'pauses');
    await bench.recorded('pauses', ({ steps }) => steps.get('child')?.reason === 'RunRunning');
    await bench.patchJob('pauses', { spec: { suspend: true } });
    await bench.finished('pauses-child-1');
    await bench.recorded('pauses', ({ steps }) => steps.get('next')?.reason === 'Suspended');
    await bench.patchJob('pauses', { spec: { suspend: false } });
    await bench.finished('pauses');
  });

  it('goes when the run around it is deleted', async () => {
    const slow = inner('kept', { sim: { stuck: 'Running' } });
    await bench.apply(...slow.manifests);
    await bench.launch(workflow('gone', [{ name: 'child', runs: runOf(slow), outputs: rows }]), 'gone');
    await bench.recorded('gone', ({ steps }) => steps.get('child')?.reason === 'RunRunning');
    await bench.client.delete(jobs, 'gone', { propagationPolicy: 'Background' });
    await eventually(async () => expect(await children('gone')).toEqual([]), 30_000);
  });
});

describe('a launch plan as a step', () => {
  const asPlan = (of: Parameters<typeof cronJob>[0], name: string, inputs: object, fixed: readonly string[] = []) => {
    const plan = cronJob(of, name) as ReturnType<typeof cronJob> & {
      metadata: object;
      spec: { jobTemplate: { metadata: { annotations: Record<string, string> } } };
    };
    plan.spec.jobTemplate.metadata.annotations[annotations.inputs] = JSON.stringify(inputs);
    return {
      ...plan,
      metadata: { ...plan.metadata, annotations: { [annotations.fixedInputs]: JSON.stringify(fixed) } },
    };
  };

  it('is made from the CronJob as it stands, with the inputs of the step over those of the plan', async () => {
    const inputs = { properties: { a: { type: 'integer' }, b: { type: 'integer' } }, required: ['a', 'b'] };
    const sums = workflow('sums', [{ name: 'work' }], {
      inputs,
      outputs: { a: { input: 'a' }, b: { input: 'b' } },
    });
    await bench.apply(...sums.manifests, asPlan(sums, 'sums-plan', { a: 1, b: 1 }));
    await bench.client.patch(
      cronJobs,
      'sums-plan',
      {
        metadata: { labels: { changed: 'yes' } },
        spec: { jobTemplate: { metadata: { labels: { changed: 'yes' } }, spec: { parallelism: 3 } } },
      },
      { type: 'merge' },
    );
    const outer = workflow(
      'launches',
      [
        {
          name: 'child',
          runs: { plan: 'sums-plan' },
          inputs: { b: { value: 5 } },
          outputs: { properties: inputs.properties, required: [] },
        },
      ],
      { outputs: { a: { step: 'child', output: 'a' }, b: { step: 'child', output: 'b' } } },
    );
    await bench.launch(outer, 'launches');
    await bench.finished('launches');
    expect((await bench.record('launches')).run.outputs).toEqual({ a: 1, b: 5 });
    const child = await bench.job('launches-child-1');
    expect(child.metadata.labels).toMatchObject({ changed: 'yes', [labels.workflow]: 'sums', [labels.step]: 'child' });
    expect(child.spec?.parallelism).toBe(3);
  });

  it('fails for good when the plan is not there, or does not take what it is given', async () => {
    const one = workflow('one', [{ name: 'work' }], { inputs: count });
    await bench.apply(...one.manifests, asPlan(one, 'fixed-plan', { n: 1 }, ['n']));
    const outer = workflow(
      'refused',
      [
        { name: 'missing', runs: { plan: 'nobody' }, retries: { limit: 2 } },
        { name: 'fixed', runs: { plan: 'fixed-plan' }, inputs: { n: { value: 2 } } },
        { name: 'wrong', runs: runOf(one), inputs: { n: { value: 'x' } }, retries: { limit: 2 } },
      ],
      { failurePolicy: 'RunIndependent' },
    );
    await bench.launch(outer, 'refused');
    await bench.finished('refused');
    const { steps } = await bench.record('refused');
    expect(steps.get('missing')).toMatchObject({
      reason: 'Rejected',
      message: 'there is no launch plan nobody, also after 1.5 s',
      attempts: [{ failure: 'permanent' }],
    });
    expect(steps.get('fixed')?.message).toBe(
      'The run of plan fixed-plan cannot be started: inputs.n: is fixed by launch plan fixed-plan',
    );
    expect(steps.get('wrong')).toMatchObject({ reason: 'RunFailed', attempts: [{ failure: 'permanent' }] });
    expect(steps.get('wrong')?.message).toContain('inputs.n');
  });

  it('may be a plan of the workflow itself, down to a limit', async () => {
    const itself = workflow('itself', [{ name: 'next', runs: { plan: 'itself-plan' }, maxDepth: 3 }]);
    await bench.apply(...itself.manifests, asPlan(itself, 'itself-plan', {}));
    await bench.launch(itself, 'it');
    await bench.finished('it', 60_000);
    const deepest = (await bench.record('it-next-1-next-1')).steps.get('next');
    expect(deepest).toMatchObject({
      phase: 'Failed',
      reason: 'RecursionLimit',
      message: '3 runs are one in the other already, and at most 3 may be: it -> it-next-1 -> it-next-1-next-1',
    });
    expect((await bench.record('it')).run.message).toContain('at most 3 may be');
  });

  it('is a run like any other whatever somebody writes into what tells its depth', async () => {
    const leaf = inner('plain');
    await bench.apply(...leaf.manifests);
    const outer = workflow('odd', [{ name: 'child', runs: runOf(leaf), outputs: rows }]);
    await bench.launch(outer, 'odd', { annotations: { [annotations.within]: '{"not": "a list"' } });
    await bench.finished('odd');
    expect(await phaseOf('odd', 'child')).toBe('Succeeded/Completed');
  });
});
