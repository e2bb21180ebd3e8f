import type { ServiceAccountLike } from './settings.ts';

/** How a run without a controller is sequenced: by a pod of its own, the driver. */
export interface DriverProps {
  /** @default the image of this version's controller */
  readonly image?: string;
  /** Must be allowed what `WorkflowDriverAccount` grants. @default 'cdk8s-workflows-driver' */
  readonly serviceAccount?: ServiceAccountLike;
}
