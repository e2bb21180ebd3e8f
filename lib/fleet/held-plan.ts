import { annotations, CONTROLLER_NAME, labels } from '../graph/labels.ts';
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

/** What a plan is kept from; nothing when it is not held, or when anybody broke the annotation. */
export function nextOf({ metadata }: KubeObject): KubeObject | undefined {
  try {
    const next: unknown = JSON.parse(metadata.annotations?.[annotations.next] ?? 'null');
    return isJsonObject(next) && isJsonObject(next.metadata) ? (next as unknown as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/** A manifest as it is applied over a plan that is held: its runs stay as they are. */
export function heldManifest(wanted: KubeObject, live: KubeObject): KubeObject {
  const base = ownedPart(live);
  const held = base !== undefined && plannedGraph(base) !== undefined ? base : live;
  const { metadata, spec } = wanted;
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
    spec: { ...(spec as object), jobTemplate: (held.spec as PlanSpec).jobTemplate },
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
 * A plan as it is applied to start runs of an earlier version, and to be held there. Nothing when it was not applied by us, for then there
 * is no manifest to come back to.
 */
export function rolledBack(live: KubeObject, { graph, version, steps }: TargetVersion): KubeObject | undefined {
  const base = ownedPart(live);
  if (base === undefined || plannedGraph(base) === undefined) return undefined;
  const { [annotations.next]: _, ...notes } = base.metadata.annotations ?? {};
  const applied = { ...base, metadata: { ...base.metadata, annotations: notes } };
  const next = nextOf(live) ?? applied;
  if (plannedGraph(next) === graph) return next;
  const { jobTemplate } = base.spec as PlanSpec;
  const given = jobTemplate?.metadata;
  return {
    ...applied,
    metadata: {
      ...applied.metadata,
      labels: { ...applied.metadata.labels, [labels.version]: version },
      annotations: { ...notes, [annotations.next]: canonicalJson(next) },
    },
    spec: {
      ...(base.spec as object),
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
