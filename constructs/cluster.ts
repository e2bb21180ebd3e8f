import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { ClusterCapabilities } from '../lib/graph/capabilities.ts';
import type { ClusterChoice } from '../lib/graph/place-plan.ts';
import type { PlanPlacement } from '../lib/graph/placement.ts';
import type { JobOverride } from '../lib/pods/job-template.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import type { Labels } from '../lib/values/label-selector.ts';
import type { CallSite } from './call-site.ts';
import type { RunDefaults } from './launch-plan-settings.ts';

/** A cluster of a fleet. */
export interface Cluster {
  /** Unique in the fleet; the name of its output directory; a DNS label. */
  readonly name: string;
  /** What plans select clusters by. @default none */
  readonly labels?: Labels;
  /** Of the plans that may go to several clusters, how many it takes beside the others: with 3 three times as many as with 1. @default 1 */
  readonly weight?: number;
  /** Whether it is in use. A disabled one gets no directory and no plan; a plan that names it is an error. @default true */
  readonly enabled?: boolean;
  /** What it holds: synth checks the pods of plans that are placed on it against this. @default nothing is known */
  readonly capabilities?: ClusterCapabilities;
  /** The context of the kubeconfig that reaches it. @default its name */
  readonly context?: string;
  /**
   * Which cluster it is: the UID of its namespace `kube-system`. `apply` and `diff` refuse any other that the context may lead to.
   * @default the one that was first applied to from the directory of the app
   */
  readonly uid?: string;
  /** The namespace that `apply` puts objects into that name none. @default 'default' */
  readonly namespace?: string;
  /** What every pod on this cluster starts from; tasks and steps may change it. @default nothing */
  readonly podDefaults?: PodTemplateOverride;
  /**
   * What a platform team enforces on every pod of a step on this cluster. Tasks, steps, plans and runs cannot weaken it:
   * its tolerations are added, its required node affinity holds beside theirs, every other field that it sets is as it says,
   * and a layer that says otherwise is an error.
   * @default nothing
   */
  readonly podPolicy?: PodTemplateOverride;
  /** What every Job around a pod on this cluster starts from, of steps with `runAs: 'Job'` and of tasks alone; tasks and steps may change it. @default nothing */
  readonly jobDefaults?: JobOverride;
  /**
   * What a platform team enforces on these Jobs, such as a queue. Every field that it sets is as it says, and a layer that says
   * otherwise is an error, as with `podPolicy`.
   * @default nothing
   */
  readonly jobPolicy?: JobOverride;
}

/** The cluster an app is synthesized for, and what it needs to know of the others. */
export interface ClusterContext {
  readonly cluster: Cluster;
  readonly clusters: readonly Cluster[];
  readonly defaultCluster?: ClusterChoice;
  readonly plans: Map<string, PlanPlacement>;
  /** The apps of all clusters by name, as far as they are defined. */
  readonly apps: ReadonlyMap<string, IConstruct>;
  /** To be called when they all are. */
  readonly onDefined: (() => void)[];
  /** Where the clusters were written. */
  readonly site: CallSite;
  readonly runDefaults?: RunDefaults;
}

const contexts = new WeakMap<IConstruct, ClusterContext>();

/** @internal */
export function setClusterContext(app: IConstruct, context: ClusterContext): void {
  contexts.set(app, context);
}

/** The cluster that a construct is synthesized for; none in an app that belongs to no fleet. */
export function clusterOf(construct: IConstruct): Cluster | undefined {
  return contexts.get(construct.node.root)?.cluster;
}

/** Where the cluster was written that a construct is synthesized for. */
export function clusterSite(construct: IConstruct): CallSite | undefined {
  return contexts.get(construct.node.root)?.site;
}

/** @internal */
export function clusterContext(construct: IConstruct): ClusterContext | undefined {
  return contexts.get(construct.node.root);
}

/** The namespace of what a construct makes; none where only the cluster that it is applied to knows. */
export function namespaceOf(construct: IConstruct): string | undefined {
  const cluster = clusterOf(construct);
  return Chart.of(construct).namespace ?? (cluster === undefined ? undefined : (cluster.namespace ?? 'default'));
}
