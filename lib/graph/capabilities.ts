import { labelsProblems, type Labels } from '../values/label-selector.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import { nearQuantity, quantityProblem } from '../values/quantity.ts';

/** An amount, as Kubernetes writes it: `500m`, `64Gi`, 8. */
export type Amount = string | number;

/** What a cluster holds, as far as somebody wrote it down. What is left out is not known, and nothing is checked against it. */
export interface ClusterCapabilities {
  /** The kinds of nodes that it has; a pod must fit one of them. @default not known */
  readonly nodes?: readonly NodeKind[];
  /** What may be used by namespace, as in `spec.hard` of a ResourceQuota, such as `requests.nvidia.com/gpu`. @default not known */
  readonly quotas?: Readonly<Record<string, Readonly<Record<string, Amount>>>>;
  /** The namespaces that plans may be in. @default any */
  readonly namespaces?: readonly string[];
}

/** A taint of a node. */
export interface NodeTaint {
  readonly key: string;
  /** @default none */
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** Nodes that are alike. */
export interface NodeKind {
  /** Labels of each of them. Those that Kubernetes gives to every node need not be named. @default none */
  readonly labels?: Labels;
  /**
   * What one of them can give to pods. A resource with a name such as `nvidia.com/gpu` that is left out is one that they do not have;
   * of `cpu`, `memory` and the like nothing is known then.
   * @default nothing is known
   */
  readonly allocatable?: Readonly<Record<string, Amount>>;
  /** What keeps pods away from them that do not tolerate it. @default none */
  readonly taints?: readonly NodeTaint[];
}

/** What is wrong with capabilities as they were written down. */
export function* capabilityProblems(capabilities: ClusterCapabilities, path: string): Generator<Problem> {
  const { nodes = [], quotas = {}, namespaces = [] } = capabilities;
  for (const [index, { labels = {}, allocatable = {} }] of nodes.entries()) {
    yield* labelsProblems(labels, `${path}.nodes[${index}].labels`);
    yield* amountProblems(allocatable, `${path}.nodes[${index}].allocatable`);
  }
  for (const [namespace, quota] of Object.entries(quotas)) {
    yield* namespaceProblem(namespace, `${path}.quotas.${namespace}`);
    yield* amountProblems(quota, `${path}.quotas.${namespace}`);
  }
  for (const [index, namespace] of namespaces.entries())
    yield* namespaceProblem(namespace, `${path}.namespaces[${index}]`);
}

function* amountProblems(amounts: Readonly<Record<string, Amount>>, path: string): Generator<Problem> {
  for (const [resource, amount] of Object.entries(amounts)) {
    const wrong = quantityProblem(amount);
    if (wrong !== undefined)
      yield { path: `${path}.${resource}`, message: `${show(amount)} ${wrong}`, fix: nearQuantity(amount) };
  }
}

function* namespaceProblem(namespace: string, path: string): Generator<Problem> {
  const wrong = dnsLabelProblem(namespace);
  if (wrong !== undefined) yield { path, message: `${show(namespace)} ${wrong}` };
}
