import type { PodTemplate } from '../pods/template.ts';

/** The image of controller and driver that is used when none is named. */
export const DEFAULT_IMAGE = 'cdk8s-workflows/controller:0.1.0';

/** The service account of drivers when none is named; see `WorkflowDriverAccount`. */
export const DEFAULT_DRIVER_ACCOUNT = 'cdk8s-workflows-driver';

/** The container of the driver's pod. */
const DRIVER_CONTAINER = 'driver';

/** A driver that ends with 1 says that its run failed; another would say the same. One that is evicted goes on as another. */
export const DRIVER_FAILURES = {
  rules: [
    { action: 'FailJob', onExitCodes: { containerName: DRIVER_CONTAINER, operator: 'In', values: [1] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ],
} as const;

/** The driver of a run, by names. */
export interface Driver {
  readonly image?: string;
  readonly serviceAccount?: string;
}

/** The pod that runs the engine for one run. Every run's Job carries it; it is started where nothing manages the Job. */
export function driverTemplate({
  image = DEFAULT_IMAGE,
  serviceAccount = DEFAULT_DRIVER_ACCOUNT,
}: Driver): PodTemplate {
  return {
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: serviceAccount,
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

/**
 * A variable with a field of the pod. It is written with the version that the API server would fill in: the reference is one
 * value as a whole, so that without it two who apply the same manifest would be in conflict. (ObjectFieldSelector: x-kubernetes-map-type)
 */
export function podFieldVariable(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}
