import { Chart } from 'cdk8s';
import { Group, ServiceAccount, User } from 'cdk8s-plus-28';
import { ContainerTask, Fleet, LaunchPlan, LaunchPlanGroup, Workflow, z } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { find, synth, type Manifest } from './support.ts';

function workflow(scope: Construct) {
  const task = new ContainerTask(scope, 'load', { image: 'etl:1', command: ['etl'] });
  return new Workflow(scope, 'etl', { inputs: { site: z.string() } }, ({ step }) => void step('load', task, {}));
}

const rolesOf = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.name);
const rule = (role: Manifest, resource: string, verb: string) =>
  (role.rules as { resources: string[]; verbs: string[]; resourceNames?: string[] }[]).filter(
    ({ resources, verbs }) => resources.includes(resource) && verbs.includes(verb),
  );

describe('a grant', () => {
  it('is a Role that names the plan, bound to all who were granted it, however often', () => {
    const manifests = synth((chart) => {
      const plan = new LaunchPlan(chart, 'etl-a', { workflow: workflow(chart), inputs: { site: 'a' } });
      const account = new ServiceAccount(chart, 'bot', { metadata: { name: 'bot' } });
      plan.grantLaunch(account, User.fromName(chart, 'ann', 'ann@acme.example'));
      plan.grantLaunch(Group.fromName(chart, 'data', 'data-team'), account).grantView(account);
    });
    expect(rolesOf(manifests)).toEqual(['plan-etl-a-launch', 'plan-etl-a-view']);
    const launch = find(manifests, 'Role', /launch/);
    expect(rule(launch, 'cronjobs', 'get')).toMatchObject([{ resourceNames: ['etl-a'] }]);
    expect(rule(launch, 'cronjobs', 'list')).toEqual([]);
    expect(rule(launch, 'jobs', 'create')).toHaveLength(1);
    expect(rule(launch, 'jobs', 'patch')).toEqual([]);
    expect(find(manifests, 'RoleBinding', /launch/)).toMatchObject({
      metadata: { name: 'plan-etl-a-launch' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'plan-etl-a-launch' },
      subjects: [
        // Without its namespace the API server refuses the binding.
        { kind: 'ServiceAccount', name: 'bot', namespace: 'default' },
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann@acme.example' },
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'data-team' },
      ],
    });
    expect(find(manifests, 'RoleBinding', /launch/).subjects).toHaveLength(3);
  });

  it('for a group is one rule with the names of all of its plans', () => {
    const manifests = synth((chart) => {
      const over = { site: ['b', 'a', 'c'] };
      const group = new LaunchPlanGroup(chart, 'sites', { workflow: workflow(chart), over });
      group.grantOperate(User.fromName(chart, 'ann', 'ann'));
    });
    const role = find(manifests, 'Role');
    expect(role.metadata.name).toBe('group-sites-operate');
    expect(rule(role, 'cronjobs', 'patch')).toEqual([
      {
        apiGroups: ['batch'],
        resources: ['cronjobs'],
        resourceNames: ['etl-a', 'etl-b', 'etl-c'],
        verbs: ['patch', 'launch'],
      },
    ]);
  });

  it('of the trigger allows to launch by it, and nothing of Kubernetes itself', () => {
    const manifests = synth((chart) => {
      const plan = new LaunchPlan(chart, 'etl-a', { workflow: workflow(chart), inputs: { site: 'a' } });
      plan.grantTrigger(User.fromName(chart, 'ann', 'ann'));
    });
    expect(find(manifests, 'Role').rules).toEqual([
      { apiGroups: ['batch'], resources: ['cronjobs'], resourceNames: ['etl-a'], verbs: ['launch'] },
    ]);
  });

  it('changes nothing that it does not say', () => {
    const manifests = synth((chart) => {
      const plan = new LaunchPlan(chart, 'etl-a', { workflow: workflow(chart), inputs: { site: 'a' } });
      plan.grantView(User.fromName(chart, 'ann', 'ann')).grantOperate();
    });
    expect(rolesOf(manifests)).toEqual(['plan-etl-a-view']);
    const verbs = find(manifests, 'Role').rules.flatMap((each: { verbs: string[] }) => each.verbs);
    expect([...new Set(verbs)].sort()).toEqual(['get', 'list', 'watch']);
  });

  it('is where the plan is, also as a backup, and with the namespace of that cluster', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'grants-'));
    onTestFinished(() => rmSync(outdir, { recursive: true }));
    const clusters = [{ name: 'eu', namespace: 'etl' }, { name: 'us' }, { name: 'test' }];
    new Fleet({ clusters, outdir }, (app) => {
      const chart = new Chart(app, 'app');
      const account = new ServiceAccount(chart, 'bot');
      const settings = { cluster: 'eu', backups: ['us'], inputs: { site: 'a' } };
      new LaunchPlan(chart, 'etl-a', { workflow: workflow(chart), ...settings }).grantLaunch(account);
    }).synth();
    const on = (cluster: string) =>
      parseAllDocuments(readFileSync(join(outdir, cluster, 'app.k8s.yaml'), 'utf8')).map(
        (document) => document.toJS() as Manifest,
      );
    expect(['eu', 'us', 'test'].map((cluster) => rolesOf(on(cluster)).length)).toEqual([1, 1, 0]);
    expect(find(on('eu'), 'RoleBinding').subjects).toMatchObject([{ namespace: 'etl' }]);
  });
});
