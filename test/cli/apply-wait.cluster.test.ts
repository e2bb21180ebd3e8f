import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { cliFor } from './cluster-cli.ts';

let cluster: ControlPlane;
let directory: string;

beforeAll(async () => {
  cluster = await startControlPlane({
    name: 'apply-wait',
    nodes: { behaviour: () => ({ stuck: 'Running' }) },
  });
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-wait-'));
});

afterAll(async () => {
  await cluster?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const deployment = (name: string, spec: object = {}, pod: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'x' }], ...pod },
    },
    ...spec,
  },
});
/** No node has the label. */
const nowhere = { nodeSelector: { pool: 'none' } };

describe('apply --wait', () => {
  beforeEach(async () => {
    await mkdir(join(directory, 'dist'), { recursive: true });
  });

  const apply = async (objects: readonly object[], ...args: string[]) => {
    await writeFile(
      join(directory, 'dist/a.k8s.yaml'),
      objects.map((object) => JSON.stringify(object)).join('\n---\n'),
    );
    return cliFor(cluster.kubeconfigPath, 'default')(['apply', 'dist', '--yes', ...args], { cwd: directory });
  };

  it('ends when what was written is available', async () => {
    const { code, stdout } = await apply([deployment('web', { replicas: 2 })], '--wait');
    expect([code, stdout]).toEqual([0, expect.stringContaining('✓ test: 1 created\n')]);
    const status = await cluster.kubectl(['rollout', 'status', 'deployment/web', '--watch=false']);
    expect(status.stdout).toContain('successfully rolled out');
  });

  it('says what is not, and why, when the time is over or the Deployment gave up', async () => {
    const late = deployment('late', {}, nowhere);
    const objects = [
      deployment('web', { replicas: 2 }),
      late,
      deployment('stuck', { progressDeadlineSeconds: 1 }, nowhere),
    ];
    const { code, stdout } = await apply(objects, '--wait', '--timeout', '6s');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'error: test: Deployment default/late (dist/a.k8s.yaml): is not ready within 6 s: 0 of 1 updated pods are available; ' +
        'kubectl --context test -n default describe deployment late\n' +
        'error: test: Deployment default/stuck (dist/a.k8s.yaml): is not ready: 0 of 1 updated pods are available; ' +
        'kubectl --context test -n default describe deployment stuck\n',
    );
    expect(stdout).toContain('✗ test: 2 created, 1 unchanged; 2 not ready\n');
    // What was not ready is waited for again though nothing is to be written.
    const again = await apply([late], '--wait', '--timeout', '1s', '-o', 'json');
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      clusters: [
        { objects: [{ name: 'late', outcome: 'unchanged', notReady: { message: expect.any(String) as string } }] },
      ],
    });
  });

  it('takes no --timeout without it, and is no dry run', async () => {
    expect(await apply([], '--timeout', '1s')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--wait') as string,
    });
    expect(await apply([], '--wait', '--dry-run')).toMatchObject({ code: 2 });
  });
});
