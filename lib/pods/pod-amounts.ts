import type { PodTemplate } from './template.ts';
import { parseQuantity } from '../values/quantity.ts';

/** Amounts by resource (`cpu`, `memory`, `nvidia.com/gpu`), in billionths. */
export type Amounts = ReadonlyMap<string, bigint>;

/** What a pod asks of a node and of a quota. */
export interface PodAmounts {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** What a LimitRange fills in where a container says nothing. */
export interface ContainerDefaults {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

const NO_DEFAULTS: ContainerDefaults = { requests: {}, limits: {} };

type PodSpec = NonNullable<PodTemplate['spec']>;
type Container = PodSpec['containers'][number];
type Kind = keyof PodAmounts;

/**
 * What the API server counts for a pod: the sum of its containers, or what its init containers need at one time if that is
 * more; a sidecar counts beside those that start after it; what the pod states for all of them comes first; `overhead` is added.
 * (k8s.io/component-helpers/resource/helpers.go: PodRequests)
 */
export function podAmounts(spec: PodSpec, defaults: ContainerDefaults = NO_DEFAULTS): PodAmounts {
  return { requests: total(spec, 'requests', defaults), limits: total(spec, 'limits', defaults) };
}

function total(spec: PodSpec, kind: Kind, defaults: ContainerDefaults): Amounts {
  const running = new Map<string, bigint>();
  for (const container of spec.containers ?? []) add(running, amountsOf(container, kind, defaults));
  const sidecars = new Map<string, bigint>();
  const starting = new Map<string, bigint>();
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container, kind, defaults);
    if (container.restartPolicy === 'Always') {
      add(sidecars, own);
      add(running, own);
      raise(starting, sidecars);
    } else raise(starting, sum(own, sidecars));
  }
  raise(running, starting);
  for (const [resource, amount] of parsed(spec.resources?.[kind])) running.set(resource, amount);
  // A pod without any limit does not get one by its overhead.
  for (const [resource, amount] of parsed(spec.overhead))
    if (kind === 'requests' || running.has(resource)) running.set(resource, (running.get(resource) ?? 0n) + amount);
  return running;
}

/** A limit alone is a request, too. (pkg/apis/core/v1/defaults.go: SetDefaults_Pod) */
function amountsOf({ resources }: Container, kind: Kind, defaults: ContainerDefaults): Amounts {
  const limits = { ...defaults.limits, ...resources?.limits };
  if (kind === 'limits') return parsed(limits);
  return parsed({ ...defaults.limits, ...defaults.requests, ...resources?.limits, ...resources?.requests });
}

function parsed(amounts: Readonly<Record<string, string>> = {}): Amounts {
  return new Map(Object.entries(amounts).map(([resource, text]) => [resource, parseQuantity(text) ?? 0n]));
}

function add(to: Map<string, bigint>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) to.set(resource, (to.get(resource) ?? 0n) + amount);
}

function raise(to: Map<string, bigint>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) if (amount > (to.get(resource) ?? -1n)) to.set(resource, amount);
}

function sum(a: Amounts, b: Amounts): Amounts {
  const both = new Map(a);
  add(both, b);
  return both;
}

const BILLION = 1_000_000_000n;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/** An amount as people write it: `500m` of a CPU, `7.5Gi` of memory, `8` GPUs. */
export function formatAmount(resource: string, amount: bigint): string {
  if (/memory|storage|hugepages-/.test(resource)) return bytes(Number(amount) / 1e9);
  if (amount % BILLION === 0n) return String(amount / BILLION);
  return `${(amount + 999_999n) / 1_000_000n}m`;
}

function bytes(amount: number): string {
  let power = 0;
  let value = amount;
  for (; Math.abs(value) >= 1024 && power < BINARY.length - 1; power++) value /= 1024;
  return `${Math.round(value * 100) / 100}${BINARY[power]}`;
}
