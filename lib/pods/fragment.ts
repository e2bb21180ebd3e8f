import type { V1EnvVarSource } from '@kubernetes/client-node/dist/gen/models/V1EnvVarSource.js';
import { escapeExpansion } from '../values/environment.ts';
import { MAIN_CONTAINER, type Override, type PodTemplate, type PodTemplateOverride } from './template.ts';

/** Compute resources of the main container, as Kubernetes writes them: `{ limits: { memory: '8Gi', 'nvidia.com/gpu': 1 } }`. */
export interface Resources {
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly limits?: Readonly<Record<string, string | number>>;
}

/** The settings of a pod that come up most; each is a short way to write a part of a pod template. */
export interface PodSettings {
  /** Image of the main container. */
  readonly image?: string;
  /** Its command, replacing an inherited one whole. In the kubelet's form: `$(INPUT_SITE)` is expanded. */
  readonly command?: readonly string[];
  /** Its arguments, replacing inherited ones whole. */
  readonly args?: readonly string[];
  /** Its environment by name: text, or where the value comes from. Merged by name with what is inherited. */
  readonly env?: Readonly<Record<string, string | V1EnvVarSource>>;
  /** Its requests and limits, merged by resource with what is inherited. */
  readonly resources?: Resources;
  /** Name of the service account of the pod. */
  readonly serviceAccountName?: string;
  /** Everything else; merged over the settings above. */
  readonly podTemplate?: PodTemplateOverride;
}

/** The settings as layers, low to high: what the short settings say, then `podTemplate`. */
export function settingsLayers(settings: PodSettings): readonly (PodTemplateOverride | undefined)[] {
  const container = {
    ...(settings.image !== undefined && { image: settings.image }),
    ...(settings.command !== undefined && { command: [...settings.command] }),
    ...(settings.args !== undefined && { args: [...settings.args] }),
    ...(settings.env !== undefined && {
      env: Object.entries(settings.env).map(([name, value]) => envVariable(name, value)),
    }),
    ...(settings.resources !== undefined && { resources: quantities(settings.resources) }),
  };
  const spec = {
    ...(settings.serviceAccountName !== undefined && { serviceAccountName: settings.serviceAccountName }),
    ...(Object.keys(container).length > 0 && { containers: [{ name: MAIN_CONTAINER, ...container }] }),
  };
  return [Object.keys(spec).length > 0 ? { spec } : undefined, settings.podTemplate];
}

/** What every step's pod starts from: one container, run once. */
export const BASE_TEMPLATE: PodTemplate = { spec: { restartPolicy: 'Never', containers: [{ name: MAIN_CONTAINER }] } };

function envVariable(name: string, value: string | V1EnvVarSource) {
  return typeof value === 'string' ? { name, value: escapeExpansion(value) } : { name, valueFrom: value };
}

function quantities({
  requests,
  limits,
}: Resources): Override<{ requests: Record<string, string>; limits: Record<string, string> }> {
  const texts = (amounts: Readonly<Record<string, string | number>>) =>
    Object.fromEntries(Object.entries(amounts).map(([resource, amount]) => [resource, String(amount)]));
  return { ...(requests && { requests: texts(requests) }), ...(limits && { limits: texts(limits) }) };
}
