import { Duration } from 'cdk8s';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../lib/graph/labels.ts';
import { controllerRules, driverRules, leaderElectionRules, type PermissionRule } from '../../lib/graph/permissions.ts';
import type { Pod } from '../../lib/controller/objects.ts';
import { pods, serviceAccounts, resource, type Resource } from '../../lib/kube/resources.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { eventually } from '../cluster/eventually.ts';
import { busyboxImage } from '../cluster/images.ts';
import { canStartNode, startNode, type NodeCluster } from '../cluster/node.ts';
import { controllerImage } from './controller-image.ts';
import { madeBy } from '../pods/settings/made-by.ts';
import { Bench, cronJob, run, workflow, type TestStep } from './support.ts';

const busybox = 'busybox:1.36';
const image = 'cdk8s-workflows/controller:test';
const rbac = 'rbac.authorization.k8s.io/v1';
const roles: Resource = resource(rbac, 'Role', 'roles');
const roleBindings: Resource = resource(rbac, 'RoleBinding', 'rolebindings');

/** A step that runs a shell command in a real container. */
function shell(name: string, command: string, more: Partial<TestStep> = {}): TestStep {
  const container = { name: 'main', image: busybox, imagePullPolicy: 'Never', command: ['sh', '-ec', command] };
  return { name, ...more, spec: { containers: [container], terminationGracePeriodSeconds: 1, ...more.spec } };
}

const integer = { type: 'integer' } as const;

