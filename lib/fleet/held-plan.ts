import { annotations, CONTROLLER_NAME, labels, scheduleAnnotations } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import { canonicalJson, isJsonObject } from '../values/json.ts';
import { ownedPart } from './owned-part.ts';

/**
 * A plan is held when it goes on to start runs of the version it has, though it was applied with another. All that its runs are made of stays, for
 * inputs and settings fit a version; its schedule and all else is as applied. What it is kept from is in an annotation, so that
 * it is known without the directory that it came from.
 */

/** What of a CronJob's own metadata is said of the version. */
const HELD_LABELS = [labels.workflow, labels.version];
const HELD_ANNOTATIONS = [annotations.fixedInputs, annotations.settingOrigins];

interface PlanSpec {
  readonly jobTemplate?: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec?: { readonly managedBy?: string };
  };
}

/** The graph of the runs that a plan starts; nothing for a single task, and for what is no plan. */
export function plannedGraph({ kind, spec }: KubeObject): string | undefined {
  if (kind !== 'CronJob') return undefined;
  return (spec as PlanSpec | undefined)?.jobTemplate?.metadata?.annotations?.[annotations.graph];
}

/** The version that the runs of a plan are of. */
export function plannedVersion({ spec }: KubeObject): string | undefined {
  return (spec as PlanSpec | undefined)?.jobTemplate?.metadata?.labels?.[labels.version];
}

/** What a plan is kept from; nothing when it is not held. */
export function nextOf(plan: KubeObject): KubeObject | undefined {
  return manifestIn(plan, annotations.next);
}

/** What a plan was before a canary or a promotion moved it. */
export function previousOf(plan: KubeObject): KubeObject | undefined {
  return manifestIn(plan, annotations.previous);
}

/** Nothing when anybody broke the annotation. */
function manifestIn({ metadata }: KubeObject, annotation: string): KubeObject | undefined {
  try {
    const manifest: unknown = JSON.parse(metadata.annotations?.[annotation] ?? 'null');
    return isJsonObject(manifest) && isJsonObject(manifest.metadata) ? (manifest as unknown as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/** A plan as it was applied last; nothing when it was not applied by us. */
function appliedPlan(live: KubeObject): KubeObject | undefined {
  const owned = ownedPart(live);
  if (owned === undefined || plannedGraph(owned) === undefined) return undefined;
  const { [annotations.next]: _next, [annotations.previous]: _previous, ...notes } = owned.metadata.annotations ?? {};
  return { ...owned, metadata: { ...owned.metadata, annotations: notes } };
}

/** A manifest as it is applied over a plan that is held: its runs stay as they are. */
export function heldManifest(wanted: KubeObject, live: KubeObject): KubeObject {
  return heldAt(wanted, appliedPlan(live) ?? live);
}

function heldAt(wanted: KubeObject, held: KubeObject): KubeObject {
  const { metadata, spec } = wanted;
  const { jobTemplate } = held.spec as PlanSpec;
  // The schedule is as wanted, and a part of what it says is here.
  const notes = {
    ...without(jobTemplate?.metadata?.annotations, scheduleAnnotations),
    ...only((spec as PlanSpec).jobTemplate?.metadata?.annotations, scheduleAnnotations),
  };
  return {
    ...wanted,
    metadata: {
      ...metadata,
      labels: { ...without(metadata.labels, HELD_LABELS), ...only(held.metadata.labels, HELD_LABELS) },
      annotations: {
        ...without(metadata.annotations, HELD_ANNOTATIONS),
        ...only(held.metadata.annotations, HELD_ANNOTATIONS),
        [annotations.next]: canonicalJson(wanted),
      },
    },
    spec: {
      ...(spec as object),
      jobTemplate: { ...jobTemplate, metadata: { ...jobTemplate?.metadata, annotations: notes } },
    },
  };
}

/** A manifest as it is applied over a plan that goes to another version in a way that may be taken back: it carries what the plan was. */
export function movedManifest(wanted: KubeObject, live: KubeObject): KubeObject {
  const applied = appliedPlan(live);
  return applied === undefined ? wanted : withPrevious(wanted, canonicalJson(applied));
}

/** A manifest as it is applied over a plan that is of its version: what the plan was before stays known. */
export function keepingPrevious(wanted: KubeObject, live: KubeObject): KubeObject {
  const previous = live.metadata.annotations?.[annotations.previous];
  return previous === undefined || plannedGraph(wanted) !== plannedGraph(live)
    ? wanted
    : withPrevious(wanted, previous);
}

function withPrevious(wanted: KubeObject, previous: string): KubeObject {
  const { metadata } = wanted;
  return {
    ...wanted,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotations.previous]: previous } },
  };
}

/** A version of a plan's workflow. */
export interface TargetVersion {
  /** The name of its graph. */
  readonly graph: string;
  readonly version: string;
  readonly steps: number;
}

/**
 * A plan as it is applied to start runs of an earlier version, and to be held there: as it was when it had that version, where that is known, else
 * with nothing changed but the version. Nothing when it was not applied by us, for then there is no manifest to come back to.
 */
export function rolledBack(live: KubeObject, { graph, version, steps }: TargetVersion): KubeObject | undefined {
  const applied = appliedPlan(live);
  if (applied === undefined) return undefined;
  const next = nextOf(live) ?? applied;
  if (plannedGraph(next) === graph) return next;
  const previous = previousOf(live);
  if (previous !== undefined && plannedGraph(previous) === graph) return heldAt(next, previous);
  const { jobTemplate } = applied.spec as PlanSpec;
  const given = jobTemplate?.metadata;
  return {
    ...applied,
    metadata: {
      ...applied.metadata,
      labels: { ...applied.metadata.labels, [labels.version]: version },
      annotations: { ...applied.metadata.annotations, [annotations.next]: canonicalJson(next) },
    },
    spec: {
      ...(applied.spec as object),
      jobTemplate: {
        ...jobTemplate,
        metadata: {
          ...given,
          labels: { ...given?.labels, [labels.version]: version },
          annotations: { ...given?.annotations, [annotations.graph]: graph },
        },
        // The Job of a driver counts its one pod.
        spec: { ...jobTemplate?.spec, ...(jobTemplate?.spec?.managedBy === CONTROLLER_NAME && { completions: steps }) },
      },
    },
  };
}

type Texts = Readonly<Record<string, string>> | undefined;

function only(given: Texts = {}, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
}

function without(given: Texts = {}, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
}
