import type { IndexedItems } from '../../engine/advance.ts';
import type { IndexedMapStep } from '../../graph/graph.ts';
import { finalExitCodes } from '../../graph/indexed-map-rules.ts';
import { attemptNameOf } from '../../graph/object-names.ts';
import type { NewObject } from '../../kube/objects.ts';
import { indexedTemplate, itemVariableProblems } from '../../pods/indexed-template.ts';
import { MAIN_CONTAINER } from '../../pods/template.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { InvalidError } from '../../values/problems.ts';
import { attemptLabels, completeTemplate, ownerReference, type AttemptPlan } from './attempt-object.ts';

/** What the Job of an attempt at an indexed map is made of. */
export interface IndexedJobPlan extends AttemptPlan {
  readonly step: IndexedMapStep;
  readonly items: IndexedItems;
  /** Names of the ConfigMaps with the values of the items. */
  readonly configMaps: readonly string[];
}

/**
 * The Job of an attempt at an indexed map: an index for each item, tried again by itself.
 *
 * @throws InvalidError when a pod of it would read a variable that differs by item
 */
export function indexedJob(plan: IndexedJobPlan): NewObject {
  const { run, mode, step, attempt, items, configMaps, job } = plan;
  const inputs = Object.keys(items.lists);
  const problems = [...itemVariableProblems(plan.template, inputs)];
  if (problems.length > 0) throw new InvalidError(`The pods of step ${step.name}`, problems);
  const { itemRetries, itemTimeoutSeconds: timeoutSeconds } = step;
  const files = { step: step.name, inputs, configMaps, timeoutSeconds };
  const template = completeTemplate({ ...plan, template: indexedTemplate(plan.template, files) });
  const { metadata, spec } = job ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: attemptNameOf(run.metadata, step, attempt),
      namespace: run.metadata.namespace,
      labels: { ...template.metadata?.labels, ...metadata?.labels, ...attemptLabels(plan) },
      annotations: metadata?.annotations,
      ownerReferences: [ownerReference(run, mode)],
    },
    spec: {
      ...spec,
      completionMode: 'Indexed',
      completions: items.count,
      parallelism: Math.min(items.concurrency, items.count),
      backoffLimitPerIndex: itemRetries?.limit ?? 0,
      maxFailedIndexes: items.count - items.required,
      podFailurePolicy: { rules: [...rulesOf(spec), ...ourRules(step)] },
      template,
    },
  };
}

/** The rules of whoever says something of the Job come first: of several that fit a pod, the first holds. */
function rulesOf(spec: JsonObject | undefined): readonly Json[] {
  const policy = spec?.podFailurePolicy;
  const rules = isJsonObject(policy) ? policy.rules : undefined;
  return Array.isArray(rules) ? (rules as readonly Json[]) : [];
}

/** A pod that the platform takes away is no try of its item; some exit codes are the last. */
function ourRules(step: IndexedMapStep): readonly Json[] {
  const { in: last, notIn: again } = finalExitCodes(step);
  const final = (operator: string, values: readonly number[]): Json => ({
    action: 'FailIndex',
    onExitCodes: { containerName: MAIN_CONTAINER, operator, values: values.toSorted((a, b) => a - b) },
  });
  return [
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ...(last ? [final('In', last)] : []),
    ...(again ? [final('NotIn', again)] : []),
  ];
}