describe.skipIf(!canStartNode)('on a real node', () => {
  let cluster: NodeCluster;
  let bench: Bench;

  beforeAll(async () => {
    cluster = await startNode({ name: 'controller' });
    const images = await Promise.all([busyboxImage(busybox), controllerImage(image)]);
    for (const path of images) await cluster.importImage(path);
    bench = await Bench.create(cluster.kubeconfigPath);
    await account('controller', [...controllerRules, ...leaderElectionRules]);
    await account('driver', driverRules);
    await bench.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'controller' },
      spec: program('controller', ['controller', '--health-port=8080']),
    });
  });
  afterAll(async () => {
    await bench?.close();
    await cluster?.stop();
  });

  async function account(name: string, rules: readonly PermissionRule[]): Promise<void> {
    const { client, namespace } = bench;
    await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
    await client.create(roles, { apiVersion: rbac, kind: 'Role', metadata: { name }, rules });
    await client.create(roleBindings, {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
  }

  /** The pod of a controller or a driver, as restricted as the manifests make it. */
  function program(serviceAccountName: string, args: readonly string[]): JsonObject {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    return {
      restartPolicy: 'Never',
      serviceAccountName,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: serviceAccountName,
          image,
          imagePullPolicy: 'Never',
          args,
          env: [
            field('POD_NAMESPACE', 'metadata.namespace'),
            field('WORKFLOW_JOB', "metadata.labels['batch.kubernetes.io/job-name']"),
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    };
  }

  async function log(pod: string): Promise<string> {
    return (await cluster.kubectl(['logs', pod, '-n', bench.namespace])).stdout;
  }

  const passing = workflow(
    'passing',
    [
      shell('extract', `echo "{'rows': $INPUT_N}" | tr "'" '"' > $WORKFLOW_OUTPUTS`, {
        inputs: { n: { input: 'n' } },
        outputs: { properties: { rows: integer }, required: ['rows'] },
      }),
      shell('load', `echo "{'total': $((INPUT_ROWS * 2))}" | tr "'" '"' > $WORKFLOW_OUTPUTS`, {
        inputs: { rows: { step: 'extract', output: 'rows' } },
        outputs: { properties: { total: integer }, required: ['total'] },
      }),
    ],
    {
      inputs: { properties: { n: { ...integer, default: 20 } }, required: [] },
      outputs: { total: { step: 'load', output: 'total' } },
    },
  );

  it('the controller in its pod runs containers that pass values', async () => {
    await bench.launch(passing, 'passing', { inputs: { n: 21 } });
    const job = await bench.finished('passing', 20_000).catch(async (error: unknown) => {
      const { stdout } = await cluster.kubectl(['describe', 'pod', 'controller', '-n', bench.namespace]);
      throw new Error(`${await log('controller')}\n${stdout}`, { cause: error });
    });
    expect(job.status).toMatchObject({ succeeded: 2 });
    expect((await bench.record('passing')).run.outputs).toEqual({ total: 42 });
  });

  it('a CronJob fires by itself, and kubectl starts another run of it', async () => {
    await bench.apply(cronJob(passing, 'minutely', { schedule: '* * * * *', suspend: false }));
    const kubectl = (...args: string[]) => cluster.kubectl([...args, '-n', bench.namespace]);
    await kubectl('create', 'job', '--from=cronjob/minutely', 'now');
    expect((await kubectl('wait', '--for=condition=complete', 'job/now', '--timeout=60s')).stdout).toContain('met');
    expect((await kubectl('get', 'jobs', '--no-headers')).stdout).toMatch(/now\s+Complete\s+2\/2/);
    await eventually(async () => {
      expect((await kubectl('get', 'jobs', '--no-headers')).stdout).toMatch(/minutely-\d+\s+Complete\s+2\/2/);
    }, 90_000);
  });

  it('a stopped container is ended by its kubelet, and keeps its log', async () => {
    await bench.launch(workflow('stopped', [shell('loop', 'echo begun; while true; do sleep 1; done')]), 'stopped');
    await bench.recorded('stopped', ({ steps }) => steps.get('loop')?.reason === 'ContainerRunning');
    await bench.annotate('stopped', annotations.cancel, 'Now');
    await bench.finished('stopped');
    expect(await log('stopped-loop-1')).toContain('begun');
    const pod = await bench.client.get(pods, 'stopped-loop-1');
    expect(pod.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });

  it.each([
    [
      'exit',
      shell('a', 'echo why > /dev/termination-log; exit 7'),
      { reason: 'ExitCode', exitCode: 7, message: 'exit code 7: why' },
    ],
    [
      'nothing-there',
      {
        name: 'a',
        spec: { containers: [{ name: 'main', image: busybox, imagePullPolicy: 'Never', command: ['/nothing'] }] },
      },
      { reason: 'StartError' },
    ],
    [
      'bad-image',
      { name: 'a', spec: { containers: [{ name: 'main', image: 'Not An Image', command: ['x'] }] } },
      { reason: 'InvalidImage', failure: 'permanent' },
    ],
    [
      'memory',
      shell('a', 'x=$(head -c 200000000 /dev/zero | tr "\\0" x); echo $x | wc -c', {
        spec: limited(shell('a', ''), '32Mi'),
      }),
      { reason: 'OOMKilled' },
    ],
  ])('a failure is told for what it is: %s', async (name, step: TestStep, expected) => {
    await bench.launch(workflow(name, [step]), name);
    await bench.finished(name, 60_000);
    expect((await bench.record(name)).steps.get('a')?.attempts.at(-1)).toMatchObject(expected);
  });

  it('a step with a sidecar ends when its main container does; the sidecar began before and ends after it', async () => {
    const container = { image: busybox, imagePullPolicy: 'Never' } as const;
    const begin = 'trap "exit 0" TERM; df -k /dev/shm; echo proxied > /shared/ready; while true; do sleep 1; done';
    const end =
      'size=$(df -k /dev/shm | tail -1 | tr -s " " | cut -d " " -f 2); echo "{\\"said\\":\\"$(cat /shared/ready) $(cat /shared/fetched)\\",\\"size\\":$size}" > /dev/termination-log';
    const { spec } = madeBy({
      ...container,
      command: ['sh', '-ec', end],
      sharedMemory: '16Mi',
      volumes: { shared: { mountPath: '/shared', emptyDir: {} } },
      sidecars: {
        proxy: {
          ...container,
          command: ['sh', '-ec', begin],
          mounts: { '/shared': 'shared' },
          startupProbe: { exec: { command: ['test', '-e', '/shared/ready'] }, periodSeconds: 1 },
        },
      },
      initContainers: {
        fetch: { ...container, command: ['cp', '/shared/ready', '/shared/fetched'], mounts: { '/shared': 'shared' } },
      },
      terminationGracePeriod: Duration.seconds(2),
    });
    const properties = { said: { type: 'string' }, size: integer } as const;
    const outputs = { properties, required: ['said', 'size'] };
    const step = { name: 'a', spec: JSON.parse(JSON.stringify(spec)) as JsonObject, outputs };
    await bench.launch(workflow('sidecar', [step]), 'sidecar');
    await bench.finished('sidecar', 60_000);
    const { attempts, outputs: given } = (await bench.record('sidecar')).steps.get('a')!;
    expect(attempts).toHaveLength(1);
    expect(given).toEqual({ said: 'proxied proxied', size: 16 * 1024 });
    await eventually(async () => {
      const { status } = await bench.client.get<Pod>(pods, 'sidecar-a-1');
      expect(status).toMatchObject({ phase: 'Succeeded' });
    }, 20_000);
  });

  const texts = ['plain', 'a "quoted" $(INPUT_TEXT)\nline of $HOME', ''];
  const depths = [{ depth: 1 }, { depth: 2 }];
  const json = `printf '{"step":"%s","text":"%s","depth":%s}' "$WORKFLOW_STEP" "$(base64 -w0 < "$INPUT_TEXT_FILE")" "$(cat "$INPUT_DEPTH_FILE")"`;
  const said = { properties: { said: { type: 'object' } }, required: ['said'] };
  const mapped = workflow(
    'mapped',
    [
      shell(
        'm',
        `test "$INPUT_ALL" = same; test "$JOB_COMPLETION_INDEX" != 4; printf '{"said":%s}' "$(${json})" > $WORKFLOW_OUTPUTS`,
        {
          inputs: { text: { item: 'text' }, depth: { item: 'depth' }, all: { value: 'same' } },
          indexed: {
            over: [
              { input: 'text', list: { value: texts } },
              { input: 'depth', list: { value: depths } },
            ],
            itemOutputs: said,
            outputs: { properties: { said: { type: 'array' } }, required: ['said'] },
            minSuccesses: 5,
            itemTimeoutSeconds: 60,
          },
        },
      ),
    ],
    { outputs: { said: { step: 'm', output: 'said' } } },
  );

  it.each([
    ['by the controller', 'mapped', {}],
    ['by a driver', 'mapped-driven', { driver: true }],
  ])('items of a map as one Job find their values in files: %s', async (_, name, options) => {
    const template = { spec: program('driver', ['driver']) };
    await bench.launch(mapped, name, { ...options, ...('driver' in options && { spec: { template } }) });
    await bench.finished(name, 90_000);
    const { run: state, steps } = await bench.record(name);
    const all = texts.flatMap((text) => depths.map((depth) => ({ text: Buffer.from(text).toString('base64'), depth })));
    expect(state.outputs).toEqual({
      said: all.map((item, index) => (index === 4 ? null : { step: `m-${index}`, ...item })),
    });
    expect(steps.get('m')).toMatchObject({ message: '1 of 6 items failed: m-4 (exit code 1)' });
  });

  it('a driver in the pod of its run needs no controller', async () => {
    const template = { spec: program('driver', ['driver']) };
    await bench.apply(...passing.manifests, run(passing, 'driven', { driver: true, spec: { template } }));
    const job = await bench.finished('driven', 60_000);
    expect(job.status?.conditions?.at(-1)).toMatchObject({ type: 'Complete' });
    expect((await bench.record('driven')).run.outputs).toEqual({ total: 40 });
  });
});

/** The spec of a step with a limit on its memory. */
function limited(step: TestStep, memory: string): JsonObject {
  const [container] = step.spec!.containers as readonly JsonObject[];
  const command = ['sh', '-ec', 'x=x; while true; do x=$x$x; done'];
  return { ...step.spec, containers: [{ ...container, command, resources: { limits: { memory } } }] };
}
