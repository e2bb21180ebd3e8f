import { holds, type LabelExpression } from '../values/label-selector.ts';
import { parseQuantity } from '../values/quantity.ts';
import { formatAmount, type Amounts } from './pod-amounts.ts';
import type { PodTemplate } from './template.ts';

/** What of a v1 Node decides about pods. */
export interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
  };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What keeps pods away that do not tolerate it. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

type PodSpec = NonNullable<PodTemplate['spec']>;
type Toleration = NonNullable<PodSpec['tolerations']>[number];
type Affinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;
type Term = NonNullable<Affinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];
type Expression = NonNullable<Term['matchExpressions']>[number];

/** One reason why a node cannot hold a pod. */
export interface NodeMismatch {
  /** The field of the pod's spec that asks for what the node is not; empty when no pod fits. */
  readonly field: string;
  /** In words, after the node's name. */
  readonly text: string;
}

/**
 * Why a node cannot hold a pod; nothing when it could. What already runs there is not
 * looked at. (kube-scheduler: NodeAffinity, TaintToleration, NodeUnschedulable, NodeResourcesFit)
 */
export function nodeMismatches(spec: PodSpec, requests: Amounts, node: NodeObject): NodeMismatch[] {
  const { labels = {}, name } = node.metadata;
  const reasons: NodeMismatch[] = [];
  const add = (field: string, ...texts: readonly string[]) => reasons.push(...texts.map((text) => ({ field, text })));
  if (spec.nodeName !== undefined && spec.nodeName !== name) add('nodeName', `is not the node ${spec.nodeName}`);
  for (const [key, wanted] of Object.entries(spec.nodeSelector ?? {})) {
    const value = labels[key];
    if (value === undefined) add(`nodeSelector.${key}`, `lacks the label ${key}=${wanted}`);
    else if (value !== wanted) add(`nodeSelector.${key}`, `has ${key}=${value}, not ${wanted}`);
  }
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms !== undefined) add('affinity.nodeAffinity', ...affinityMismatch(terms, node));
  if (isDown(node)) add('', 'is not ready');
  for (const taint of taintsOf(node))
    if (!(spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint)))
      add(
        'tolerations',
        `has the taint ${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}, which is not tolerated`,
      );
  for (const [resource, asked] of requests) {
    const has = parseQuantity(node.status?.allocatable?.[resource] ?? '0') ?? 0n;
    if (asked <= has) continue;
    const of = formatAmount(resource, asked);
    add(
      'containers.resources',
      has === 0n
        ? `has no ${resource}, of which ${of} is asked`
        : `has ${formatAmount(resource, has)} of ${of} ${resource}`,
    );
  }
  return reasons;
}

function isDown({ status }: NodeObject): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is !== 'True') ?? false;
}

/** Taints that keep pods away; what the node's own state puts there is told as that state. */
function taintsOf({ spec }: NodeObject): Taint[] {
  const own = (spec?.taints ?? []).filter(
    ({ key, effect }) =>
      effect !== 'PreferNoSchedule' &&
      !['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].includes(key),
  );
  const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return spec?.unschedulable && !own.some(({ key }) => key === cordon.key) ? [...own, cordon] : own;
}

/** (k8s.io/component-helpers/scheduling/corev1: ToleratesTaint) */
function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (Boolean(key) && value === (taint.value ?? ''));
}

/** Terms are alternatives; of those that fail, the one that fails least is told. A term without anything in it matches no node. */
function affinityMismatch(terms: readonly Term[], { metadata }: NodeObject): string[] {
  const failures = terms
    .map(({ matchExpressions = [], matchFields = [] }) => [
      ...matchExpressions.map((expression) => ({ expression, has: metadata.labels?.[expression.key] })),
      ...matchFields.map((expression) => ({ expression, has: metadata.name })),
    ])
    .filter((requirements) => requirements.length > 0)
    .map((requirements) => requirements.filter(({ expression, has }) => !matches(expression, has)))
    .sort((a, b) => a.length - b.length);
  const [least] = failures;
  if (least === undefined) return ['is matched by no term of the required node affinity'];
  return least.map(({ expression: { key, operator, values }, has }) => {
    const wanted = `${operator}${values?.length ? ` ${values.join(', ')}` : ''}`;
    return has === undefined ? `lacks the label ${key} ${wanted}` : `has ${key}=${has}, not ${wanted}`;
  });
}

/** (k8s.io/apimachinery/pkg/labels: Requirement.Matches) */
function matches({ key, operator, values = [] }: Expression, value: string | undefined): boolean {
  if (operator !== 'Gt' && operator !== 'Lt')
    return holds({ key, operator, values } as LabelExpression, value === undefined ? {} : { [key]: value });
  const [left, right] = [Number(value), Number(values[0])];
  if (value === undefined || !Number.isInteger(left) || !Number.isInteger(right)) return false;
  return operator === 'Gt' ? left > right : left < right;
}
