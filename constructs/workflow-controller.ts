import { ApiObject } from 'cdk8s';
import { ServiceAccount, type ISecret } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import {
  clusterIdentityRules,
  controllerRules,
  driverRules,
  failoverRules,
  leaderElectionRules,
  triggerRules,
  type PermissionRule,
} from '../lib/graph/permissions.ts';
import { DEFAULT_DRIVER_ACCOUNT, DEFAULT_IMAGE, podFieldVariable } from '../lib/plans/driver.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import { mergeLayers } from '../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../lib/pods/template.ts';
import { namespaceOf } from './cluster.ts';
import { failoverArgs, failoverProblems, type ControllerFailover } from './controller-failover.ts';
import { grant, type Grant } from './grant.ts';
import { later } from './later.ts';
import { secretRules } from './notification-secrets.ts';
import { reportProblems } from './problems.ts';
import {
  clustersElsewhere,
  remoteClusterArgs,
  remoteClusterMounts,
  remoteClusterProblems,
  type RemoteClusterAccess,
} from './remote-clusters.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { checkObjectsIn } from './validate-manifests.ts';
import { triggerArgs, triggerPod, triggerProblems, triggerService, type WorkflowTrigger } from './workflow-trigger.ts';

export interface WorkflowControllerProps {
  /** @default this version's image */
  readonly image?: string;
  /** One leads, the others take over when it is lost. @default 2 */
  readonly replicas?: number;
  /**
   * Whose runs it sequences: its own namespace, with a Role, or every namespace, with a ClusterRole.
   * @default 'namespace'
   */
  readonly scope?: 'namespace' | 'cluster';
  /** How many steps of all runs may run at once. @default as many as the runs allow */
  readonly maxSteps?: number;
  /** How many steps of the runs of one namespace may run at once. @default as many as the runs allow */
  readonly maxStepsPerNamespace?: number;
  /**
   * Other clusters that steps may have their runs on. With any, the controller may also read the namespace `kube-system`, whose
   * uid tells its cluster from others.
   * @default none
   */
  readonly remoteClusters?: readonly RemoteClusterAccess[];
  /** Takes over plans of other clusters, as `failover` does by hand, when one of them was lost for so long. @default never */
  readonly failover?: ControllerFailover;
  /**
   * Secrets that it may read for the notifications of other apps, by name or as the construct of cdk8s-plus. Those that plans and runs of its own app name need
   * not be given.
   * @default none
   */
  readonly notificationSecrets?: readonly (string | ISecret)[];
  /** Launches plans for callers by HTTP. With it the controller may also ask whose a token is and what they may do, of the cluster. @default nobody may */
  readonly trigger?: WorkflowTrigger;
  /** Merged over the controller's pod, whose container is named `controller`. @default nothing */
  readonly podTemplate?: PodTemplateOverride;
}

const NAME = 'cdk8s-workflows-controller';
const HEALTH_PORT = 8080;

/**
 * The controller as manifests: a Deployment with a leader Lease, its service account, and a role that allows what it
 * does and no more.
 */
