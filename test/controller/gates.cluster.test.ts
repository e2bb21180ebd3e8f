import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '../../lib/graph/graph.ts';
import { annotations } from '../../lib/graph/labels.ts';
import { cliFor, steady } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, workflow, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'gates' });
  bench = await Bench.create(cluster.kubeconfigPath);
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const text = { type: 'string' };
const approval: TestStep = {
  name: 'release',
  gate: { waitsFor: 'approval', message: { value: 'Release 7?' } },
  outputs: { properties: { approvedBy: text, approvedAt: text }, required: ['approvedBy', 'approvedAt'] },
};
const amount: TestStep = {
  name: 'amount',
  gate: { waitsFor: 'input' },
  outputs: { properties: { value: { type: 'integer' } }, required: ['value'] },
};
const outputs: Graph['outputs'] = { by: { step: 'release', output: 'approvedBy' } };
const released = (name: string) =>
  workflow(name, [{ name: 'build' }, { ...approval, after: ['build'] }, { name: 'deploy', after: ['release'] }], {
    outputs,
  });

const waits = (name: string, step: string) =>
  bench.recorded(name, ({ steps }) => steps.get(step)?.phase === 'Waiting' && steps.get(step)?.readyAt !== undefined);

async function kubectlAnnotate(run: string, annotation: string): Promise<void> {
  await cluster.kubectl(['annotate', 'job', run, '-n', bench.namespace, '--overwrite', annotation]);
}

