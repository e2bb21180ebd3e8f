import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxImage } from '../cluster/images.ts';
import { canStartNode, startNode, type NodeCluster } from '../cluster/node.ts';
import { Bench, workflow, type TestStep } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

const image = 'busybox:1.36';

/** A step that runs a script in a real container. */
function step(name: string, script: string, rest: Partial<TestStep> = {}): TestStep {
  const command = ['sh', '-c', script];
  return { name, spec: { containers: [{ name: 'main', image, imagePullPolicy: 'Never', command }] }, ...rest };
}

const countTo = (last: number): string => `for i in $(seq ${last}); do echo line $i; sleep 0.2; done`;

describe.skipIf(!canStartNode)('logs of real containers', () => {
  let cluster: NodeCluster;
  let bench: Bench;
  let cli: ReturnType<typeof cliFor>;

  beforeAll(async () => {
    cluster = await startNode({ name: 'logs' });
    await cluster.importImage(await busyboxImage(image));
    bench = await Bench.create(cluster.kubeconfigPath, 'logs');
    cli = cliFor(cluster.kubeconfigPath, bench.namespace);
    await bench.controller();
  });

  afterAll(async () => {
    await bench?.close();
    await cluster?.stop();
  });

  it('are followed from step to step, with every attempt, until the run is over', async () => {
    const flaky = 'echo try $WORKFLOW_ATTEMPT; printf "no line end"; [ $WORKFLOW_ATTEMPT = 2 ]';
    const steps = [
      step('first', countTo(5)),
      step('second', flaky, { after: ['first'], retries: { limit: 1 } }),
      step('wide', 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo end', { after: ['second'] }),
    ];
    await bench.launch(workflow('follow', steps), 'follow');
    const { code, stdout } = await cli(['logs', 'follow', '-f']);
    expect(code).toBe(0);
    expect(stdout.replace(/x{1000,}/, ({ length }) => `${length} x`).split('\n')).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => `[first] line ${n}`),
      '[second] try 1',
      '[second] no line end',
      '[second #2] try 2',
      '[second #2] no line end',
      '[wide] 40000 x',
      '[wide] end',
      '',
    ]);
    expect((await cli(['logs', 'follow', 'second', '--attempt', '1'])).stdout).toBe('try 1\nno line end\n');
    expect((await cli(['logs', 'follow', 'first', '--tail', '2', '--timestamps'])).stdout).toMatch(
      /^\d{4}-\S+Z line 4\n\d{4}-\S+Z line 5\n$/,
    );
  });

  it('go on after the API server was restarted, without a line twice or missing', async () => {
    await bench.launch(workflow('restart', [step('count', countTo(60))]), 'restart');
    const following = cli(['logs', 'restart', '-f']);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await cluster.restartApiServer('SIGKILL');
    const { stdout, code } = await following;
    expect(stdout.trimEnd().split('\n')).toEqual(Array.from({ length: 60 }, (_, n) => `[count] line ${n + 1}`));
    expect(code).toBe(0);
  });

  it('of two steps at once come in whole lines, each with its step', async () => {
    const chatty = 'for i in $(seq 300); do printf "a%s-" $i; echo b$i; done';
    await bench.launch(workflow('chatty', [step('one', chatty), step('two', chatty)]), 'chatty');
    const { stdout } = await cli(['logs', 'chatty', '-f']);
    for (const name of ['one', 'two']) {
      const own = stdout.split('\n').filter((line) => line.startsWith(`[${name}] `));
      expect(own).toEqual(Array.from({ length: 300 }, (_, n) => `[${name}] a${n + 1}-b${n + 1}`));
    }
  });
});
