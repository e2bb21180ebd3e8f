import type { V1ResourceRequirements } from '@kubernetes/client-node/dist/gen/models/V1ResourceRequirements.js';
import type { Override } from '../template.ts';

/** Amounts by resource: `{ cpu: 0.5, memory: '8Gi' }`. CPUs in cores, memory in bytes; `null` removes an inherited amount. */
export type Amounts = Readonly<Record<string, string | number | null>>;

/**
 * Compute resources of a container. A request that is left out is Kubernetes' to fill in: it takes the limit. It is
 * not written out here, so that an override of the limit moves both. (pkg/apis/core/v1/defaults.go: SetDefaults_Pod)
 *
 * @example
 * resources: { requests: { cpu: 4 }, limits: { memory: '32Gi' } } // 4 cores at least, exactly 32 GiB
 */
export interface Resources {
  /** What a node must have to spare. @default the limits */
  readonly requests?: Amounts | null;
  /** What the container never gets more of. @default none */
  readonly limits?: Amounts | null;
}

export function resourceRequirements({ requests, limits }: Resources): Override<V1ResourceRequirements> {
  return {
    ...(requests !== undefined && { requests: requests && quantities(requests) }),
    ...(limits !== undefined && { limits: limits && quantities(limits) }),
  };
}

/** Amounts as Kubernetes writes them: numbers become text. */
function quantities(amounts: Amounts): Record<string, string | null> {
  return Object.fromEntries(Object.entries(amounts).map(([resource, amount]) => [resource, quantity(amount)]));
}

/** One amount as text. What is no number stays as it is: text, a removal, or a value that is known later. */
export function quantity(amount: number): string;
export function quantity(amount: string | number | null): string | null;
export function quantity(amount: string | number | null): string | null {
  return typeof amount === 'number' ? String(amount) : amount;
}