export class WorkflowController extends Construct {
  constructor(scope: Construct, id: string, props: WorkflowControllerProps = {}) {
    super(scope, id);
    const clusterWide = props.scope === 'cluster';
    const account = new ServiceAccount(this, 'ServiceAccount', {
      metadata: { name: NAME, labels: LABELS },
      automountToken: true,
    });
    const allow = (kind: Grant['kind'], name: string, rules: readonly PermissionRule[]) =>
      grant(this, { kind, name, rules, subjects: () => [account] });
    const secretsOf = clusterWide ? 'cluster' : { namespace: namespaceOf(this) };
    const others = (props.notificationSecrets ?? []).map(objectName);
    const rules = later(() => [...controllerRules, ...secretRules(this, secretsOf, others)]);
    allow(clusterWide ? 'ClusterRole' : 'Role', NAME, rules);
    allow('Role', `${NAME}-leader`, leaderElectionRules);
    const remotes = clustersElsewhere(this, props.remoteClusters ?? []);
    if (remotes.length > 0) allow('ClusterRole', `${NAME}-identity`, clusterIdentityRules);
    const takesOver = failoverArgs(this, props.failover);
    if (takesOver.length > 0) allow(clusterWide ? 'ClusterRole' : 'Role', `${NAME}-failover`, failoverRules);
    const { trigger } = props;
    if (trigger !== undefined) {
      allow('ClusterRole', `${NAME}-trigger`, triggerRules);
      triggerService(this, trigger, LABELS, SELECTOR);
    }
    const moreArgs = [...remoteClusterArgs(this, remotes, clusterWide), ...takesOver, ...triggerArgs(trigger)];
    new ApiObject(this, 'Lease', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: NAME, labels: LABELS },
    });
    new ApiObject(this, 'Deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME, labels: LABELS },
      spec: {
        replicas: props.replicas ?? 2,
        selector: { matchLabels: SELECTOR },
        template: mergeLayers([
          podTemplate(props, moreArgs),
          remoteClusterMounts(remotes),
          triggerPod(trigger),
          props.podTemplate,
        ]),
      },
    });
    const reached = remotes.map(({ name }) => name);
    reportProblems(this, () => [
      ...limitProblems(props),
      ...remoteClusterProblems(this, props.remoteClusters ?? []),
      ...failoverProblems(this, props.failover, reached),
      ...triggerProblems(trigger),
    ]);
    checkObjectsIn(this);
  }
}

function* limitProblems({ maxSteps, maxStepsPerNamespace }: WorkflowControllerProps): Generator<Problem> {
  for (const [path, limit] of Object.entries({ maxSteps, maxStepsPerNamespace }))
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1))
      yield { path, message: `must be a whole number from 1, not ${show(limit)}` };
}

const SELECTOR = { 'app.kubernetes.io/name': NAME };
const LABELS = { ...SELECTOR, [labels.managedBy]: MANAGED_BY };

function podTemplate(
  { image = DEFAULT_IMAGE, scope, maxSteps, maxStepsPerNamespace }: WorkflowControllerProps,
  moreArgs: readonly string[],
): PodTemplate {
  const probe = (path: string) => ({ httpGet: { path, port: 'health' }, periodSeconds: 10 });
  return {
    metadata: { labels: LABELS },
    spec: {
      serviceAccountName: NAME,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'controller',
          image,
          args: [
            'controller',
            ...(scope === 'cluster' ? ['--all-namespaces'] : []),
            ...(maxSteps === undefined ? [] : [`--max-steps=${maxSteps}`]),
            ...(maxStepsPerNamespace === undefined ? [] : [`--max-steps-per-namespace=${maxStepsPerNamespace}`]),
            ...moreArgs,
            `--health-port=${HEALTH_PORT}`,
            `--lease-name=${NAME}`,
          ],
          env: [podFieldVariable('POD_NAMESPACE', 'metadata.namespace')],
          ports: [{ name: 'health', containerPort: HEALTH_PORT }],
          livenessProbe: { ...probe('/healthz'), failureThreshold: 3 },
          readinessProbe: probe('/readyz'),
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
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

/** The service account that drivers run as, with a role that allows what they do and no more. One a namespace. */
export class WorkflowDriverAccount extends Construct {
  /** Its name, for `driver: { serviceAccount }`. */
  readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    props: { /** @default 'cdk8s-workflows-driver' */ readonly name?: string } = {},
  ) {
    super(scope, id);
    this.name = props.name ?? DEFAULT_DRIVER_ACCOUNT;
    const account = new ServiceAccount(this, 'ServiceAccount', {
      metadata: { name: this.name, labels: { [labels.managedBy]: MANAGED_BY } },
      automountToken: true,
    });
    grant(this, { kind: 'Role', name: this.name, rules: driverRules, subjects: () => [account] });
    checkObjectsIn(this);
  }
}
