import { decodeGraph, type GraphData } from '../../graph/config-map.ts';
import { taskSteps, type Graph, type RunStep } from '../../graph/graph.ts';
import { annotations, CONTROLLER_NAME, labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { EVERY_STEP, type RunOverride } from '../../pods/run-override.ts';
import { readPolicy, runtimeTemplate, type RunLayers } from '../../pods/runtime-template.ts';
import type { PodTemplate, PodTemplateOverride } from '../../pods/template.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { formatProblem, InvalidError } from '../../values/problems.ts';

/** The pods of one step of a plan, or of a plan's only task. */
export interface PodAsk {
  /** `site-etl/extract`; of a single task, its name. */
  readonly step: string;
  readonly template: PodTemplate;
  /** How many there may be at once; each item of a map step has its own. */
  readonly atOnce: number;
  /** Each pod comes with a Job around it. */
  readonly runAsJob: boolean;
}

/** The steps of one run that share its parallelism. */
export interface RunAsk {
  /** How many of the pods below there may be at once, all steps together. */
  readonly parallelism: number;
  readonly pods: readonly PodAsk[];
}

/** What one run of a launch plan, or a run that is applied as such, may ask of a cluster. */
export interface PlanAsk {
  readonly kind: 'plan' | 'run';
  readonly name: string;
  readonly namespace: string;
  /** The cluster's controller sequences it. */
  readonly managed: boolean;
  /** It starts without anybody's doing: a plan that is not suspended, a run that is applied. */
  readonly fires: boolean;
  /** The run itself, and the runs that its steps are; all of them at once. */
  readonly runs: readonly RunAsk[];
  /** What cannot be known from the manifests, in words. */
  readonly unknown: readonly string[];
}

interface JobTemplate {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly managedBy?: string;
    readonly parallelism?: number;
    readonly suspend?: boolean;
    readonly template?: PodTemplate;
  };
}

/** What the plans and runs among objects may ask for. The objects name their namespaces. */
export function planAsks(objects: readonly KubeObject[]): PlanAsk[] {
  const reader = new AskReader(objects);
  return objects.flatMap((object) => {
    const { kind, metadata, spec } = object as KubeObject & { spec?: JobTemplate['spec'] };
    if (metadata.labels?.[labels.managedBy] !== MANAGED_BY) return [];
    if (kind === 'Job') return [reader.ask('run', object, object as JobTemplate, spec?.suspend !== true)];
    if (kind !== 'CronJob') return [];
    const { jobTemplate = {}, suspend } = (spec ?? {}) as { jobTemplate?: JobTemplate; suspend?: boolean };
    return [reader.ask('plan', object, jobTemplate, suspend !== true)];
  });
}

class AskReader {
  readonly #objects: ReadonlyMap<string, KubeObject>;
  readonly #graphs = new Map<string, Graph | string>();
  /** Merged templates: plans of one workflow have most of them in common. */
  readonly #templates = new Map<string, PodTemplate | string>();

  constructor(objects: readonly KubeObject[]) {
    this.#objects = new Map(objects.map((object) => [keyOf(object.kind, object.metadata), object]));
  }

  ask(kind: PlanAsk['kind'], { metadata }: KubeObject, job: JobTemplate, fires: boolean): PlanAsk {
    const { name, namespace = '' } = metadata;
    const managed = job.spec?.managedBy === CONTROLLER_NAME;
    const unknown = new Set<string>();
    const runs = this.#runs(job, { name, namespace, unknown, seen: new Set() });
    return { kind, name, namespace, managed, fires, runs, unknown: [...unknown] };
  }

  #runs(job: JobTemplate, within: Within): RunAsk[] {
    const { spec = {}, metadata } = job;
    const given = metadata?.annotations ?? {};
    const own = spec.template === undefined ? [] : [this.#own(job, within)];
    const graphName = given[annotations.graph];
    if (graphName === undefined) return own;
    const driver = spec.managedBy === undefined;
    const parallelism = driver ? Number(given[annotations.parallelism] ?? 1) : (spec.parallelism ?? 1);
    const steps = this.#graphRuns(graphName, parallelism, overridesOf(given), within);
    // The pod in the Job of a run that the controller sequences is never made.
    return driver ? [...own, ...steps] : steps;
  }

