import type { PodTemplate } from '../lib/pods/template.ts';
import { podFieldVariable, serviceAccountName, type ServiceAccountLike } from './settings.ts';

/** The image of controller and driver that is used when none is named. */
export const DEFAULT_IMAGE = 'cdk8s-workflows/controller:0.1.0';

/** The service account of drivers when none is named; see `WorkflowDriverAccount`. */
export const DEFAULT_DRIVER_ACCOUNT = 'cdk8s-workflows-driver';

/** The container of the driver's pod. */
export const DRIVER_CONTAINER = 'driver';

/** How a run without a controller is sequenced: by a pod of its own, the driver. */
export interface DriverProps {
  /** @default the image of this version's controller */
  readonly image?: string;
  /** Must be allowed what `WorkflowDriverAccount` grants. @default 'cdk8s-workflows-driver' */
  readonly serviceAccount?: ServiceAccountLike;
}

/** The pod that runs the engine for one run. Every run's Job carries it; it is started where nothing manages the Job. */
export function driverTemplate({
  image = DEFAULT_IMAGE,
  serviceAccount = DEFAULT_DRIVER_ACCOUNT,
}: DriverProps): PodTemplate {
  return {
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: serviceAccountName(serviceAccount)!,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: DRIVER_CONTAINER,
          image,
          args: ['driver'],
          env: [
            podFieldVariable('WORKFLOW_JOB', "metadata.labels['batch.kubernetes.io/job-name']"),
            podFieldVariable('POD_NAMESPACE', 'metadata.namespace'),
          ],
          resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
}
