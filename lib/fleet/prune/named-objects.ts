import { isJsonObject } from '../../values/json.ts';

/** An object as a pod names it, which is in its namespace or in none: `Secret mail`, `PriorityClass.scheduling.k8s.io high`. */
export type ObjectName = string;

/** Fields that hold a name, or several. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['serviceAccountName', 'ServiceAccount'],
  ['secretName', 'Secret'],
  // Of a notification.
  ['secret', 'Secret'],
  ['claimName', 'PersistentVolumeClaim'],
  ['resourceClaimName', 'ResourceClaim.resource.k8s.io'],
  ['resourceClaimTemplateName', 'ResourceClaimTemplate.resource.k8s.io'],
  ['priorityClassName', 'PriorityClass.scheduling.k8s.io'],
  ['runtimeClassName', 'RuntimeClass.node.k8s.io'],
]);

/** Fields that hold an object with a name, or several. */
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['configMap', 'ConfigMap'],
  ['configMapRef', 'ConfigMap'],
  ['configMapKeyRef', 'ConfigMap'],
  ['secret', 'Secret'],
  ['secrets', 'Secret'],
  ['secretRef', 'Secret'],
  ['secretKeyRef', 'Secret'],
  ['nodePublishSecretRef', 'Secret'],
  ['imagePullSecrets', 'Secret'],
]);

/** Kinds that a pod names. */
export const NAMED_KINDS: ReadonlySet<string> = new Set([...NAMES.values(), ...REFERENCES.values()]);

/**
 * What a pod template names, or part of one such as an override, or a service account, or a notification: it is told by the fields,
 * wherever they are. (core/v1: PodSpec, Volume, EnvVarSource, EnvFromSource, ServiceAccount)
 */
export function* namedIn(value: unknown): Generator<ObjectName> {
  if (Array.isArray(value)) for (const item of value) yield* namedIn(item);
  if (!isJsonObject(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    const [kind, referred] = [NAMES.get(field), REFERENCES.get(field)];
    if (kind !== undefined && typeof inner === 'string') yield `${kind} ${inner}`;
    if (referred !== undefined)
      for (const item of [inner].flat())
        if (isJsonObject(item) && typeof item.name === 'string') yield `${referred} ${item.name}`;
    yield* namedIn(inner);
  }
}

/** Every text in a value, where it is not known what it names. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* textsIn(inner);
}
