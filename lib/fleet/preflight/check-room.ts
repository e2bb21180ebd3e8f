import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { limitRanges, namespaces, nodes, resourceQuotas, type Resource } from '../../kube/resources.ts';
import { checked, failed, warning, type CheckResult, type Finding } from './check-result.ts';
import { inParallel } from '../in-parallel.ts';
import { nodeFindings, unknownFindings } from './node-check.ts';
import type { NodeObject } from '../../pods/node-match.ts';
import type { PlanAsk } from './plan-asks.ts';
import type { ContainerDefaults } from '../../pods/pod-amounts.ts';
import { containerDefaults, limitRangeFindings, type LimitRange } from './limit-check.ts';
import { quotaFindings, type ResourceQuota } from './quota-check.ts';

const AT_ONCE = 8;

/** Whether the namespaces exist that the manifests do not bring. */
export async function checkNamespaces(
  client: KubeClient,
  wanted: readonly string[],
  brought: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<{ readonly result: CheckResult; readonly missing: ReadonlySet<string> }> {
  const missing = new Set<string>();
  const findings = await inParallel(wanted, AT_ONCE, async (name): Promise<Finding[]> => {
    try {
      const { metadata } = await client.get<KubeObject>(namespaces, name, { signal });
      if (metadata.deletionTimestamp === undefined) return [];
      missing.add(name);
      return [failed(`the namespace ${name} is being deleted`, 'wait until it is gone, then create it again')];
    } catch (error) {
      // Who may not read namespaces hears of one that is missing from the admission of what goes into it.
      if (isForbidden(error)) return [];
      if (!isNotFound(error)) throw error;
      if (brought.has(name)) return [];
      missing.add(name);
      return [failed(`the namespace ${name} does not exist`, `kubectl create namespace ${name}`)];
    }
  });
  const created = wanted.filter((name) => brought.has(name));
  const detail = created.length > 0 ? `${wanted.join(', ')} (some come with the manifests)` : wanted.join(', ');
  return { result: checked('namespaces', findings.flat(), detail), missing };
}

/**
 * What is left of quotas, and whether nodes can hold the pods.
 *
 * @param objects those that are to be written: quotas and limits among them hold in place of those of their names
 */
export async function checkRoom(
  client: KubeClient,
  plans: readonly PlanAsk[],
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<CheckResult[]> {
  const spaces = [...new Set(plans.map(({ namespace }) => namespace))];
  const [byNamespace, allNodes] = await Promise.all([
    inParallel(spaces, AT_ONCE, async (namespace) => {
      const [quotas, ranges] = await Promise.all([
        listOrNothing<ResourceQuota>(client, resourceQuotas, namespace, signal),
        listOrNothing<LimitRange>(client, limitRanges, namespace, signal),
      ]);
      const brought = objects.filter(({ metadata }) => metadata.namespace === namespace);
      const limits = withBrought(ranges ?? [], brought, 'LimitRange');
      return {
        namespace,
        quotas: quotas && withBrought(quotas, brought, 'ResourceQuota'),
        limits,
        defaults: containerDefaults(limits),
      };
    }),
    plans.length === 0 ? [] : listOrNothing<NodeObject & KubeObject>(client, nodes, null, signal),
  ]);
  const defaults = new Map(byNamespace.map((entry) => [entry.namespace, entry.defaults]));
  return [quotaResult(plans, byNamespace), nodesResult(plans, allNodes, (namespace) => defaults.get(namespace)!)];
}

/** What will be there of a kind. Of a quota that changes, what is used is as it was. */
export function withBrought<T extends ResourceQuota | LimitRange>(
  found: readonly T[],
  objects: readonly KubeObject[],
  kind: T['kind'],
): readonly T[] {
  const brought = objects.filter((object) => object.kind === kind) as T[];
  const names = new Map(
    brought.map(({ metadata }) => [metadata.name, found.find((each) => each.metadata.name === metadata.name)]),
  );
  return [
    ...found.filter(({ metadata }) => !names.has(metadata.name)),
    ...brought.map((object) => {
      const { used } = (names.get(object.metadata.name) as ResourceQuota | undefined)?.status ?? {};
      return { ...object, status: { ...(used && { used }) } };
    }),
  ];
}

interface NamespaceRoom {
  readonly namespace: string;
  readonly quotas: readonly ResourceQuota[] | undefined;
  readonly limits: readonly LimitRange[];
  readonly defaults: ContainerDefaults;
}

function quotaResult(plans: readonly PlanAsk[], rooms: readonly NamespaceRoom[]): CheckResult {
  const findings = rooms.flatMap(({ namespace, quotas, limits, defaults }): Finding[] => {
    const inside = plans.filter((plan) => plan.namespace === namespace);
    const refused = limitRangeFindings(inside, limits, defaults);
    if (quotas !== undefined) return [...refused, ...quotaFindings(inside, quotas, defaults)];
    const unread = warning(`the quotas of namespace ${namespace} may not be read`, 'allow list on resourcequotas');
    return [...refused, unread];
  });
  const count = rooms.reduce((total, { quotas = [] }) => total + quotas.length, 0);
  return checked('quota', findings, count === 0 ? 'no quota' : `${count} ${count === 1 ? 'quota' : 'quotas'}`);
}

function nodesResult(
  plans: readonly PlanAsk[],
  found: readonly NodeObject[] | undefined,
  defaultsOf: (namespace: string) => ContainerDefaults,
): CheckResult {
  if (found === undefined) return checked('nodes', [warning('nodes may not be read', 'allow list on nodes')]);
  const findings = [...nodeFindings(plans, found, defaultsOf), ...unknownFindings(plans)];
  return checked(
    'nodes',
    findings,
    plans.length === 0 ? 'no plans' : `${found.length} ${found.length === 1 ? 'node' : 'nodes'}`,
  );
}

async function listOrNothing<T extends KubeObject>(
  client: KubeClient,
  of: Resource,
  namespace: string | null,
  signal?: AbortSignal,
): Promise<readonly T[] | undefined> {
  try {
    return (await client.list<T>(of, { namespace, signal })).items;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
