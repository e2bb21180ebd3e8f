import { ApiObject, Chart, JsonPatch } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { NoValues } from '../lib/values/shape.ts';
import { namespaceOf } from './cluster.ts';
import { labelProblems } from '../lib/values/label-problems.ts';
import type { LaunchPlanSettings } from './launch-plan-settings.ts';
import { claimName } from './names.ts';
import { reportProblems } from './problems.ts';
import { checkObjectsIn } from './validate-manifests.ts';

/** Amounts by resource: `{ cpu: '500m', memory: '1Gi' }`. */
export type ResourceAmounts = Readonly<Record<string, string | number>>;

/** What containers, pods or volume claims may have: an item of a LimitRange. (kubernetes.io/docs/concepts/policy/limit-range) */
export interface LimitRangeItem {
  readonly type: 'Container' | 'Pod' | 'PersistentVolumeClaim';
  /** The limits of a container that says none. @default none */
  readonly default?: ResourceAmounts;
  /** The requests of a container that says none. @default `default` */
  readonly defaultRequest?: ResourceAmounts;
  /** @default no upper bound */
  readonly max?: ResourceAmounts;
  /** @default no lower bound */
  readonly min?: ResourceAmounts;
  /** How many times its request a limit may be. @default any number of times */
  readonly maxLimitRequestRatio?: ResourceAmounts;
}

export interface PlanNamespaceProps {
  /** Name of the namespace; a DNS label. @default the construct's id */
  readonly name?: string;
  /** Labels of the namespace, such as `pod-security.kubernetes.io/enforce: 'restricted'`. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the namespace. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * What all that is in it may have together: `spec.hard` of a ResourceQuota, such as `{ 'requests.cpu': '20', pods: 50 }`. With a quota on cpu or
   * memory every container must say how much of it it wants, or get that from `limitRange`. @default no quota
   */
  readonly quota?: ResourceAmounts;
  /** What single containers, pods or volume claims may have, and have by default: `spec.limits` of a LimitRange. @default no limits */
  readonly limitRange?: readonly LimitRangeItem[];
}

/**
 * A namespace for plans, and a chart: what is made in it belongs to the namespace, such as service accounts, Secrets, and plans over workflows of
 * other charts. `apply` writes the namespace first, and never deletes it.
 *
 * @example
 * const team = new PlanNamespace(app, 'team-a', {
 *   quota: { 'requests.cpu': '20', 'requests.memory': '64Gi' },
 *   limitRange: [{ type: 'Container', defaultRequest: { cpu: '100m', memory: '128Mi' } }],
 * });
 * new LaunchPlan(team, 'etl-team-a', { workflow: etl, serviceAccount: new ServiceAccount(team, 'loader') });
 */
export class PlanNamespace extends Chart {
  /** Name of the namespace. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PlanNamespaceProps = {}) {
    const { name = id, quota, limitRange } = props;
    super(scope, id, { namespace: name });
    this.name = name;
    const ours = { [labels.managedBy]: MANAGED_BY };
    const namespace = new ApiObject(this, 'Namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { ...props.labels, ...ours },
        ...(props.annotations && { annotations: props.annotations }),
      },
    });
    // The chart's is on all that is in it, and a namespace is in none.
    namespace.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
    const metadata = { name: 'plans', labels: ours };
    if (quota !== undefined)
      new ApiObject(this, 'ResourceQuota', {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata,
        spec: { hard: quota },
      });
    if (limitRange !== undefined)
      new ApiObject(this, 'LimitRange', {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata,
        spec: { limits: limitRange },
      });
    checkObjectsIn(this);
    const taken = claimName(this, 'namespace', name, '');
    reportProblems(this, () => [...taken, ...problemsOf(name, props)]);
  }
}

function* problemsOf(name: string, { labels: own, annotations }: PlanNamespaceProps): Generator<Problem> {
  const wrong = dnsLabelProblem(name);
  if (wrong !== undefined) yield { path: 'name', message: `${show(name)} ${wrong}` };
  yield* labelProblems(own, annotations);
}

/** What is wrong with where a plan is: its namespace, that of its workflow, and that of the account that its pods run as. */
export function* namespaceProblems(
  { namespace, serviceAccount }: Pick<LaunchPlanSettings<NoValues>, 'namespace' | 'serviceAccount'>,
  here: string | undefined,
  workflow: string | undefined,
): Generator<Problem> {
  const wrong = namespace === undefined ? undefined : dnsLabelProblem(namespace);
  if (wrong !== undefined) yield { path: 'namespace', message: `${show(namespace)} ${wrong}` };
  if (here === undefined && workflow !== undefined)
    yield {
      path: 'namespace',
      message: `is known to nobody before the plan is applied, and its workflow is in ${show(workflow)}`,
      fix: 'give it, or make the plan in a chart with a namespace',
    };
  const named = (known: string | undefined) => (known === undefined ? 'that it is applied to' : show(known));
  if (!(serviceAccount instanceof ServiceAccount)) return;
  const there = serviceAccount.metadata.namespace ?? namespaceOf(serviceAccount);
  if (there !== here)
    yield {
      path: 'serviceAccount',
      message: `${show(serviceAccount.name)} is in the namespace ${named(there)}, and pods of the plan are in ${named(here)}`,
      fix: 'make one in the chart of that namespace',
    };
}
