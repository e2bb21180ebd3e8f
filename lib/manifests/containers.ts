import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { PodTemplateSpec } from './workload.ts';

/** A container of a pod template, and where it is. */
export interface PlacedContainer {
  /** Such as `spec.containers[main]`. */
  readonly path: string;
  readonly container: V1Container;
}

/** Every container of a template: init containers, containers, ephemeral ones, as Pod Security visits them (policy/visitor.go). */
export function containersOf({ spec }: PodTemplateSpec): readonly PlacedContainer[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    // An ephemeral container has all the fields of a container and one more.
    ((spec?.[field] ?? []) as readonly V1Container[]).map((container) => ({
      path: `spec.${field}[${container.name}]`,
      container,
    })),
  );
}
