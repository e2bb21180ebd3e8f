import type { KubeObject } from '../../kube/objects.ts';
import type { PodTemplate } from '../../pods/template.ts';
import { parseQuantity } from '../../values/quantity.ts';
import { failed, warning, type Finding } from './check-result.ts';
import type { PlanAsk, PodAsk } from './plan-asks.ts';
import { formatAmount, podAmounts, type ContainerDefaults, type PodAmounts } from '../../pods/pod-amounts.ts';
import { inQuotaScope, type QuotaScopes } from './quota-scope.ts';

/** A v1 ResourceQuota. */
export interface ResourceQuota extends KubeObject {
  readonly spec?: QuotaScopes & { readonly hard?: Readonly<Record<string, string>> };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/**
 * What is left of a namespace's quotas against what its plans may ask at once: one run of each plan that is not suspended, and in
 * it the `parallelism` largest steps (an item of a map counts as a step), beside those of the runs that its steps launch. What
 * only values known later make of a pod is not counted, nor are other workloads that have not begun. A pod that a quota can never
 * hold is an error; that not all fit at once is a warning, for what does not fit waits.
 */
export function quotaFindings(
  plans: readonly PlanAsk[],
  quotas: readonly ResourceQuota[],
  defaults: ContainerDefaults,
): Finding[] {
  const known = new Map<PodTemplate, PodAmounts>();
  const amountsOf: AmountsOf = ({ template }) => {
    const amounts = known.get(template) ?? podAmounts(template.spec ?? { containers: [] }, defaults);
    known.set(template, amounts);
    return amounts;
  };
  return quotas.flatMap((quota) => {
    const hard = quota.status?.hard ?? quota.spec?.hard ?? {};
    return Object.keys(hard).flatMap((resource) => {
      const limit = { quota, resource, hard: hard[resource]!, used: quota.status?.used?.[resource] ?? '0' };
      return limitFindings(limit, plans, amountsOf);
    });
  });
}

interface Limit {
  readonly quota: ResourceQuota;
  readonly resource: string;
  readonly hard: string;
  readonly used: string;
}

type AmountsOf = (pod: PodAsk) => PodAmounts;

function limitFindings(limit: Limit, plans: readonly PlanAsk[], amountsOf: AmountsOf): Finding[] {
  const meter = meterOf(limit.resource, amountsOf);
  if (meter === undefined) return [];
  const where = `quota ${limit.quota.metadata.name} of namespace ${limit.quota.metadata.namespace}`;
  const hard = parseQuantity(limit.hard) ?? 0n;
  const left = hard - (parseQuantity(limit.used) ?? 0n);
  const findings: Finding[] = [];
  const asks = plans.map((plan) => {
    const inScope = plan.runs.map(({ parallelism, pods }) => ({
      parallelism,
      pods: pods.filter(({ template }) => inQuotaScope(limit.quota.spec, template)),
    }));
    return { plan, amount: peak(inScope, meter), pods: inScope.flatMap(({ pods }) => pods) };
  });
  const pods = asks.flatMap((ask) => ask.pods);
  const silent = new Set(
    pods.filter((pod) => meter.mustBeStated && meter.of(pod) === undefined).map(({ step }) => step),
  );
  if (silent.size > 0)
    findings.push(
      failed(
        `${list([...silent])} ${silent.size === 1 ? 'states' : 'state'} no ${limit.resource}, without which the ${where} lets no pod in`,
        'state it in the task, the plan or the podDefaults of the cluster, or give the namespace a LimitRange with defaults',
      ),
    );
  const amount = (value: bigint): string => formatAmount(limit.resource, value);
  const tooLarge = new Map<string, bigint>();
  for (const pod of pods) {
    const one = meter.of(pod) ?? 0n;
    if (one > hard && one > (tooLarge.get(pod.step) ?? 0n)) tooLarge.set(pod.step, one);
  }
  for (const [step, one] of tooLarge)
    findings.push(
      failed(
        `${step} asks for ${amount(one)} of ${limit.resource}, and the ${where} has ${amount(hard)} in all: it can never start`,
        'ask for less, or for a larger quota',
      ),
    );
  const firing = asks.filter(({ plan, amount: asked }) => plan.fires && asked > 0n);
  const asked = firing.reduce((total, ask) => total + ask.amount, 0n);
  if (asked > left) {
    const largest = [...firing].sort((a, b) => (a.amount < b.amount ? 1 : -1));
    const shares = largest.map(({ plan, amount: share }) => `${plan.name} ${amount(share)}`);
    findings.push(
      warning(
        `the plans may ask for ${amount(asked)} of ${limit.resource} at once (${list(shares)}), and the ${where} has ${amount(left < 0n ? 0n : left)} of ${amount(hard)} left: what does not fit waits`,
        'lower their parallelism, spread their schedules, or ask for a larger quota',
      ),
    );
  }
  return findings;
}

/** How one resource of a quota is measured in pods. */
interface Meter {
  /** Nothing when the pod says nothing of it. */
  readonly of: (pod: PodAsk) => bigint | undefined;
  /** A quota of it refuses pods that do not state it. (pkg/quota/v1/evaluator/core/pods.go: Constraints) */
  readonly mustBeStated: boolean;
}

const ONE = 1_000_000_000n;

/** Nothing for what pods do not use up, such as `services`. (pkg/quota/v1/evaluator/core/pods.go) */
function meterOf(resource: string, amountsOf: AmountsOf): Meter | undefined {
  if (resource === 'pods' || resource === 'count/pods') return { of: () => ONE, mustBeStated: false };
  if (resource === 'count/jobs.batch') return { of: ({ runAsJob }) => (runAsJob ? ONE : 0n), mustBeStated: false };
  const [, kind = '', named = ''] = /^(requests|limits)\.(.+)$/.exec(resource) ?? [];
  const plain = ['cpu', 'memory', 'ephemeral-storage'].includes(resource) ? resource : undefined;
  const measured = plain ?? named;
  if (measured === '' || measured === 'storage') return undefined;
  const amounts = kind === 'limits' ? ('limits' as const) : ('requests' as const);
  return {
    of: (pod) => amountsOf(pod)[amounts].get(measured),
    mustBeStated: ['cpu', 'memory'].includes(measured),
  };
}

/** The most that can be asked at once: of every run, its largest pods up to its parallelism. */
function peak(runs: PlanAsk['runs'], { of }: Meter): bigint {
  return runs.reduce((total, { parallelism, pods }) => {
    const largest = pods
      .map((pod) => ({ each: of(pod) ?? 0n, atOnce: pod.atOnce }))
      .sort((a, b) => (a.each < b.each ? 1 : -1));
    let room = parallelism;
    let sum = 0n;
    for (const { each, atOnce } of largest) {
      const many = Math.min(room, atOnce);
      sum += each * BigInt(many);
      room -= many;
    }
    return total + sum;
  }, 0n);
}

function list(texts: readonly string[]): string {
  return texts.length <= 4 ? texts.join(', ') : `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`;
}
