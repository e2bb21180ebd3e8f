import type { V1PodTemplateSpec } from '@kubernetes/client-node/dist/gen/models/V1PodTemplateSpec.js';
import { isJsonObject, type JsonObject } from '../values/json.ts';

/** A pod template as it crosses the wire. */
export type PodTemplateSpec = V1PodTemplateSpec;

/** A pod template in a manifest. */
export interface EmbeddedTemplate {
  /** Where it is, such as `spec.template`; empty for a Pod, which is one itself. */
  readonly path: string;
  readonly template: PodTemplateSpec;
}

// The kinds that Pod Security looks into (pod-security-admission/admission/admission.go, ExtractPodSpec).
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'v1 Pod': [],
  'v1 PodTemplate': ['template'],
  'v1 ReplicationController': ['spec', 'template'],
  'apps/v1 DaemonSet': ['spec', 'template'],
  'apps/v1 Deployment': ['spec', 'template'],
  'apps/v1 ReplicaSet': ['spec', 'template'],
  'apps/v1 StatefulSet': ['spec', 'template'],
  'batch/v1 Job': ['spec', 'template'],
  'batch/v1 CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** The pod template of a workload; nothing for a manifest that starts no pods. */
export function podTemplateOf(manifest: JsonObject): EmbeddedTemplate | undefined {
  const path = TEMPLATES[`${String(manifest.apiVersion)} ${String(manifest.kind)}`];
  if (path === undefined) return undefined;
  let found: unknown = manifest;
  for (const field of path) found = isJsonObject(found) ? found[field] : undefined;
  return isJsonObject(found) && isJsonObject(found.spec)
    ? { path: path.join('.'), template: found as unknown as PodTemplateSpec }
    : undefined;
}
