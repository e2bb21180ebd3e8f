import { labels, MANAGED_BY } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { Reflector } from '../kube/reflector.ts';
import { cronJobs, jobs, pods } from '../kube/resources.ts';
import type { Job, Pod } from './objects.ts';
import type { PlanObject } from './schedules/planned-run.ts';
import { slimJob, slimPlan, slimPod } from './transform.ts';

/** Who is told of what is seen. */
export interface RunWatcher {
  /** Of all Jobs of ours: runs, and steps that are Jobs. */
  readonly onJob: (job: Job) => void;
  readonly onJobDeleted: (job: Job) => void;
  /** Of the pods of steps. */
  readonly onPod: (pod: Pod) => void;
  readonly onPodDeleted: (pod: Pod) => void;
  /** Of a watch that failed and is resumed. */
  readonly onError: (error: unknown) => void;
}

/** The watches of runs and of what their steps are, in a namespace, or with null in all; to be started. */
export function runReflectors(
  client: KubeClient,
  namespace: string | null,
  { onJob, onJobDeleted, onPod, onPodDeleted, onError }: RunWatcher,
): readonly Reflector[] {
  const managed = `${labels.managedBy}=${MANAGED_BY}`;
  const jobReflector = new Reflector<Job>(client, jobs, {
    namespace,
    labelSelector: managed,
    transform: slimJob,
    onChange: onJob,
    onDelete: onJobDeleted,
    onError,
  });
  const podReflector = new Reflector<Pod>(client, pods, {
    namespace,
    labelSelector: `${managed},${labels.step}`,
    transform: slimPod,
    onChange: onPod,
    onDelete: onPodDeleted,
    onError,
  });
  return [jobReflector as unknown as Reflector, podReflector as unknown as Reflector];
}

/** Who is told of what is seen of plans. */
export interface PlanWatcher {
  readonly onPlan: (plan: PlanObject) => void;
  readonly onPlanDeleted: (plan: PlanObject) => void;
  readonly onError: (error: unknown) => void;
}

/** The watch of plans, in a namespace, or with null in all; to be started. No run waits for it. */
export function planReflector(
  client: KubeClient,
  namespace: string | null,
  { onPlan, onPlanDeleted, onError }: PlanWatcher,
): Reflector<PlanObject> {
  return new Reflector<PlanObject>(client, cronJobs, {
    namespace,
    labelSelector: `${labels.managedBy}=${MANAGED_BY},${labels.plan}`,
    transform: slimPlan,
    onChange: onPlan,
    onDelete: onPlanDeleted,
    onError,
  });
}
