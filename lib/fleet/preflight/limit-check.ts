import type { KubeObject } from '../../kube/objects.ts';
import {
  formatAmount,
  podAmounts,
  type Amounts,
  type ContainerDefaults,
  type PodAmounts,
} from '../../pods/pod-amounts.ts';
import { parseQuantity } from '../../values/quantity.ts';
import { failed, type Finding } from './check-result.ts';
import type { PlanAsk, PodAsk } from './plan-asks.ts';

type Quantities = Readonly<Record<string, string>>;

interface LimitRangeItem {
  readonly type: string;
  readonly max?: Quantities;
  readonly min?: Quantities;
  readonly default?: Quantities;
  readonly defaultRequest?: Quantities;
}

/** A v1 LimitRange. */
export interface LimitRange extends KubeObject {
  readonly spec?: { readonly limits?: readonly LimitRangeItem[] };
}

/**
 * What LimitRanges fill in where a container says nothing. One that is not applied yet lacks what the API server fills into itself.
 * (pkg/apis/core/v1/defaults.go: SetDefaults_LimitRangeItem)
 */
export function containerDefaults(ranges: readonly LimitRange[]): ContainerDefaults {
  const items = ranges.flatMap(({ spec }) => spec?.limits ?? []).filter(({ type }) => type === 'Container');
  const filled = items.map((item) => {
    const limits = { ...item.max, ...item.default };
    return { limits, requests: { ...item.min, ...limits, ...item.defaultRequest } };
  });
  return {
    requests: Object.assign({}, ...filled.map(({ requests }) => requests)) as Quantities,
    limits: Object.assign({}, ...filled.map(({ limits }) => limits)) as Quantities,
  };
}

/** Pods that LimitRanges would refuse, by their containers or as a whole: such a pod is never created. (plugin/pkg/admission/limitranger) */
export function limitRangeFindings(
  plans: readonly PlanAsk[],
  ranges: readonly LimitRange[],
  defaults: ContainerDefaults,
): Finding[] {
  const pods = plans.flatMap(({ runs }) => runs.flatMap((run) => run.pods));
  const told = new Map<string, Finding>();
  for (const { metadata, spec } of ranges)
    for (const item of spec?.limits ?? [])
      for (const pod of pods)
        for (const wrong of misfits(pod, item, defaults)) {
          const message = `${wrong} in the LimitRange ${metadata.name} of namespace ${metadata.namespace}: its pods are refused`;
          told.set(message, failed(message, 'change what the pod asks for, or the LimitRange'));
        }
  return [...told.values()];
}

function* misfits({ step, template }: PodAsk, item: LimitRangeItem, defaults: ContainerDefaults): Generator<string> {
  const spec = template.spec ?? { containers: [] };
  if (item.type === 'Pod') yield* outside(step, podAmounts(spec, defaults), item);
  if (item.type !== 'Container') return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    yield* outside(`${step}, container ${container.name},`, podAmounts({ containers: [container] }, defaults), item);
}

function* outside(
  who: string,
  { requests, limits }: PodAmounts,
  { type, max, min }: LimitRangeItem,
): Generator<string> {
  const each = `a ${type.toLowerCase()}`;
  for (const [resource, most] of amounts(max)) {
    const asked = larger(limits.get(resource), requests.get(resource));
    if (!limits.has(resource))
      yield `${who} states no limit of ${resource}, which is at most ${formatAmount(resource, most)} ${each}`;
    else if (asked > most)
      yield `${who} asks for ${formatAmount(resource, asked)} of ${resource}, which is at most ${formatAmount(resource, most)} ${each}`;
  }
  for (const [resource, least] of amounts(min)) {
    const asked = requests.get(resource);
    if (asked === undefined)
      yield `${who} requests no ${resource}, which is at least ${formatAmount(resource, least)} ${each}`;
    else if (asked < least)
      yield `${who} asks for ${formatAmount(resource, asked)} of ${resource}, which is at least ${formatAmount(resource, least)} ${each}`;
  }
}

function amounts(quantities: Quantities = {}): Amounts {
  return new Map(Object.entries(quantities).map(([resource, text]) => [resource, parseQuantity(text) ?? 0n]));
}

function larger(a = 0n, b = 0n): bigint {
  return a > b ? a : b;
}
