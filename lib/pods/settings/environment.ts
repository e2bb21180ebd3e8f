import type { V1EnvFromSource } from '@kubernetes/client-node/dist/gen/models/V1EnvFromSource.js';
import type { V1EnvVar } from '@kubernetes/client-node/dist/gen/models/V1EnvVar.js';
import type { V1EnvVarSource } from '@kubernetes/client-node/dist/gen/models/V1EnvVarSource.js';
import type { IConfigMap, ISecret } from 'cdk8s-plus-28';
import { escapeExpansion } from '../../values/environment.ts';
import { Reference } from '../../values/reference.ts';
import type { Override } from '../template.ts';
import { objectName } from './object-name.ts';

/** One value of a Secret. */
export interface SecretKey {
  /** The Secret, by name or as the construct of cdk8s-plus. */
  readonly secret: string | ISecret;
  readonly key: string;
  /** Whether the container starts without it. @default false */
  readonly optional?: boolean;
}

/** One value of a ConfigMap. */
export interface ConfigMapKey {
  /** The ConfigMap, by name or as the construct of cdk8s-plus. */
  readonly configMap: string | IConfigMap;
  readonly key: string;
  /** Whether the container starts without it. @default false */
  readonly optional?: boolean;
}

/** What a variable holds: text, which reaches the program as it is, one value of a Secret or ConfigMap, or whatever else Kubernetes can take it from. */
export type EnvironmentValue = string | SecretKey | ConfigMapKey | V1EnvVarSource;

/** All values of a Secret or ConfigMap as variables. */
export type EnvironmentSource =
  | (Omit<SecretKey, 'key'> & { /** Put before each name. @default '' */ readonly prefix?: string })
  | (Omit<ConfigMapKey, 'key'> & { /** Put before each name. @default '' */ readonly prefix?: string })
  | V1EnvFromSource;

/** Variables as a container has them; `null` removes one. */
export function environmentVariables(
  env: Readonly<Record<string, EnvironmentValue | null>>,
): Override<readonly V1EnvVar[]> {
  return Object.entries(env).map(([name, value]) => {
    if (value === null) return { name, $patch: 'delete' };
    if (typeof value === 'string') return { name, value: escapeExpansion(value) };
    // What a run gives is text like any other, and is not expanded either.
    if (value instanceof Reference) return { name, value: value as unknown as string };
    return { name, valueFrom: valueSource(value) };
  });
}

export function environmentSources(sources: readonly EnvironmentSource[]): V1EnvFromSource[] {
  return sources.map((source) => {
    if (!('secret' in source) && !('configMap' in source)) return source;
    const { prefix, optional } = source;
    const chosen = (object: string | { readonly name: string }) => ({
      name: objectName(object),
      ...(optional !== undefined && { optional }),
    });
    return {
      ...(prefix !== undefined && { prefix }),
      ...('secret' in source ? { secretRef: chosen(source.secret) } : { configMapRef: chosen(source.configMap) }),
    };
  });
}

function valueSource(value: SecretKey | ConfigMapKey | V1EnvVarSource): V1EnvVarSource {
  if (!('secret' in value) && !('configMap' in value)) return value;
  const { key, optional } = value;
  const rest = { key, ...(optional !== undefined && { optional }) };
  return 'secret' in value
    ? { secretKeyRef: { name: objectName(value.secret), ...rest } }
    : { configMapKeyRef: { name: objectName(value.configMap), ...rest } };
}
