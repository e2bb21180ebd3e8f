import { decodeGraph, type GraphData } from '../../graph/config-map.ts';
import { taskSteps, type Graph } from '../../graph/graph.ts';
import { annotations } from '../../graph/labels.ts';
import type { NotificationDocument } from '../../graph/notifications.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { isJsonObject } from '../../values/json.ts';
import { namedIn, textsIn, type ObjectName } from './named-objects.ts';

/** What runs are made from, of one namespace. */
export interface RunSources {
  /** Graphs by their names; nothing for one that does not exist. */
  readonly graphs: ReadonlyMap<string, KubeObject | undefined>;
  /** PodTemplates by their names. */
  readonly templates: ReadonlyMap<string, KubeObject>;
  /** CronJobs by their names. */
  readonly plans: ReadonlyMap<string, KubeObject>;
}

/** What of a Job, or of the Jobs that a plan makes, says what its pods are. */
export interface JobLike {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

/** What a run needs to be there until its end. */
export interface RunNeeds {
  readonly names: ReadonlySet<ObjectName>;
  /** Where pods wait for values, any of these may turn out to be the name of an object. */
  readonly texts: ReadonlySet<string>;
  /** Graphs that cannot be read: what the run needs is not known. */
  readonly unreadable: readonly string[];
}

/** What the Jobs of a plan are made from. */
export function jobOf(plan: KubeObject): JobLike {
  return (plan.spec as { readonly jobTemplate?: JobLike } | undefined)?.jobTemplate ?? {};
}

/** The graph that a run is of. */
export function graphOf(job: JobLike): string | undefined {
  return job.metadata?.annotations?.[annotations.graph];
}

/** Annotations of a Job that hold parts of pods, or Secrets. */
const NAMING = [
  annotations.podOverride,
  annotations.jobOverride,
  annotations.runOverride,
  annotations.notifications,
] as const;

interface Part {
  readonly names: readonly ObjectName[];
  readonly texts: readonly string[];
  /** Graphs and plans that belong to it, by key. */
  readonly next: readonly string[];
  readonly unreadable?: string;
}

const NOTHING: Part = { names: [], texts: [], next: [] };

/** Says of runs what they need: what their pods name, and those of the runs within them, at the versions that they are of. */
export class NeedsFinder {
  readonly #sources: RunSources;
  readonly #parts = new Map<string, Part>();
  readonly #reached = new Map<string, RunNeeds>();

  constructor(sources: RunSources) {
    this.#sources = sources;
  }

  needsOf(job: JobLike): RunNeeds {
    const own = ownPart(job);
    const within = own.next.map((key) => this.#reach(key));
    // Of a run whose pods wait for no values, the inputs name nothing.
    const waits = within.some(({ texts }) => texts.size > 0);
    return {
      names: new Set([...own.names, ...within.flatMap(({ names }) => [...names])]),
      texts: waits ? new Set([...own.texts, ...within.flatMap(({ texts }) => [...texts])]) : new Set(),
      unreadable: within.flatMap(({ unreadable }) => unreadable),
    };
  }

  /** A graph or plan with all that belongs to it; plans may launch each other. */
  #reach(start: string): RunNeeds {
    const known = this.#reached.get(start);
    if (known !== undefined) return known;
    const keys = new Set([start]);
    // What is added to a set while it is gone through is gone through too.
    for (const key of keys) for (const next of this.#part(key).next) keys.add(next);
    const parts = [...keys].map((key) => this.#part(key));
    const needs = {
      names: new Set(parts.flatMap(({ names }) => names)),
      texts: new Set(parts.flatMap(({ texts }) => texts)),
      unreadable: parts.flatMap(({ unreadable }) => unreadable ?? []),
    };
    this.#reached.set(start, needs);
    return needs;
  }

  #part(key: string): Part {
    let part = this.#parts.get(key);
    if (part === undefined) {
      const [kind, name] = key.split(' ') as ['graph' | 'plan', string];
      part = kind === 'graph' ? this.#graphPart(name) : this.#planPart(name);
      this.#parts.set(key, part);
    }
    return part;
  }

  #graphPart(name: string): Part {
    const object = this.#sources.graphs.get(name);
    if (object === undefined) return NOTHING;
    const decoded = decodeGraph(object as GraphData);
    if ('problems' in decoded) return { ...NOTHING, unreadable: name };
    const { graph } = decoded;
    const templates = taskSteps(graph).map(({ template }) => this.#sources.templates.get(template));
    const policies = templates.map((template) => json(template?.metadata.annotations?.[annotations.policy]));
    return {
      names: [...namedIn([templates.map((template) => template?.template), policies])],
      texts: waitsForValues(graph) ? [...textsIn(graph.steps)] : [],
      next: childrenOf(graph),
    };
  }

  #planPart(name: string): Part {
    const plan = this.#sources.plans.get(name);
    if (plan === undefined) return NOTHING;
    const { names, next } = ownPart(jobOf(plan));
    return { names: [`CronJob.batch ${name}`, ...names], texts: [], next };
  }
}

/** The graphs and plans of the runs that the steps of a graph are, on its own cluster: `graph etl-5k0x2m`, `plan etl-a`. */
export function childrenOf({ steps }: Graph): readonly string[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'run' || step.cluster !== undefined) return [];
    return 'graph' in step.runs ? `graph ${step.runs.graph}` : `plan ${step.runs.plan}`;
  });
}

function ownPart(job: JobLike): Part {
  const given = job.metadata?.annotations ?? {};
  const graph = graphOf(job);
  const parts = NAMING.map((key) => json(given[key]));
  return {
    names: [...namedIn([(job.spec as { readonly template?: unknown } | undefined)?.template, parts])],
    texts: [...textsIn(json(given[annotations.inputs]))],
    next: [...(graph === undefined ? [] : [`graph ${graph}`]), ...launchedByNotice(given)],
  };
}

/** Plans that are launched when it is told how the run went. */
function launchedByNotice(given: Readonly<Record<string, string>>): readonly string[] {
  const document = json(given[annotations.notifications]) as Partial<NotificationDocument> | undefined;
  if (!isJsonObject(document?.notifications)) return [];
  return Object.values(document.notifications).flatMap((notification: unknown) => {
    const { to } = notification as { readonly to?: { readonly plan?: unknown } };
    return typeof to?.plan === 'string' ? `plan ${to.plan}` : [];
  });
}

function waitsForValues(graph: Graph): boolean {
  return taskSteps(graph).some((step) => 'pod' in step || 'spot' in step || 'job' in step);
}

/** What cannot be read names nothing: whoever runs it refuses it. */
function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
