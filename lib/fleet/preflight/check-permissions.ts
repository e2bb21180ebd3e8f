import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, NewObject } from '../../kube/objects.ts';
import {
  apiVersionOf,
  configMaps,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  type Resource,
} from '../../kube/resources.ts';
import type { ApplyPlan, PlannedAction } from '../apply/apply-plan.ts';
import { checked, failed, warning, type CheckResult, type Finding } from './check-result.ts';
import { inParallel } from '../in-parallel.ts';

/** Something that must be allowed. */
export interface Permission {
  readonly resource: Resource;
  readonly verb: string;
  /** Left out for kinds without namespaces. */
  readonly namespace?: string;
  /** Without it the work is done all the same, and told less exactly. @default false */
  readonly optional?: boolean;
}

/** What server-side apply needs of a kind: `patch`, and `create` for what does not exist. (apiserver/pkg/endpoints/handlers/patch.go) */
const APPLY_VERBS = ['create', 'patch'] as const;
/** What it reads, to write only what changed and to say what it did. */
const READ_VERBS = ['get', 'list'] as const;

/** What must be allowed to apply objects of these kinds. */
export function applyPermissions(
  located: readonly { readonly resource: Resource; readonly object: KubeObject }[],
): Permission[] {
  const places = new Map(
    located.map(({ resource, object }) => {
      const namespace = resource.namespaced ? object.metadata.namespace : undefined;
      return [`${apiVersionOf(resource)} ${resource.plural} ${namespace ?? ''}`, { resource, namespace }] as const;
    }),
  );
  return [...places.values()].flatMap((place) => [
    ...APPLY_VERBS.map((verb) => ({ ...place, verb })),
    ...READ_VERBS.map((verb) => ({ ...place, verb, optional: true })),
  ]);
}

/** What must be allowed to do what a plan says: nothing for what stays as it is. */
export function planPermissions({ objects, inventory }: ApplyPlan): Permission[] {
  const verbs: Readonly<Partial<Record<PlannedAction, readonly string[]>>> = {
    create: ['create', 'patch'],
    change: ['patch'],
    delete: ['delete'],
  };
  const needed = new Map<string, Permission>();
  const add = (resource: Resource, verb: string, namespace: string | undefined): void => {
    const permission = { resource, verb, ...(namespace !== undefined && { namespace }) };
    needed.set(`${apiVersionOf(resource)} ${resource.plural} ${namespace ?? ''} ${verb}`, permission);
  };
  for (const { action, object, resource } of objects)
    for (const verb of (resource && verbs[action]) ?? []) add(resource!, verb, object.metadata.namespace);
  if (inventory !== undefined && needed.size > 0)
    for (const verb of ['create', 'patch']) add(configMaps, verb, inventory.ref.namespace);
  return [...needed.values()];
}

/** Asks the API server whether everything is allowed: once for each namespace if it can tell all rules, and for the rest one by one. */
export async function checkPermissions(
  client: KubeClient,
  permissions: readonly Permission[],
  signal?: AbortSignal,
): Promise<CheckResult> {
  const namespaces = [...new Set(permissions.flatMap(({ namespace }) => namespace ?? []))];
  const rules = new Map(
    await inParallel(
      namespaces,
      8,
      async (namespace) => [namespace, await rulesIn(client, namespace, signal)] as const,
    ),
  );
  const allowed = await inParallel(permissions, 8, async (permission) => {
    const known = permission.namespace === undefined ? undefined : rules.get(permission.namespace);
    return known?.some((rule) => grants(rule, permission)) || accessReview(client, permission, signal);
  });
  const denied = permissions.filter((_, index) => !allowed[index]);
  return checked(
    'permissions',
    deniedFindings(denied),
    `${permissions.length - denied.length} of ${permissions.length}`,
  );
}

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/**
 * The rules that hold in a namespace; nothing when the server does not know them all. What they grant is granted; what they
 * do not is asked again, for there are rules that only name single objects.
 */
async function rulesIn(
  client: KubeClient,
  namespace: string,
  signal?: AbortSignal,
): Promise<readonly Rule[] | undefined> {
  const answer = await review<{ resourceRules?: readonly Rule[]; incomplete?: boolean }>(
    client,
    selfSubjectRulesReviews,
    { namespace },
    signal,
  );
  return answer.incomplete ? undefined : (answer.resourceRules ?? []);
}

async function accessReview(
  client: KubeClient,
  { resource, verb, namespace }: Permission,
  signal?: AbortSignal,
): Promise<boolean> {
  const resourceAttributes = {
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    verb,
    ...(namespace !== undefined && { namespace }),
  };
  const { allowed } = await review<{ allowed: boolean }>(
    client,
    selfSubjectAccessReviews,
    { resourceAttributes },
    signal,
  );
  return allowed;
}

/** Any authenticated user may ask about itself. (ClusterRole system:basic-user) */
async function review<S>(client: KubeClient, of: Resource, spec: object, signal?: AbortSignal): Promise<S> {
  const body: NewObject = { apiVersion: apiVersionOf(of), kind: of.kind, spec };
  const { status } = await client.create<KubeObject & { status?: S }>(of, body, { signal });
  return status ?? ({} as S);
}

function grants(
  { verbs, apiGroups = [], resources = [], resourceNames = [] }: Rule,
  { resource, verb }: Permission,
): boolean {
  const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);
  return (
    resourceNames.length === 0 && has(verbs, verb) && has(apiGroups, resource.group) && has(resources, resource.plural)
  );
}

/** A sentence for each kind and namespace. */
export function deniedFindings(denied: readonly Permission[]): Finding[] {
  const groups = Map.groupBy(denied, ({ resource, namespace, optional = false }) =>
    [optional, resource.group, resource.plural, namespace ?? ''].join(' '),
  );
  return [...groups.values()].map((group) => {
    const { resource, namespace, optional } = group[0]!;
    const what = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
    const verbs = group.map(({ verb }) => verb).join(', ');
    return optional
      ? warning(`may not ${verbs} ${what}${where}: what is there already is not known`, 'ask for a role that allows it')
      : failed(`may not ${verbs} ${what}${where}`, 'ask for a role that allows it');
  });
}
