import type { PodTemplateOverride } from '../template.ts';
import { inMain } from './container.ts';

const VOLUME = 'shared-memory';
const PATH = '/dev/shm';

export interface SharedMemorySettings {
  /**
   * Size of `/dev/shm` in the main container, in bytes as a quantity. What is written there counts against the memory
   * limit of the container. `null` goes back to the default. @default the container runtime's, most often 64Mi
   *
   * @example
   * sharedMemory: '2Gi' // data loaders of PyTorch that pass batches between processes
   */
  readonly sharedMemory?: string | null;
}

export function sharedMemoryFragment({ sharedMemory }: SharedMemorySettings): PodTemplateOverride | undefined {
  if (sharedMemory === undefined) return undefined;
  const remove = { $patch: 'delete' } as const;
  const volume = sharedMemory === null ? remove : { emptyDir: { medium: 'Memory', sizeLimit: sharedMemory } };
  const mount = sharedMemory === null ? remove : { name: VOLUME };
  const { spec } = inMain({ volumeMounts: [{ mountPath: PATH, ...mount }] });
  return { spec: { volumes: [{ name: VOLUME, ...volume }], ...(spec as object) } };
}