  #own({ spec = {}, metadata }: JobTemplate, { name }: Within): RunAsk {
    const { parallelism = 1, template = {} } = spec;
    const driver = metadata?.annotations?.[annotations.graph] !== undefined;
    const step = driver ? `${name}, its driver` : (metadata?.labels?.[labels.task] ?? name);
    return { parallelism, pods: [{ step, template, atOnce: parallelism, runAsJob: false }] };
  }

  #graphRuns(graphName: string, parallelism: number, overrides: Overrides, within: Within): RunAsk[] {
    const graph = this.#graph(graphName, within.namespace);
    if (typeof graph === 'string') {
      within.unknown.add(graph);
      return [];
    }
    // A workflow that launches itself would never come to an end here: one round of it is counted.
    if (within.seen.has(graphName)) return [];
    const seen = new Set([...within.seen, graphName]);
    const pods = taskSteps(graph).flatMap((step): PodAsk[] => {
      const title = `${graph.workflow}/${step.name}`;
      const template = this.#template(step.name, step.template, overrides, within);
      if (typeof template === 'string') {
        within.unknown.add(`${title}: ${template}`);
        return [];
      }
      const atOnce = step.kind === 'map' ? Math.min(step.concurrency ?? parallelism, parallelism) : 1;
      return [{ step: title, template, atOnce, runAsJob: step.runAs === 'Job' }];
    });
    const children = graph.steps
      .filter((step) => step.kind === 'run')
      // What runs on another cluster asks nothing of this one.
      .filter(({ cluster }) => cluster === undefined)
      .flatMap((step) => this.#childRuns(step, parallelism, ofEveryStep(overrides), { ...within, seen }));
    return [{ parallelism, pods }, ...children];
  }

  #childRuns({ runs }: RunStep, parallelism: number, overrides: Overrides, within: Within): RunAsk[] {
    if ('graph' in runs) return this.#graphRuns(runs.graph, runs.parallelism ?? parallelism, overrides, within);
    const plan = this.#objects.get(keyOf('CronJob', { name: runs.plan, namespace: within.namespace }));
    if (plan === undefined) {
      within.unknown.add(`the plan ${runs.plan}, which a step launches, is not among the manifests`);
      return [];
    }
    const { jobTemplate = {} } = plan.spec as { jobTemplate?: JobTemplate };
    return this.#runs(jobTemplate, { ...within, name: runs.plan });
  }

  #graph(name: string, namespace: string): Graph | string {
    const key = keyOf('ConfigMap', { name, namespace });
    let graph = this.#graphs.get(key);
    if (graph === undefined) {
      const object = this.#objects.get(key);
      const decoded = object && decodeGraph(object as GraphData);
      if (decoded === undefined) graph = `the graph ${name} is not among the manifests`;
      else
        graph =
          'graph' in decoded ? decoded.graph : `the graph ${name}: ${decoded.problems.map(formatProblem).join('; ')}`;
      this.#graphs.set(key, graph);
    }
    return graph;
  }

  #template(step: string, name: string, overrides: Overrides, within: Within): PodTemplate | string {
    const key = `${within.namespace}/${name}/${step}/${overrides.pod ?? ''}/${overrides.run ?? ''}`;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = this.#merged(step, name, overrides, within);
      this.#templates.set(key, template);
    }
    return template;
  }

  #merged(step: string, name: string, overrides: Overrides, { name: run, namespace }: Within) {
    const object = this.#objects.get(keyOf('PodTemplate', { name, namespace })) as
      (KubeObject & { template?: PodTemplate }) | undefined;
    if (object?.template === undefined) return `the PodTemplate ${name} is not among the manifests`;
    try {
      const policy = readPolicy(object.metadata.annotations?.[annotations.policy], `PodTemplate ${name}`);
      const [podOverride, runOverride] = [objectIn(overrides.pod), objectIn(overrides.run)];
      const layers: RunLayers = {
        run,
        plan: run,
        ...(podOverride && { podOverride: podOverride as PodTemplateOverride }),
        ...(runOverride && { runOverride: runOverride as RunOverride }),
      };
      return runtimeTemplate(step, { template: object.template, ...policy }, layers);
    } catch (error) {
      if (error instanceof InvalidError) return error.problems.map(formatProblem).join('; ');
      throw error;
    }
  }
}

/** What a run changes of its pods, as it is written on its Job. */
interface Overrides {
  readonly pod?: string;
  readonly run?: string;
}

function overridesOf(given: Readonly<Record<string, string>>): Overrides {
  const { [annotations.podOverride]: pod, [annotations.runOverride]: run } = given;
  return { ...(pod !== undefined && { pod }), ...(run !== undefined && { run }) };
}

/** What a launch says of single steps says nothing of those of the runs that they are. */
function ofEveryStep({ run, ...rest }: Overrides): Overrides {
  const every = objectIn(run)?.[EVERY_STEP];
  return every === undefined ? rest : { ...rest, run: JSON.stringify({ [EVERY_STEP]: every }) };
}

/** What is none is refused by whoever runs it. */
function objectIn(text: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isJsonObject(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a run is looked at. */
interface Within {
  readonly name: string;
  readonly namespace: string;
  readonly unknown: Set<string>;
  /** Graphs that this one is within. */
  readonly seen: ReadonlySet<string>;
}

function keyOf(kind: string, { name, namespace = '' }: { readonly name: string; readonly namespace?: string }): string {
  return `${kind} ${namespace}/${name}`;
}
