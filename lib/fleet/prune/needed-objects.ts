import type { KubeObject } from '../../kube/objects.ts';
import type { ApplyFailure } from '../apply/apply-result.ts';
import { namedIn, NAMED_KINDS, type ObjectName } from './named-objects.ts';
import { groupKindOf, objectKey } from '../object-key.ts';
import type { RunNeeds } from './run-needs.ts';

/** A run that has not ended, or a plan that goes on to start some, with what these need. */
export interface Holder {
  /** In words: `the run etl-a-29384`. */
  readonly who: string;
  readonly namespace: string;
  readonly needs: RunNeeds;
  /** What to do so that it needs them no more. */
  readonly fix: string;
}

const ACCOUNT = 'ServiceAccount';
const PLAN = 'CronJob.batch';
const BINDINGS = new Set(['RoleBinding.rbac.authorization.k8s.io', 'ClusterRoleBinding.rbac.authorization.k8s.io']);
const ROLES = new Set(['Role.rbac.authorization.k8s.io', 'ClusterRole.rbac.authorization.k8s.io']);

/** Whether runs may need an object of this kind. */
export function mayBeNeeded(object: KubeObject): boolean {
  const kind = groupKindOf(object);
  return NAMED_KINDS.has(kind) || kind === PLAN || BINDINGS.has(kind) || ROLES.has(kind);
}

/**
 * Which of the objects that are to be deleted are kept for somebody, by {@link objectKey}: what the pods of a run name and, with a service
 * account, the Secrets that it names, what binds roles to it, and these roles.
 */
export function neededObjects(
  left: readonly KubeObject[],
  holders: readonly Holder[],
): ReadonlyMap<string, ApplyFailure> {
  const holdersOf = new HolderIndex(holders);
  const kept = new Map<string, readonly Holder[]>();
  for (const object of left) {
    const found = holdersOf.object(object);
    if (found.length > 0) kept.set(objectKey(object), found);
  }
  const accounts = left.filter((object) => groupKindOf(object) === ACCOUNT && kept.has(objectKey(object)));
  const follow = (object: KubeObject | undefined, of: KubeObject) => {
    if (object === undefined || kept.has(objectKey(object))) return;
    kept.set(objectKey(object), kept.get(objectKey(of))!);
  };
  const byKey = new Map(left.map((object) => [objectKey(object), object]));
  for (const account of accounts)
    for (const name of namedIn(account)) follow(byKey.get(keyOf(name, account.metadata.namespace)), account);
  const accountsByKey = new Map(accounts.map((account) => [objectKey(account), account]));
  for (const binding of left) {
    const account = subjectsOf(binding)
      .map((key) => accountsByKey.get(key))
      .find((subject) => subject !== undefined);
    if (account === undefined) continue;
    follow(binding, account);
    follow(byKey.get(roleOf(binding)), account);
  }
  return new Map([...kept].map(([key, by]) => [key, reason(by)]));
}

class HolderIndex {
  readonly #byName = new Map<string, Holder[]>();
  readonly #namespaces: readonly string[];
  /** Of a namespace, those whose pods wait for values. */
  readonly #waiting: ReadonlyMap<string, readonly Holder[]>;

  constructor(holders: readonly Holder[]) {
    for (const holder of holders)
      for (const name of holder.needs.names) this.#add(`${holder.namespace} ${name}`, holder);
    this.#namespaces = [...new Set(holders.map(({ namespace }) => namespace))];
    this.#waiting = Map.groupBy(
      holders.filter(({ needs }) => needs.texts.size > 0),
      ({ namespace }) => namespace,
    );
  }

  object(object: KubeObject): readonly Holder[] {
    const { name, namespace } = object.metadata;
    const kind = groupKindOf(object);
    // What is in no namespace may be needed in each.
    const places = namespace === undefined ? this.#namespaces : [namespace];
    const named = places.flatMap((place) => this.#byName.get(`${place} ${kind} ${name}`) ?? []);
    if (named.length > 0 || !NAMED_KINDS.has(kind)) return named;
    return places.flatMap((place) => (this.#waiting.get(place) ?? []).filter(({ needs }) => needs.texts.has(name)));
  }

  #add(key: string, holder: Holder): void {
    const others = this.#byName.get(key);
    if (others === undefined) this.#byName.set(key, [holder]);
    else others.push(holder);
  }
}

/** The service accounts that a binding gives a role to; of what is none, nothing. */
function subjectsOf(binding: KubeObject): readonly string[] {
  if (!BINDINGS.has(groupKindOf(binding)) || !Array.isArray(binding.subjects)) return [];
  const subjects = binding.subjects as readonly { kind?: string; name?: string; namespace?: string }[];
  return subjects
    .filter(({ kind }) => kind === ACCOUNT)
    .map(({ name, namespace }) => keyOf(`${ACCOUNT} ${name}`, namespace ?? binding.metadata.namespace));
}

function roleOf({ roleRef, metadata }: KubeObject): string {
  const { kind, name } = roleRef as { readonly kind: string; readonly name: string };
  return keyOf(`${kind}.rbac.authorization.k8s.io ${name}`, kind === 'Role' ? metadata.namespace : undefined);
}

/** As {@link objectKey} has it. */
function keyOf(name: ObjectName, namespace: string | undefined): string {
  const [kind, own] = name.split(' ');
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${own}`;
}

function reason(holders: readonly Holder[]): ApplyFailure {
  const [first, ...others] = [...new Map(holders.map((holder) => [holder.who, holder])).values()];
  const who = others.length === 0 ? `${first!.who} needs it` : `${first!.who} and ${others.length} more need it`;
  return { message: `is kept: ${who}`, fix: first!.fix };
}
