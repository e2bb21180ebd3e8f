import { annotations, labels, MANAGED_BY } from '../../graph/labels.ts';
import { attemptObjectName } from '../../graph/object-names.ts';
import type { ContainerStep, IndexedMapStep } from '../../graph/graph.ts';
import type { NewObject, OwnerReference } from '../../kube/objects.ts';
import { attemptTemplate } from '../../pods/attempt.ts';
import type { StepJob } from '../../pods/job-template.ts';
import type { PodTemplate } from '../../pods/template.ts';
import { artifactsUri } from '../../values/environment.ts';
import type { JsonObject } from '../../values/json.ts';
import type { Job } from '../objects.ts';
import type { Mode } from '../run-job.ts';

/** What an attempt is made of. */
export interface AttemptPlan {
  readonly run: Job;
  readonly mode: Mode;
  readonly step: ContainerStep | IndexedMapStep;
  /** Counts from 1. */
  readonly attempt: number;
  readonly inputs: JsonObject;
  /** With all layers merged. */
  readonly template: PodTemplate;
  /** With `runAs: 'Job'`: what the step says of it. */
  readonly job?: StepJob;
}

/** The Pod of an attempt. */
export function attemptPod(plan: AttemptPlan): NewObject {
  const { metadata, spec } = completeTemplate(plan);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: attemptObjectName(plan.run.metadata.name, plan.step.name, plan.attempt),
      namespace: plan.run.metadata.namespace,
      labels: metadata?.labels,
      annotations: metadata?.annotations,
      ownerReferences: [ownerReference(plan.run, plan.mode)],
    },
    spec,
  };
}

/** The Job of an attempt with `runAs: 'Job'`: one pod and no retries of its own, for those are the engine's. */
export function attemptJob(plan: AttemptPlan): NewObject {
  const template = completeTemplate(plan);
  const { metadata, spec } = plan.job ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: attemptObjectName(plan.run.metadata.name, plan.step.name, plan.attempt),
      namespace: plan.run.metadata.namespace,
      labels: { ...template.metadata?.labels, ...metadata?.labels, ...attemptLabels(plan) },
      annotations: metadata?.annotations,
      ownerReferences: [ownerReference(plan.run, plan.mode)],
    },
    spec: { completions: 1, parallelism: 1, ...spec, backoffLimit: 0, template },
  };
}

/**
 * Who owns an attempt. `controller` only where no other controller looks at the run's Job: the built-in one lets go of
 * pods that it controls and that do not match its selector. (pkg/controller/controller_ref_manager.go: ClaimPods)
 */
export function ownerReference(run: Job, mode: Mode): OwnerReference {
  const { name, uid = '' } = run.metadata;
  return { apiVersion: run.apiVersion, kind: run.kind, name, uid, ...(mode === 'managed' && { controller: true }) };
}

/** The labels of everything that is made for a run: those by which people select, taken from its Job. */
export function runLabels(run: Job): Record<string, string> {
  const inherited = [labels.workflow, labels.version, labels.plan, labels.group].flatMap((key) => {
    const value = run.metadata.labels?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...Object.fromEntries(inherited), [labels.managedBy]: MANAGED_BY, [labels.run]: run.metadata.name };
}

/** The labels of an attempt, and of all that is made for it. */
export function attemptLabels({
  run,
  step,
  attempt,
}: Pick<AttemptPlan, 'run' | 'step' | 'attempt'>): Record<string, string> {
  return {
    ...runLabels(run),
    [labels.task]: step.task,
    [labels.step]: step.name,
    [labels.attempt]: String(attempt),
  };
}

/** The pod of an attempt. */
export function completeTemplate(plan: AttemptPlan): PodTemplate {
  const { run, step, attempt, inputs, template } = plan;
  const { name, namespace = '', annotations: given } = run.metadata;
  const root = given?.[annotations.artifactRoot];
  const artifacts = root && artifactsUri(root, namespace, name, step.name, String(attempt));
  const complete = attemptTemplate(template, { run: name, step: step.name, attempt, artifacts }, inputs);
  return {
    metadata: { ...complete.metadata, labels: { ...complete.metadata?.labels, ...attemptLabels(plan) } },
    // A step's retries are the engine's: a container that restarts by itself would hide its failures.
    spec: { ...complete.spec!, restartPolicy: 'Never' },
  };
}
