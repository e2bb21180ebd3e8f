import { annotations, type CacheMode, labels } from '../../../graph/labels.ts';
import { runPolicyKeys } from '../../../graph/run-policy.ts';
import type { LaunchedJob } from '../../../runs/launch-job.ts';
import type { JobSpec, RunJob } from '../../../runs/run-objects.ts';
import { hasGraph, inputsOf } from '../../../runs/run-summary.ts';
import { canonicalJson } from '../../../values/json.ts';
import { MAX_RUN_NAME } from '../../../values/names.ts';

/** What a rerun asks of the run before it. */
export interface RerunRequest {
  /** Whether all steps run again. */
  readonly all: boolean;
  /** Steps that run again although they succeeded. */
  readonly steps: readonly string[];
  /** How it uses kept results. @default as the run before it; when all steps run again, it takes none */
  readonly cache?: CacheMode;
  /** @default as the run before it */
  readonly timeoutSeconds?: number;
}

/** What a run asks for when it begins: these annotations make two runs the same. */
const asked = [
  annotations.graph,
  annotations.inputs,
  annotations.podOverride,
  annotations.jobOverride,
  annotations.runOverride,
  annotations.recover,
  annotations.rerunSteps,
  annotations.cache,
  ...runPolicyKeys,
] as const;

/** The name of a run's rerun of a number: `etl-r2`, also for a rerun of `etl-r1`. */
export function rerunName(run: string, number: number): string {
  const end = `-r${number}`;
  return `${numbered(run)
    .root.slice(0, MAX_RUN_NAME - end.length)
    .replace(/-+$/, '')}${end}`;
}

/** The number of a rerun's name; 0 of one that is none. */
export function rerunNumber(run: string): number {
  return numbered(run).number;
}

function numbered(run: string): { readonly root: string; readonly number: number } {
  const [, root, number] = /^(.+)-r(\d{1,5})$/.exec(run) ?? [];
  return root === undefined ? { root: run, number: 0 } : { root, number: Number(number) };
}

/** A Job that asks what a run's Job asked, and to go on from there. */
export function rerunJob(
  old: RunJob,
  name: string,
  { all, steps, cache = all ? 'Overwrite' : undefined, timeoutSeconds }: RerunRequest,
): LaunchedJob {
  const { metadata } = old;
  const recover = !all && hasGraph(old);
  const kept = [
    annotations.graph,
    annotations.inputs,
    annotations.podOverride,
    annotations.jobOverride,
    annotations.runOverride,
    annotations.cache,
    ...runPolicyKeys,
  ];
  const given = [...kept, annotations.parallelism, annotations.priority, annotations.notifications].flatMap((key) => {
    // The time of a run stays that of the one before it.
    const value =
      key === annotations.inputs && hasGraph(old) ? canonicalJson(inputsOf(metadata)) : metadata.annotations?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: ownLabels(metadata.labels),
      annotations: {
        ...Object.fromEntries(given),
        'cronjob.kubernetes.io/instantiate': 'manual',
        ...(cache && hasGraph(old) && { [annotations.cache]: cache }),
        ...(recover && { [annotations.recover]: metadata.name }),
        ...(recover && steps.length > 0 && { [annotations.rerunSteps]: JSON.stringify(steps) }),
      },
      // As its predecessor, it counts towards its plan's history limits and goes with the plan.
      ownerReferences: metadata.ownerReferences?.filter(({ kind }) => kind === 'CronJob'),
    },
    spec: { ...specOf(old), ...(timeoutSeconds !== undefined && { activeDeadlineSeconds: timeoutSeconds }) },
  };
}

/** A rerun of a run that was a step of another is a run by itself. */
function ownLabels(all: RunJob['metadata']['labels'] = {}): Record<string, string> {
  const { run, step, attempt, parentCluster, parentNamespace, parentUid } = labels;
  const ofStep: ReadonlySet<string> = new Set([run, step, attempt, parentCluster, parentNamespace, parentUid]);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !ofStep.has(key)));
}

/** Whether two runs ask for the same. */
export function isSameRequest(a: Pick<RunJob, 'metadata'>, b: Pick<RunJob, 'metadata'>): boolean {
  return asked.every((key) => a.metadata.annotations?.[key] === b.metadata.annotations?.[key]);
}

/** What the API server adds to a Job for its pods alone. (pkg/registry/batch/job/strategy.go: generateSelector) */
const generated: ReadonlySet<string> = new Set([
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
]);

function specOf(old: RunJob): JobSpec {
  // A run that was suspended when it ended is not rerun to stand still.
  const { selector: _, suspend: __, activeDeadlineSeconds, template, ...spec } = old.spec;
  const labels = Object.entries(template?.metadata?.labels ?? {}).filter(([key]) => !generated.has(key));
  return {
    ...spec,
    ...(activeDeadlineSeconds !== undefined && !isCutShort(old) && { activeDeadlineSeconds }),
    ...(template && {
      template: { ...template, metadata: { ...template.metadata, labels: Object.fromEntries(labels) } },
    }),
  };
}

/** Whether a deadline was set to cancel the run, see `cancel`: what it was before is not known any more. */
export function isCutShort(old: RunJob): boolean {
  return !hasGraph(old) && old.metadata.annotations?.[annotations.cancel] !== undefined;
}
