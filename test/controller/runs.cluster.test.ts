import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { annotations, labels } from '../../lib/graph/labels.ts';
import type { Pod } from '../../lib/controller/objects.ts';
import { configMaps, jobs, pods } from '../../lib/kube/resources.ts';
import type { Behaviour } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, chain, cronJob, workflow, type TestStep } from './support.ts';

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

/** How pods go until the end of this test. */
function behave(behaviour: Behaviour): void {
  const node = cluster.simulatedNode!;
  node.behaviour = behaviour;
  onTestFinished(() => void (node.behaviour = undefined));
}

const stepOf = (pod: { metadata: { labels?: Record<string, string> } }) => pod.metadata.labels?.[labels.step];
const attemptOf = (pod: { metadata: { labels?: Record<string, string> } }) =>
  Number(pod.metadata.labels?.[labels.attempt]);

const string = { type: 'string' } as const;
const integer = { type: 'integer' } as const;

describe('a run', () => {
  it('of a chain completes, one pod after the other', async () => {
    await bench.launch(workflow('chain', chain(5)), 'chain');
    const job = await bench.finished('chain');
    expect(job.status).toMatchObject({ succeeded: 5 });
    expect(job.status?.active ?? 0).toBe(0);
    expect(job.status?.conditions?.map(({ type }) => type)).toEqual(['SuccessCriteriaMet', 'Complete']);
    expect(await bench.pods('chain')).toHaveLength(5);
    const record = await bench.record('chain');
    expect(record.run).toMatchObject({ phase: 'Succeeded', reason: 'Completed' });
    expect([...record.steps.values()].map(({ phase }) => phase)).toEqual(Array(5).fill('Succeeded'));
    expect(await eventually(async () => (await bench.events('chain')).toSorted())).toEqual([
      'RunStarted: The run of 5 steps has begun',
      'RunSucceeded: The run has succeeded',
    ]);
  });

  it('of a diamond passes outputs to inputs, and its own outputs to its record', async () => {
    const rows = { step: 'extract', output: 'rows' };
    const steps: TestStep[] = [
      {
        name: 'extract',
        inputs: { site: { input: 'site' } },
        outputs: { properties: { rows: integer, uri: string }, required: ['rows', 'uri'] },
        sim: { outputs: '{"rows": 3, "uri": "s3://$(site)"}' },
      },
      { name: 'left', inputs: { rows }, sim: { 'run-ms': '300' } },
      { name: 'right', inputs: { rows }, sim: { 'run-ms': '300' } },
      { name: 'load', after: ['left', 'right'], inputs: { uri: { step: 'extract', output: 'uri' } } },
    ];
    const inputs = { properties: { site: string, limit: { ...integer, default: 7 } }, required: ['site'] };
    const diamond = workflow('diamond', steps, { inputs, outputs: { rows, limit: { input: 'limit' } } });
    await bench.launch(diamond, 'diamond', { inputs: { site: 'site-a' } });
    await bench.recorded('diamond', ({ steps: s }) =>
      ['left', 'right'].every((name) => s.get(name)?.reason === 'ContainerRunning'),
    );
    await bench.finished('diamond');
    expect((await bench.record('diamond')).run.outputs).toEqual({ rows: 3, limit: 7 });
    const environment = async (step: string) => {
      const pod = await bench.client.get(pods, `diamond-${step}-1`);
      const { containers } = pod.spec as { containers: { env: { name: string; value: string }[] }[] };
      return Object.fromEntries(containers[0]!.env.map(({ name, value }) => [name, value]));
    };
    expect(await environment('extract')).toMatchObject({ INPUT_SITE: 'site-a', WORKFLOW_RUN: 'diamond' });
    expect(await environment('left')).toMatchObject({ INPUT_ROWS: '3', WORKFLOW_STEP: 'left', WORKFLOW_ATTEMPT: '1' });
    const [pod] = await bench.pods('diamond');
    const job = await bench.job('diamond');
    expect(pod?.metadata.ownerReferences).toEqual([
      { apiVersion: 'batch/v1', kind: 'Job', name: 'diamond', uid: job.metadata.uid, controller: true },
    ]);
    expect(pod?.metadata.labels).toMatchObject({ [labels.workflow]: 'diamond', [labels.plan]: 'plan' });
  });

  it('tries a failed step again, and says so', async () => {
    behave((pod) => (stepOf(pod) === 's1' && attemptOf(pod) < 3 ? { exitCode: 3, outputs: 'no luck' } : {}));
    const retries = { limit: 2, delaySeconds: 0.1 };
    await bench.launch(workflow('retry', chain(3, { retries })), 'retry');
    await bench.finished('retry');
    const { attempts } = (await bench.record('retry')).steps.get('s1')!;
    expect(attempts.map(({ phase, reason, exitCode }) => [phase, reason, exitCode ?? 0])).toEqual([
      ['Failed', 'ExitCode', 3],
      ['Failed', 'ExitCode', 3],
      ['Succeeded', 'Completed', 0],
    ]);
    const events = await eventually(async () => {
      const told = await bench.events('retry');
      expect(told.filter((event) => event.startsWith('StepRetrying'))).toHaveLength(2);
      return told;
    });
    expect(events.join('\n')).toMatch(/Attempt 1 of step s1 failed, .*ExitCode, exit code 3: no luck/);
  });

  it('fails when a step fails, with the reason on the Job', async () => {
    await bench.launch(
      workflow('fail', [
        { name: 'bad', sim: { 'exit-code': '2' } },
        { name: 'next', after: ['bad'] },
      ]),
      'fail',
    );
    const job = await bench.finished('fail');
    expect(job.status?.conditions?.map(({ type }) => type)).toEqual(['FailureTarget', 'Failed']);
    expect(job.status?.conditions?.[1]).toMatchObject({
      reason: 'StepFailed',
      message: expect.stringContaining('bad ('),
    });
    expect(job.status).toMatchObject({ failed: 1 });
    expect((await bench.record('fail')).steps.get('next')?.reason).toBe('UpstreamFailed');
  });

  it('shows skipped steps as done, for they are what the author meant', async () => {
    const steps: TestStep[] = [
      { name: 'a', outputs: { properties: { rows: integer }, required: ['rows'] }, sim: { outputs: '{"rows":0}' } },
      { name: 'b', when: { cel: 'steps.a.outputs.rows > 0', steps: ['a'] } },
      { name: 'c', after: ['b'] },
    ];
    await bench.launch(workflow('skip', steps), 'skip');
    expect((await bench.finished('skip')).status).toMatchObject({ succeeded: 3 });
    const { stdout } = await cluster.kubectl(['get', 'job', 'skip', '-n', bench.namespace, '--no-headers']);
    expect(stdout).toMatch(/skip\s+Complete\s+3\/3/);
  });

  it('stops an attempt that takes too long, and keeps its pod', async () => {
    await bench.launch(
      workflow('slow', [{ name: 'slow', attemptTimeoutSeconds: 1, sim: { stuck: 'Running' } }]),
      'slow',
    );
    await bench.finished('slow');
    const { attempts } = (await bench.record('slow')).steps.get('slow')!;
    expect(attempts).toMatchObject([{ reason: 'AttemptTimeout', failure: 'user' }]);
    expect((await bench.pods('slow'))[0]?.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });

  it('fails when its own time is over', async () => {
    const stuck = workflow('over', [{ name: 'stuck', sim: { stuck: 'Running' } }]);
    await bench.launch(stuck, 'over', { spec: { activeDeadlineSeconds: 1 } });
    const job = await bench.finished('over');
    expect(job.status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'RunTimeout' });
  });

  it('runs a step as a Job of its own when asked, and reads its outputs', async () => {
    const steps: TestStep[] = [
      {
        name: 'a',
        runAs: 'Job',
        outputs: { properties: { n: integer }, required: ['n'] },
        sim: { outputs: '{"n":5}' },
      },
      { name: 'b', runAs: 'Job', inputs: { n: { step: 'a', output: 'n' } }, sim: { 'exit-code': '4' } },
    ];
    await bench.launch(workflow('jobs', steps, { outputs: { n: { step: 'a', output: 'n' } } }), 'jobs');
    await bench.finished('jobs');
    const record = await bench.record('jobs');
    expect(record.steps.get('a')?.outputs).toEqual({ n: 5 });
    expect(record.steps.get('b')).toMatchObject({ phase: 'Failed', attempts: [{ reason: 'ExitCode', exitCode: 4 }] });
    const step = await bench.client.get(jobs, 'jobs-a-1');
    expect(step.spec).toMatchObject({ backoffLimit: 0 });
  });

  it('waits while the quota is used up, and says so, also to the controller that comes after', async () => {
    const small = await Bench.create(cluster.kubeconfigPath, 'quota');
    onTestFinished(() => small.close());
    await small.client.request('POST', `/api/v1/namespaces/${small.namespace}/resourcequotas`, {
      body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'one' }, spec: { hard: { pods: '1' } } },
    });
    await eventually(async () => {
      const path = `/api/v1/namespaces/${small.namespace}/resourcequotas/one`;
      const { status } = await small.client.request<{ status?: { hard?: object } }>('GET', path);
      expect(status?.hard).toBeDefined();
    });
    const first = await small.controller();
    await small.launch(
      workflow('two', [
        { name: 'a', sim: { 'run-ms': '1500' } },
        { name: 'b', sim: { 'run-ms': '1500' } },
      ]),
      'two',
    );
    const waiting = await small.recorded('two', ({ steps }) =>
      [...steps.values()].some(({ attempts }) => attempts.at(-1)?.message?.includes('exceeded quota')),
    );
    expect(waiting.run.phase).toBe('Running');
    await eventually(async () =>
      expect((await small.events('two')).filter((event) => event.startsWith('FailedCreate'))).toEqual([
        expect.stringMatching(
          /^FailedCreate: Step [ab] waits, as two-[ab]-1 cannot be created: .* exceeded quota: one/,
        ),
      ]),
    );
    await first.stop();
    await small.controller();
    expect((await small.finished('two')).status).toMatchObject({ succeeded: 2 });
    const { steps } = await small.record('two');
    expect([...steps.values()].map(({ attempts }) => attempts.length)).toEqual([1, 1]);
  });

  it('gives up a pod that admission refuses, with what the API server said', async () => {
    const strict = await Bench.create(cluster.kubeconfigPath, 'strict');
    onTestFinished(() => strict.close());
    await strict.client.request('PATCH', `/api/v1/namespaces/${strict.namespace}`, {
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    });
    await strict.controller();
    await strict.launch(workflow('refused', [{ name: 'root', retries: { limit: 5 } }]), 'refused');
    await strict.finished('refused');
    const { attempts, reason, message } = (await strict.record('refused')).steps.get('root')!;
    expect([attempts.length, reason]).toEqual([1, 'Rejected']);
    expect(message).toContain('violates PodSecurity "restricted:latest"');
  });

  it('fails a step whose pod the API server calls invalid', async () => {
    const annotated = { [annotations.podOverride]: JSON.stringify({ spec: { dnsPolicy: 'Sometimes' } }) };
    await bench.launch(workflow('invalid', [{ name: 'bad' }]), 'invalid', { annotations: annotated });
    await bench.finished('invalid');
    const step = (await bench.record('invalid')).steps.get('bad');
    expect(step).toMatchObject({ reason: 'Rejected', message: expect.stringContaining('dnsPolicy') });
  });

  it('takes up a pod of its own that is there already, and none of another', async () => {
    const steps = workflow('taken', [{ name: 'a' }]);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { containers: [{ name: 'main', image: 'x' }], restartPolicy: 'Never' },
    };
    await bench.apply({ ...pod, metadata: { name: 'taken-a-1' } });
    await bench.launch(steps, 'taken');
    await bench.finished('taken');
    expect((await bench.record('taken')).steps.get('a')?.message).toContain(
      'Pod taken-a-1 exists already and belongs to nobody',
    );
  });

  it('runs again under the name of a run that was deleted', async () => {
    const again = workflow('again', chain(2));
    await bench.launch(again, 'again');
    await bench.finished('again');
    await bench.client.delete(jobs, 'again', { propagationPolicy: 'Background' });
    await eventually(() => bench.launch(again, 'again'));
    expect((await bench.finished('again')).status).toMatchObject({ succeeded: 2 });
  });

  it('runs a step again whose pod was deleted by hand, at the cost of the platform', async () => {
    behave((pod) => (attemptOf(pod) === 1 ? { stuck: 'Running' } : {}));
    await bench.launch(workflow('deleted', [{ name: 'a' }]), 'deleted');
    await bench.recorded('deleted', ({ steps }) => steps.get('a')?.reason === 'ContainerRunning');
    await bench.client.delete(pods, 'deleted-a-1', { gracePeriodSeconds: 0 });
    await bench.finished('deleted');
    const { attempts } = (await bench.record('deleted')).steps.get('a')!;
    expect(attempts).toMatchObject([{ failure: 'system', reason: 'PodDeleted' }, { phase: 'Succeeded' }]);
  });

  it('asks for spot nodes until another failure of the platform would be the last, and ends on any node', async () => {
    behave(() => ({}));
    const spot = { value: { spec: { nodeSelector: { pool: 'spot' } } } };
    await bench.launch(workflow('spot', [{ name: 'a', spot }]), 'spot');
    for (const attempt of [1, 2, 3])
      await eventually(async () => {
        const { spec } = await bench.client.get<Pod>(pods, `spot-a-${attempt}`);
        expect(spec).toMatchObject({ nodeSelector: { pool: 'spot' } });
        await bench.client.delete(pods, `spot-a-${attempt}`, { gracePeriodSeconds: 0 });
      }, 20_000);
    await bench.finished('spot', 30_000);
    const { attempts } = (await bench.record('spot')).steps.get('a')!;
    expect(attempts.map(({ reason }) => reason)).toEqual(['PodDeleted', 'PodDeleted', 'PodDeleted', 'Completed']);
    expect((await bench.client.get<Pod>(pods, 'spot-a-4')).spec).not.toHaveProperty('nodeSelector');
  });

  it('is made by a CronJob, and waited for with kubectl', async () => {
    const cron = workflow('cron', chain(3));
    await bench.apply(...cron.manifests, cronJob(cron, 'nightly'));
    const kubectl = (...args: string[]) => cluster.kubectl([...args, '-n', bench.namespace]);
    expect((await kubectl('create', 'job', '--from=cronjob/nightly', 'now')).stderr).toBe('');
    const { stdout } = await kubectl('wait', '--for=condition=complete', 'job/now', '--timeout=20s');
    expect(stdout).toContain('condition met');
    expect((await kubectl('get', 'job', 'now', '--no-headers')).stdout).toMatch(/now\s+Complete\s+3\/3/);
  });

  it('leaves nothing behind when it is deleted', async () => {
    await bench.launch(workflow('gone', [{ name: 'a', sim: { stuck: 'Running' } }]), 'gone');
    await bench.recorded('gone', ({ steps }) => steps.get('a')?.reason === 'ContainerRunning');
    await bench.client.delete(jobs, 'gone', { propagationPolicy: 'Background' });
    await eventually(async () => expect(await bench.pods('gone')).toEqual([]));
    await eventually(() => expect(bench.client.get(configMaps, 'gone-record')).rejects.toThrow('not found'));
  });

  it('merges the override of its Job over the template of every step', async () => {
    const override = { spec: { priority: null, nodeSelector: { 'kubernetes.io/hostname': 'sim-0' } } };
    const annotated = { [annotations.podOverride]: JSON.stringify(override) };
    await bench.launch(workflow('override', chain(2)), 'override', { annotations: annotated });
    await bench.finished('override');
    for (const pod of await bench.pods('override'))
      expect(pod.spec).toMatchObject({ nodeSelector: override.spec.nodeSelector });
  });
});
