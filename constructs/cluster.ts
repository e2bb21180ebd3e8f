import type { IConstruct } from 'constructs';
import { placePlan, type ClusterSelector, type PlanPlacement } from '../lib/graph/placement.ts';
import type { JobOverride } from '../lib/pods/job-template.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { CallSite } from './call-site.ts';

/** A cluster of a fleet. */
export interface Cluster {
  /** Unique in the fleet; the name of its output directory; a DNS label. */
  readonly name: string;
  /** What plans select clusters by. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** The context of the kubeconfig that reaches it. @default its name */
  readonly context?: string;
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
  readonly defaultCluster?: ClusterSelector;
  readonly plans: Map<string, PlanPlacement>;
  /** Where the clusters were written. */
  readonly site: CallSite;
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

/** Whether a plan belongs on the cluster that it is synthesized for, or why it belongs nowhere. Without a fleet there is one place only. */
export function placeHere(plan: IConstruct, name: string, selector: ClusterSelector | undefined): boolean | Problem {
  const context = contexts.get(plan.node.root);
  if (context === undefined)
    return (
      selector === undefined || {
        path: 'cluster',
        message: 'is set, but the app belongs to no fleet',
        fix: 'synthesize it from a Fleet',
      }
    );
  const placement = placePlan(name, selector ?? context.defaultCluster, context.clusters);
  if ('message' in placement) return placement;
  context.plans.set(name, placement);
  return placement.cluster === context.cluster.name;
}
