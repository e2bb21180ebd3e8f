import type { App } from 'cdk8s';
import { Chart, Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { Fleet, RemoteRunsAccount, WorkflowController, type WorkflowControllerProps } from 'cdk8s-workflows';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { synth, synthProblems } from './support.ts';

interface Synthesized {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly { readonly resources: readonly string[] }[];
  readonly spec?: { readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } } };
}

/** The controller of each cluster of a fleet of two. */
function inFleet(props: WorkflowControllerProps): Record<string, readonly Synthesized[]> {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk8s-workflows-failover-'));
  const define = (app: App) => void new WorkflowController(new Chart(app, 'c'), 'controller', props);
  try {
    new Fleet({ clusters: [{ name: 'eu' }, { name: 'us' }], outdir }, define).synth();
    const read = (name: string) =>
      parseAllDocuments(readFileSync(join(outdir, name, 'c.k8s.yaml'), 'utf8')).map(
        (each) => each.toJS() as Synthesized,
      );
    return { eu: read('eu'), us: read('us') };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

const argsOf = (objects: readonly Synthesized[]) =>
  objects.find(({ kind }) => kind === 'Deployment')!.spec!.template.spec.containers[0]!.args;
const roles = (objects: readonly Synthesized[]) =>
  objects.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.name);
const remoteClusters = [
  { name: 'eu', secret: 'eu' },
  { name: 'us', secret: 'us' },
];

describe('failover by the controller', () => {
  it('is of the clusters that are named, on all others, with what it needs and no more', () => {
    const { eu, us } = inFleet({ remoteClusters, failover: { after: Duration.minutes(10), from: ['eu'] } });
    const told = ['--cluster-name=us', '--failover-after=600s', '--failover-from=eu'];
    expect(argsOf(us!)).toEqual(expect.arrayContaining(told));
    expect(argsOf(eu!).filter((arg) => arg.includes('failover'))).toEqual([]);
    expect(roles(us!)).toContain('cdk8s-workflows-controller-failover');
    expect(roles(eu!)).not.toContain('cdk8s-workflows-controller-failover');
  });

  it('is off when nothing is said', () => {
    const { us } = inFleet({ remoteClusters });
    expect(argsOf(us!).join(' ')).not.toContain('failover');
    expect(roles(us!)).not.toContain('cdk8s-workflows-controller-failover');
  });

  it('needs access to the cluster, a fleet, and a time', () => {
    const after = Duration.minutes(10);
    expect(() => inFleet({ failover: { after, from: ['eu'] } })).toThrow(
      'failover.from[0]: there is no access to the cluster "eu"; give it in remoteClusters',
    );
    expect(() => inFleet({ remoteClusters, failover: { after: Duration.seconds(0), from: ['eu'] } })).toThrow(
      'failover.after',
    );
    const alone = (chart: Construct) =>
      void new WorkflowController(chart, 'controller', { remoteClusters, failover: { after, from: ['eu'] } });
    expect(synthProblems(alone)).toContain(
      '[controller] failover: is set, but the app belongs to no fleet; synthesize it from a Fleet',
    );
  });

  it('may suspend plans on the other cluster only where that is allowed', () => {
    const rulesOf = (failover: boolean) =>
      (synth((chart) => void new RemoteRunsAccount(chart, 'account', { failover })) as unknown as Synthesized[])
        .filter(({ kind }) => kind === 'Role')
        .flatMap(({ rules }) => rules ?? []);
    expect(rulesOf(true)).toContainEqual({ apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get', 'patch'] });
    expect(rulesOf(false)).not.toContainEqual({
      apiGroups: ['batch'],
      resources: ['cronjobs'],
      verbs: ['get', 'patch'],
    });
  });
});
