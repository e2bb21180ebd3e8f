import type { V1PodSecurityContext } from '@kubernetes/client-node/dist/gen/models/V1PodSecurityContext.js';
import type { V1PodSpec } from '@kubernetes/client-node/dist/gen/models/V1PodSpec.js';
import type { V1SecurityContext } from '@kubernetes/client-node/dist/gen/models/V1SecurityContext.js';
import type { Problem } from '../values/problems.ts';
import { containersOf, type PlacedContainer } from './containers.ts';
import type { PodTemplateSpec } from './workload.ts';

/** A pod as the checks look at it. */
export interface CheckedPod {
  readonly spec: V1PodSpec;
  readonly annotations: Readonly<Record<string, string>>;
  readonly containers: readonly PlacedContainer[];
  /** `spec.os.name: windows`, which some checks let off. */
  readonly isWindows: boolean;
}

/** One check of the Pod Security Standards. */
export interface PodCheck {
  /** Its name in Kubernetes. */
  readonly id: string;
  /** The baseline check that it stands in for. @default none */
  readonly overrides?: string;
  readonly problems: (pod: CheckedPod) => Iterable<Problem>;
}

export function toCheckedPod(template: PodTemplateSpec): CheckedPod {
  const spec = template.spec!;
  return {
    spec,
    annotations: template.metadata?.annotations ?? {},
    containers: containersOf(template),
    isWindows: spec.os?.name === 'windows',
  };
}

/** A security context of the pod or of one of its containers, and where it is. */
export interface PlacedContext {
  readonly path: string;
  readonly context: V1SecurityContext;
}

/** The containers' security contexts, as far as they are set. */
export function containerContexts({ containers }: CheckedPod): readonly PlacedContext[] {
  return containers.flatMap(({ path, container: { securityContext: context } }) =>
    context == null ? [] : [{ path: `${path}.securityContext`, context }],
  );
}

/** The security contexts of the pod and of its containers; only fields that both have may be read. */
export function allContexts(pod: CheckedPod): readonly { path: string; context: V1SecurityContext & SharedContext }[] {
  const own = pod.spec.securityContext;
  return [
    ...(own == null ? [] : [{ path: 'spec.securityContext', context: own as V1SecurityContext & SharedContext }]),
    ...containerContexts(pod),
  ];
}

type SharedContext = Pick<
  V1PodSecurityContext,
  'appArmorProfile' | 'seccompProfile' | 'seLinuxOptions' | 'windowsOptions' | 'runAsNonRoot' | 'runAsUser'
>;