describe('a gate on a cluster', () => {
  it('is opened by the command line, which the API server tells who it is', async () => {
    await bench.launch(released('by-cli'), 'by-cli');
    await waits('by-cli', 'release');
    await eventually(async () => {
      const { active = 0, succeeded } = (await bench.job('by-cli')).status ?? {};
      expect([active, succeeded]).toEqual([0, 1]);
    });
    const { stdout } = await cli(['describe', 'by-cli']);
    expect(steady(stdout)).toContain(
      '◌ release Waiting - - waits for approval (Release 7?); approve with: cdk8s-workflows approve by-cli release\n',
    );
    const sent = await cli(['approve', 'by-cli', 'release', '--comment', 'looks good']);
    expect([sent.code, sent.stdout]).toEqual([
      0,
      expect.stringMatching(/^step release of run by-cli approved by \S+\n$/),
    ]);
    const by = /by (\S+)\n/.exec(sent.stdout)![1]!;
    await bench.finished('by-cli');
    const record = await bench.record('by-cli');
    expect(record.run).toMatchObject({ phase: 'Succeeded', outputs: { by } });
    expect(record.steps.get('release')?.message).toBe(`approved by ${by}: looks good`);
    await eventually(async () => {
      const events = (await bench.events('by-cli')).join('\n');
      expect(events).toContain('WaitingForApproval: Step release waits for approval: Release 7?');
      expect(events).toContain(`GateOpened: Step release: approved by ${by}: looks good`);
    });
    expect(steady((await cli(['describe', 'by-cli'])).stdout)).toContain(`✓ release Succeeded - - approved by ${by}`);
  });

  it('is opened by kubectl annotate, also before it waits', async () => {
    await bench.launch(released('by-kubectl'), 'by-kubectl', { spec: { suspend: true } });
    await kubectlAnnotate('by-kubectl', 'cdk8s-workflows.dev/approve.release=true');
    await bench.patchJob('by-kubectl', { spec: { suspend: false } });
    expect((await bench.finished('by-kubectl')).status).toMatchObject({ succeeded: 3 });
    expect((await bench.record('by-kubectl')).run.outputs).toEqual({ by: 'unknown' });
  });

  it('fails the step when it is denied, and nothing is created for it', async () => {
    await bench.launch(released('denied'), 'denied');
    await waits('denied', 'release');
    expect((await cli(['approve', 'denied', 'release', '--deny'])).code).toBe(0);
    await bench.finished('denied');
    const { steps } = await bench.record('denied');
    expect([...steps].map(([name, { phase, reason }]) => `${name} ${phase}/${reason}`)).toEqual(
      expect.arrayContaining(['release Failed/ApprovalDenied', 'deploy Skipped/UpstreamFailed']),
    );
    expect((await bench.pods('denied')).map(({ metadata }) => metadata.name)).toEqual(['denied-build-1']);
  });

  it('passes over what makes no sense, says so, and goes on waiting', async () => {
    const of = workflow('nonsense', [
      amount,
      { name: 'order', inputs: { amount: { step: 'amount', output: 'value' } } },
    ]);
    await bench.launch(of, 'nonsense');
    await waits('nonsense', 'amount');
    await kubectlAnnotate('nonsense', 'cdk8s-workflows.dev/input.amount={"value":"many"}');
    await kubectlAnnotate('nonsense', 'cdk8s-workflows.dev/approve.amount=true');
    await eventually(async () => {
      const events = (await bench.events('nonsense')).join('\n');
      expect(events).toMatch(/InvalidAnnotation: .*input\.amount: value: must be integer, but is "many"/);
      expect(events).toMatch(/InvalidAnnotation: .*approve\.amount: is for no step that waits for it/);
    });
    expect((await bench.record('nonsense')).steps.get('amount')?.phase).toBe('Waiting');
    const refused = await cli(['answer', 'nonsense', 'amount', 'many']);
    expect(refused).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: Cannot answer step amount of run nonsense:
  cdk8s-workflows.dev/input.amount: value: must be integer, but is "many"
`,
    });
    expect((await cli(['answer', 'nonsense', 'amount', '3'])).stdout).toMatch(
      /^step amount of run nonsense answered by/,
    );
    await bench.finished('nonsense');
    expect((await bench.record('nonsense')).steps.get('amount')?.outputs).toEqual({ value: 3 });
  });

  it('is found by its name, or what is wrong is said', async () => {
    await bench.launch(workflow('names', [approval, amount, { name: 'build' }]), 'names');
    await waits('names', 'release');
    const said = async (...args: string[]) => (await cli(args)).stderr;
    expect(await said('approve', 'names', 'relaese')).toBe(
      'error: The run names has no step "relaese"; did you mean "release"?\n',
    );
    expect(await said('approve', 'names', 'build')).toBe(
      'error: The step build of run names waits for no approval; known are release\n',
    );
    expect(await said('approve', 'names', 'amount')).toBe(
      'error: The step amount of run names waits for no approval: it waits for input (integer)\n',
    );
    await cli(['approve', 'names', 'release']);
    await bench.recorded('names', ({ steps }) => steps.get('release')?.phase === 'Succeeded');
    expect(await said('approve', 'names', 'release', '--deny')).toMatch(
      /^error: The step release of run names is Succeeded already: approved by \S+\n$/,
    );
    await bench.annotate('names', annotations.cancel, 'Now');
    await bench.finished('names');
    expect((await bench.record('names')).steps.get('amount')?.phase).toBe('Cancelled');
    expect(await said('answer', 'names', 'amount', '3')).toBe(
      'error: The run names is over (Cancelled); nothing in it waits\n',
    );
  });

  it('goes on waiting when another controller takes over, and sleeps no longer than it was told', async () => {
    const steps: TestStep[] = [
      approval,
      { name: 'rest', gate: { waitsFor: 'sleep', seconds: { value: 3 } } },
      { name: 'late', gate: { waitsFor: 'input', default: 0 }, timeoutSeconds: 2, outputs: amount.outputs },
    ];
    const other = await Bench.create(cluster.kubeconfigPath, 'takeover');
    try {
      const first = await other.controller();
      await other.launch(workflow('takeover', steps), 'takeover');
      const before = await other.recorded('takeover', ({ steps: s }) => s.size === 3);
      await first.stop();
      await other.annotate('takeover', 'cdk8s-workflows.dev/approve.release', '{"approved":true,"by":"jane"}');
      await other.controller();
      await other.finished('takeover');
      const after = await other.record('takeover');
      expect(after.steps.get('release')?.outputs).toMatchObject({ approvedBy: 'jane' });
      expect(after.steps.get('late')).toMatchObject({ reason: 'DefaultTaken', outputs: { value: 0 } });
      expect(after.steps.get('rest')?.finishedAt).toBeGreaterThanOrEqual(before.steps.get('rest')!.until!);
      expect(after.steps.get('rest')?.readyAt).toBe(before.steps.get('rest')?.readyAt);
    } finally {
      await other.close();
    }
  });
});
