import { hostname } from 'node:os';
import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { V1EnvVar } from '@kubernetes/client-node/dist/gen/models/V1EnvVar.js';
import { expandArgument } from '../values/environment.ts';
import { show } from '../values/problems.ts';
import type { PodTemplate } from '../pods/template.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where variables that a pod would take from its cluster come from on this machine. */
export interface EnvironmentSources {
  /** The user's own environment. */
  readonly env: Environment;
  /** The data of ConfigMaps, by name. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the pod would be called. */
  readonly podName: string;
  readonly template: PodTemplate;
}

/** Variables in a form for spawn, and those alone that the kubelet would know when it expands `$(NAME)`. */
export interface LocalEnvironment {
  readonly inherited: Record<string, string>;
  readonly own: Record<string, string>;
  /** Variables that cannot be had here, each in words. */
  readonly missing: readonly string[];
}

/**
 * The environment of an attempt: the user's own (programs need PATH, HOME, proxies, a login to a cloud), over it the contract's, over
 * it the container's. What came from a run around this one is left out.
 */
export function localEnvironment(
  container: V1Container,
  contract: Readonly<Record<string, string>>,
  sources: EnvironmentSources,
): LocalEnvironment {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(sources.env))
    if (value !== undefined && !/^(INPUT|WORKFLOW)_/.test(name)) inherited[name] = value;
  const own: Record<string, string> = {};
  for (const { configMapRef, prefix } of container.envFrom ?? [])
    for (const [key, value] of Object.entries(sources.configMaps[configMapRef?.name ?? ''] ?? {}))
      own[`${prefix ?? ''}${key}`] = value;
  Object.assign(own, contract);
  const missing: string[] = [];
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined ? expandArgument(variable.value ?? '', own) : valueFrom(variable, sources);
    if (typeof value === 'string') own[variable.name] = value;
    else if (value !== undefined) missing.push(value.missing);
  }
  return { inherited, own, missing };
}

/** The value; nothing for an optional one that is not there; or what is missing. */
function valueFrom(
  { name, valueFrom: from }: V1EnvVar,
  sources: EnvironmentSources,
): string | undefined | { readonly missing: string } {
  const given = sources.env[name];
  if (given !== undefined) return given;
  if (from?.fieldRef !== undefined) {
    const value = podField(from.fieldRef.fieldPath, sources);
    return value ?? { missing: `${name} (the pod's ${from.fieldRef.fieldPath})` };
  }
  if (from?.configMapKeyRef !== undefined) {
    const { name: configMap = '', key, optional } = from.configMapKeyRef;
    const value = sources.configMaps[configMap]?.[key];
    if (value !== undefined || optional === true) return value;
    return { missing: `${name} (key ${show(key)} of ConfigMap ${show(configMap)})` };
  }
  if (from?.secretKeyRef !== undefined) {
    const { name: secret = '', key, optional } = from.secretKeyRef;
    return optional === true ? undefined : { missing: `${name} (key ${show(key)} of Secret ${show(secret)})` };
  }
  return { missing: `${name} (${Object.keys(from ?? {}).join(', ') || 'no source'})` };
}

function podField(path: string, { podName, template }: EnvironmentSources): string | undefined {
  const entry = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (entry) return template.metadata?.[entry[1] as 'labels' | 'annotations']?.[entry[2]!] ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': podName,
    'metadata.uid': podName,
    'metadata.namespace': 'default',
    'spec.nodeName': hostname(),
    'spec.serviceAccountName': template.spec?.serviceAccountName ?? 'default',
    'status.podIP': '127.0.0.1',
    'status.podIPs': '127.0.0.1',
    'status.hostIP': '127.0.0.1',
  };
  return fields[path];
}
