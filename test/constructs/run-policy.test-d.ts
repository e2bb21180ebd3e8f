import { type Chart, Duration } from 'cdk8s';
import type { ISubject } from 'cdk8s-plus-28';
import { Fleet, LaunchPlan, LaunchPlanGroup, PlanNamespace, Run, type Task, Workflow } from 'cdk8s-workflows';
import type { NoValues, z } from 'cdk8s-workflows';
import { expectTypeOf, it } from 'vitest';

it('how runs go is said in the terms that there are', (chart: never) => {
  const scope = chart as Chart;
  const workflow = undefined as unknown as Workflow;
  const task = undefined as unknown as Task<NoValues, NoValues>;

  new LaunchPlan(scope, 'a', { workflow, failurePolicy: 'CancelRunning', retries: 2, spot: true });
  new LaunchPlan(scope, 'a', { task, retries: { limit: 1, delays: [Duration.seconds(1)] }, artifactRoot: 's3://a' });
  new Run(scope, 'a', { workflow, spot: { selector: { pool: 'spot' }, toleration: { operator: 'Exists' } } });
  new Fleet({ clusters: [], runDefaults: { failurePolicy: 'RunIndependent', spot: false, retries: 1 } }, () => {});
  new Workflow(scope, 'a', { failurePolicy: 'RunIndependent', runDefaults: { retries: 1, artifactRoot: 's3://a' } });

  // @ts-expect-error -- no such policy
  new LaunchPlan(scope, 'a', { workflow, failurePolicy: 'Stop' });
  // @ts-expect-error -- no number
  new LaunchPlan(scope, 'a', { workflow, retries: '2' });
  // @ts-expect-error -- a list of waits and a growing one
  new LaunchPlan(scope, 'a', { workflow, retries: { limit: 1, delays: [], delay: Duration.seconds(1) } });
  // @ts-expect-error -- what a step asks for after it was killed is for the step to say
  new LaunchPlan(scope, 'a', { workflow, retries: { limit: 1, resourcesAfterOOM: () => ({}) } });
  // @ts-expect-error -- no way to know spot nodes
  new LaunchPlan(scope, 'a', { workflow, spot: { labels: { pool: 'spot' } } });
  // @ts-expect-error -- a workflow says its failure policy itself
  new Workflow(scope, 'a', { runDefaults: { failurePolicy: 'CancelRunning' } });
});

it('a namespace is a name, and has amounts', (chart: never) => {
  const scope = chart as Chart;
  const workflow = undefined as unknown as Workflow<{ site: z.ZodString }>;
  const team = new PlanNamespace(scope, 'team-a', {
    quota: { pods: 5, 'requests.cpu': '2' },
    limitRange: [{ type: 'Container', default: { cpu: 1 }, defaultRequest: { cpu: '100m' } }],
  });
  new LaunchPlan(team, 'a', { workflow, inputs: { site: 'a' }, namespace: team.name });
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'] }, overrides: { a: { namespace: 'a' } } });

  // @ts-expect-error -- the construct is no name
  new LaunchPlan(scope, 'a', { workflow, inputs: { site: 'a' }, namespace: team });
  // @ts-expect-error -- no such type of limits
  new PlanNamespace(scope, 'a', { limitRange: [{ type: 'Node' }] });
  // @ts-expect-error -- no field of limits
  new PlanNamespace(scope, 'a', { limitRange: [{ type: 'Pod', maximum: { cpu: 1 } }] });
  // @ts-expect-error -- amounts are text or numbers
  new PlanNamespace(scope, 'a', { quota: { pods: true } });
});

it('grants take what a role can be bound to, and give the plan back', (plan: never) => {
  const granted = plan as LaunchPlan<NoValues>;
  const subject = undefined as unknown as ISubject;
  expectTypeOf(granted.grantView(subject).grantLaunch(subject, subject)).toEqualTypeOf<LaunchPlan<NoValues>>();
  const group = plan as LaunchPlanGroup<NoValues>;
  expectTypeOf(group.grantOperate(subject)).toEqualTypeOf<LaunchPlanGroup<NoValues>>();

  // @ts-expect-error -- a name does not say whether it is a user, a group or an account
  granted.grantView('ann');
});
