import { decodeGraph, type GraphData } from '../graph/config-map.ts';
import { taskSteps, type Graph, type RunStep } from '../graph/graph.ts';
import { annotations, CONTROLLER_NAME, labels, MANAGED_BY } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import { readPolicy, runtimeTemplate } from '../pods/runtime-template.ts';
import type { PodTemplate, PodTemplateOverride } from '../pods/template.ts';
import { isJsonObject } from '../values/json.ts';
import { formatProblem, InvalidError } from '../values/problems.ts';

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
    const steps = this.#graphRuns(graphName, parallelism, given[annotations.podOverride], within);
    // The pod in the Job of a run that the controller sequences is never made.
    return driver ? [...own, ...steps] : steps;
  }

  #own({ spec = {}, metadata }: JobTemplate, { name }: Within): RunAsk {
    const { parallelism = 1, template = {} } = spec;
    const driver = metadata?.annotations?.[annotations.graph] !== undefined;
    const step = driver ? `${name}, its driver` : (metadata?.labels?.[labels.task] ?? name);
    return { parallelism, pods: [{ step, template, atOnce: parallelism, runAsJob: false }] };
  }

  #graphRuns(graphName: string, parallelism: number, podOverride: string | undefined, within: Within): RunAsk[] {
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
      const template = this.#template(step.name, step.template, podOverride, within);
      if (typeof template === 'string') {
        within.unknown.add(`${title}: ${template}`);
        return [];
      }
      const atOnce = step.kind === 'map' ? Math.min(step.concurrency ?? parallelism, parallelism) : 1;
      return [{ step: title, template, atOnce, runAsJob: step.runAs === 'Job' }];
    });
    const children = graph.steps
      .filter((step) => step.kind === 'run')
      .flatMap((step) => this.#childRuns(step, parallelism, podOverride, { ...within, seen }));
    return [{ parallelism, pods }, ...children];
  }

  #childRuns({ runs }: RunStep, parallelism: number, podOverride: string | undefined, within: Within): RunAsk[] {
    if ('graph' in runs) return this.#graphRuns(runs.graph, runs.parallelism ?? parallelism, podOverride, within);
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

  #template(step: string, name: string, podOverride: string | undefined, within: Within): PodTemplate | string {
    const key = `${within.namespace}/${name}/${podOverride ?? ''}`;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = this.#merged(step, name, podOverride, within);
      this.#templates.set(key, template);
    }
    return template;
  }

  #merged(step: string, name: string, podOverride: string | undefined, { name: run, namespace }: Within) {
    const object = this.#objects.get(keyOf('PodTemplate', { name, namespace })) as
      (KubeObject & { template?: PodTemplate }) | undefined;
    if (object?.template === undefined) return `the PodTemplate ${name} is not among the manifests`;
    try {
      const policy = readPolicy(object.metadata.annotations?.[annotations.policy], `PodTemplate ${name}`);
      const override: unknown = podOverride === undefined ? undefined : JSON.parse(podOverride);
      const layers = {
        run,
        plan: run,
        ...(isJsonObject(override) && { podOverride: override as PodTemplateOverride }),
      };
      return runtimeTemplate(step, { template: object.template, ...policy }, layers);
    } catch (error) {
      if (error instanceof InvalidError) return error.problems.map(formatProblem).join('; ');
      if (error instanceof SyntaxError) return `the annotation ${annotations.podOverride} is no JSON`;
      throw error;
    }
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
