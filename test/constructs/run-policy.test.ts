import { Chart, Duration } from 'cdk8s';
import { ContainerTask, LaunchPlan, LaunchPlanGroup, Run, Workflow, z } from 'cdk8s-workflows';
import type { WorkflowProps } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { find, fleetOf, synth, synthProblems, type Manifest } from './support.ts';

const KEY = 'cdk8s-workflows.dev';
const inputs = { site: z.string().default('a') };

const taskOf = (chart: Chart, props: object = {}) =>
  new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], ...props });

const workflowOf = (chart: Chart, props: WorkflowProps<typeof inputs> = {}, task = taskOf(chart)) =>
  new Workflow(chart, 'etl', { inputs, ...props }, ({ step }) => void step('load', task, {}));

/** What the annotations of a run say of how it goes. */
function policyOf(notes: Record<string, string>): Record<string, string | undefined> {
  const keys = ['failure-policy', 'retries', 'spot', 'artifact-root'];
  return Object.fromEntries(keys.filter((key) => `${KEY}/${key}` in notes).map((key) => [key, notes[`${KEY}/${key}`]]));
}
const jobOf = (manifests: readonly Manifest[], name?: RegExp) => find(manifests, 'CronJob', name).spec.jobTemplate;
const originsOf = ({ metadata }: Manifest) =>
  JSON.parse(metadata.annotations?.[`${KEY}/setting-origins`] ?? '{}') as Record<string, string>;

describe('how runs go', () => {
  it('is said by the fleet, the workflow, the group and the plan, each over those before it', () => {
    const fleet = { retries: 1, spot: true, artifactRoot: 's3://acme', failurePolicy: 'CancelRunning' } as const;
    const manifests = fleetOf(fleet, (chart) => {
      const workflow = workflowOf(chart, { runDefaults: { artifactRoot: 's3://acme-etl' } });
      new LaunchPlanGroup(chart, 'sites', {
        workflow,
        over: { site: ['a', 'b'] },
        retries: { limit: 3, delay: Duration.seconds(10) },
        overrides: { b: { spot: false, failurePolicy: 'RunIndependent' } },
      });
    });
    expect(policyOf(jobOf(manifests, /-a$/).metadata.annotations)).toEqual({
      'failure-policy': 'CancelRunning',
      retries: '{"delaySeconds":10,"limit":3}',
      spot: 'true',
      'artifact-root': 's3://acme-etl',
    });
    expect(policyOf(jobOf(manifests, /-b$/).metadata.annotations)).toMatchObject({
      'failure-policy': 'RunIndependent',
      spot: 'false',
    });
    expect(originsOf(find(manifests, 'CronJob', /-b$/))).toMatchObject({ retries: 'group', artifactRoot: 'workflow' });
    expect(originsOf(find(manifests, 'CronJob', /-a$/))).toMatchObject({ failurePolicy: 'fleet', spot: 'fleet' });
  });

  it('is as the workflow says where its author chose a failure policy, whatever the fleet says', () => {
    const manifests = fleetOf({ failurePolicy: 'CancelRunning' }, (chart) => {
      const workflow = workflowOf(chart, { failurePolicy: 'FinishRunning' });
      new LaunchPlan(chart, 'a', { workflow });
      new LaunchPlan(chart, 'b', { workflow, failurePolicy: 'RunIndependent' });
      new Run(chart, 'c', { workflow, retries: 2, name: 'c' });
    });
    expect(policyOf(jobOf(manifests, /^a$/).metadata.annotations)).toEqual({});
    expect(policyOf(jobOf(manifests, /^b$/).metadata.annotations)).toEqual({ 'failure-policy': 'RunIndependent' });
    expect(policyOf(find(manifests, 'Job').metadata.annotations!)).toEqual({ retries: '{"limit":2}' });
  });

  it('leaves a mark on steps whose authors keep them off spot nodes', () => {
    const marks = [undefined, true, false, null].map((spot) => {
      const manifests = synth((chart) => workflowOf(chart, {}, taskOf(chart, { spot })));
      const graph = JSON.parse(find(manifests, 'ConfigMap').data['graph.json']) as { steps: { runSpot?: boolean }[] };
      return graph.steps[0]?.runSpot;
    });
    expect(marks).toEqual([undefined, undefined, false, false]);
  });

  it.each([
    ['what the plan says', {}, { retries: 4, spot: { selector: { pool: 'spot' } } }, 4, { pool: 'spot' }],
    ['what the task says', { retries: 0, spot: false }, { retries: 4, spot: true }, 0, undefined],
    ['off spot nodes', { spot: { selector: { pool: 'spot' } } }, { spot: false }, 0, undefined],
  ] as const)('of a single task is %s', (_, task, plan, backoffLimit, nodeSelector) => {
    const { spec } = jobOf(synth((chart) => void new LaunchPlan(chart, 'a', { task: taskOf(chart, task), ...plan })));
    expect(spec.backoffLimit).toBe(backoffLimit);
    expect(spec.template.spec.nodeSelector).toEqual(nodeSelector);
    expect(spec.template.spec.affinity).toBeUndefined();
  });

  it('gives a single task a URI that the kubelet puts together', () => {
    const manifests = synth(
      (chart) => void new LaunchPlan(chart, 'a', { task: taskOf(chart), artifactRoot: 's3://acme/$(x)/' }),
    );
    const [{ env }] = jobOf(manifests).spec.template.spec.containers;
    expect(env.slice(-2)).toEqual([
      { name: 'WORKFLOW_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
      { name: 'WORKFLOW_ARTIFACTS', value: 's3://acme/$$(x)/$(WORKFLOW_NAMESPACE)/$(WORKFLOW_RUN)/load' },
    ]);
  });

  it('is refused with all that makes no sense', () => {
    expect(
      synthProblems((scope) => {
        const chart = scope as Chart;
        const wrong = { retries: -1, artifactRoot: 'bucket', failurePolicy: 'Stop' as never };
        const workflow = workflowOf(chart);
        new LaunchPlan(chart, 'a', { workflow, ...wrong });
        new LaunchPlan(chart, 'b', { task: taskOf(new Chart(chart, 'other')), failurePolicy: 'CancelRunning' });
        new Run(chart, 'c', { workflow, retries: { limit: 1, delays: [] }, name: 'c' });
      }),
    ).toEqual([
      '[a] failurePolicy: is "Stop"; known are CancelRunning, FinishRunning, RunIndependent',
      '[a] retries.limit: must be a whole number from 0, not -1',
      '[a] artifactRoot: must be a URI without query and fragment, not "bucket"; write it as s3://bucket/path',
      '[b] failurePolicy: says nothing of one task, which no controller sequences; leave it out',
      '[c] retries.delaysSeconds: is empty; leave it out for no wait',
    ]);
  });
});
