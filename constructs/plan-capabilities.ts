import type { Construct } from 'constructs';
import type { ClusterCapabilities } from '../lib/graph/capabilities.ts';
import { declaredMismatches } from '../lib/pods/declared-nodes.ts';
import { formatAmount, podAmounts, type PodAmounts } from '../lib/pods/pod-amounts.ts';
import type { PodTemplate } from '../lib/pods/template.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { parseQuantity } from '../lib/values/quantity.ts';
import { clusterOf, namespaceOf } from './cluster.ts';
import { launchedPods, runOverrideIn } from './launched-pods.ts';
import { policyLayer } from './layers.ts';
import type { AnyWorkflow } from './workflow.ts';

/** `spec.jobTemplate` of a plan, as far as it is looked at. */
interface PlannedJob {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly template?: PodTemplate };
}

/** What a plan asks for that its cluster does not have, as far as the cluster says what it has. */
export function* capabilityProblems(
  plan: Construct & { readonly namespace: string | undefined },
  job: () => PlannedJob,
  workflow: AnyWorkflow | undefined,
): Generator<Problem> {
  const { name = '', capabilities } = clusterOf(plan) ?? {};
  if (capabilities === undefined) return;
  const namespace = plan.namespace ?? namespaceOf(plan) ?? '';
  const { namespaces } = capabilities;
  if (namespaces !== undefined && !namespaces.includes(namespace))
    yield {
      path: 'namespace',
      message: `${show(namespace)} is none that the cluster ${show(name)} takes plans in`,
      fix: `it takes ${namespaces.join(', ') || 'none'}`,
    };
  // A step that makes no pod, and so no graph, is told by its workflow.
  if (workflow?.steps.some((step) => step.nodeProblems.length > 0)) return;
  for (const { step, template } of workflow === undefined ? taskPod(job()) : stepPods(plan, job(), workflow))
    for (const problem of podProblems(template, capabilities, { name, namespace }))
      yield { ...problem, path: `${step}${problem.path}` };
}

function taskPod({ spec }: PlannedJob) {
  return spec?.template === undefined ? [] : [{ step: '', template: spec.template }];
}

/** The pods of the steps as the plan changes them. */
function stepPods(plan: Construct, { metadata }: PlannedJob, workflow: AnyWorkflow) {
  const run = runOverrideIn(metadata?.annotations ?? {}, policyLayer(plan));
  return workflow.podSteps.flatMap((step) =>
    launchedPods(step, run).map(({ name, pod }) => ({ step: `step ${name}: `, template: pod.template })),
  );
}

function* podProblems(
  { spec }: PodTemplate,
  { nodes, quotas = {} }: ClusterCapabilities,
  cluster: { readonly name: string; readonly namespace: string },
): Generator<Problem> {
  if (spec === undefined) return;
  const kinds = (nodes ?? []).map((kind, index) => ({
    name: `nodes[${index}]`,
    lacks: declaredMismatches(spec, kind),
  }));
  const least = Math.min(...kinds.map(({ lacks }) => lacks.length));
  if (kinds.length > 0 && least > 0)
    yield {
      path: 'spec',
      message: `no node that the cluster ${show(cluster.name)} declares can hold the pod: ${kinds
        .filter(({ lacks }) => lacks.length === least)
        .map(({ name, lacks }) => `${name} ${lacks.map(({ field, text }) => `${text} (spec.${field})`).join(' and ')}`)
        .join('; ')}`,
      fix: 'place the plan elsewhere, or correct what it asks or what the cluster declares',
    };
  const amounts = podAmounts(spec);
  for (const [resource, hard] of Object.entries(quotas[cluster.namespace] ?? {})) {
    const [asked, of] = askedOf(resource, amounts);
    if (asked > (parseQuantity(hard) ?? 0n))
      yield {
        path: 'spec.containers.resources',
        message: `${formatAmount(of, asked)} is more ${resource} than the cluster ${show(cluster.name)} has for the namespace ${show(cluster.namespace)}: ${hard}`,
        fix: 'ask for less, or raise the quota',
      };
  }
}

/** What a pod counts against a resource of a quota. (kubernetes.io/docs/concepts/policy/resource-quotas) */
function askedOf(resource: string, { requests, limits }: PodAmounts): readonly [bigint, string] {
  if (resource === 'pods') return [1_000_000_000n, resource];
  const [, kind = 'requests', name = ''] = /^(?:(requests|limits)\.)?(.*)$/.exec(resource) ?? [];
  return [(kind === 'limits' ? limits : requests).get(name) ?? 0n, name];
}
