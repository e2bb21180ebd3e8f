import { ApiObject } from 'cdk8s';
import type { ISecret } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { objectName } from '../lib/pods/settings/object-name.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { show, type Problem } from '../lib/values/problems.ts';

/**
 * How the controller launches plans for callers by HTTP. Each replica serves it, behind the Service `cdk8s-workflows-trigger`; docs/client.md has the requests.
 * Who may launch which plan, `grantTrigger` of plans and groups says.
 */
export interface WorkflowTrigger {
  /** What the tokens of callers must be meant for. @default 'cdk8s-workflows-trigger' */
  readonly audience?: string;
  /** How many requests each caller may make in a second to one replica, and twice as many at once; a whole number from 1. @default 10 */
  readonly requestsPerSecond?: number;
  /**
   * A Secret of the type `kubernetes.io/tls` with the certificate of the Service, by name or as the construct of cdk8s-plus; a renewed one is
   * taken within two minutes.
   * @default plain HTTP, for behind a mesh or an ingress that keeps tokens from being read on the way
   */
  readonly tlsSecret?: string | ISecret;
}

const NAME = 'cdk8s-workflows-trigger';
const PORT = 8090;
const DIRECTORY = '/etc/cdk8s-workflows/trigger';

/** @internal The arguments that turn it on. */
export function triggerArgs(trigger: WorkflowTrigger | undefined): readonly string[] {
  if (trigger === undefined) return [];
  const { audience, requestsPerSecond, tlsSecret } = trigger;
  return [
    `--trigger-port=${PORT}`,
    ...(audience === undefined ? [] : [`--trigger-audience=${audience}`]),
    ...(requestsPerSecond === undefined ? [] : [`--trigger-rate=${requestsPerSecond}`]),
    ...(tlsSecret === undefined
      ? []
      : [`--trigger-tls-cert=${DIRECTORY}/tls.crt`, `--trigger-tls-key=${DIRECTORY}/tls.key`]),
  ];
}

/** @internal What the controller's pod has for it. */
export function triggerPod(trigger: WorkflowTrigger | undefined): PodTemplateOverride | undefined {
  if (trigger === undefined) return undefined;
  const { tlsSecret } = trigger;
  const ports = [{ name: 'trigger', containerPort: PORT }];
  if (tlsSecret === undefined) return { spec: { containers: [{ name: 'controller', ports }] } };
  const volumeMounts = [{ name: 'trigger-tls', mountPath: DIRECTORY, readOnly: true }];
  return {
    spec: {
      volumes: [{ name: 'trigger-tls', secret: { secretName: objectName(tlsSecret) } }],
      containers: [{ name: 'controller', ports, volumeMounts }],
    },
  };
}

/** @internal The Service that leads to all replicas. */
export function triggerService(
  scope: Construct,
  { tlsSecret }: WorkflowTrigger,
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): void {
  const [port, appProtocol] = tlsSecret === undefined ? [80, 'http'] : [443, 'https'];
  new ApiObject(scope, 'TriggerService', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, labels },
    spec: { selector, ports: [{ name: 'trigger', port, targetPort: 'trigger', appProtocol }] },
  });
}

/** @internal What is wrong with it. */
export function* triggerProblems(trigger: WorkflowTrigger | undefined): Generator<Problem> {
  const { audience, requestsPerSecond: rate } = trigger ?? {};
  if (audience === '') yield { path: 'trigger.audience', message: 'is empty', fix: 'leave it out' };
  if (rate !== undefined && !(Number.isSafeInteger(rate) && rate >= 1))
    yield { path: 'trigger.requestsPerSecond', message: `must be a whole number from 1, not ${show(rate)}` };
}
