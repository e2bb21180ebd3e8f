import type { ApiObject } from 'cdk8s';
import { encodeGraph, type GraphData } from '../lib/graph/config-map.ts';
import type { Graph } from '../lib/graph/graph.ts';
import { annotations, CONTENT_GRAPH, labels, MANAGED_BY } from '../lib/graph/labels.ts';
import { contentHash } from '../lib/values/hash.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import { later } from './later.ts';
import { planDefaultsNote } from './plan-defaults.ts';
import { KEEP_OLD_VERSIONS } from './versions.ts';
import type { AnyWorkflow } from './workflow.ts';

/** The graph of a workflow: compiled when it is first asked for, and anew after a change. */
export class CompiledGraph {
  readonly #compile: () => Graph;
  /** The workflows that cannot do without this graph. */
  readonly #users = new Set<AnyWorkflow>();
  #compiled: { readonly graph: Graph; readonly version: string; readonly data: GraphData | Problem } | undefined;

  constructor(compile: () => Graph) {
    this.#compile = compile;
  }

  get graph(): Graph {
    return this.#current.graph;
  }

  /** The hash of its content. */
  get version(): string {
    return this.#current.version;
  }

  /** Another workflow cannot do without it, and is to be compiled anew when this one is. */
  usedBy(workflow: AnyWorkflow): void {
    this.#users.add(workflow);
  }

  /** What it is compiled from has changed. */
  changed(): void {
    if (this.#compiled === undefined) return;
    this.#compiled = undefined;
    for (const user of this.#users) user.changed();
  }

  /** Makes the ConfigMap that carries it, in every namespace that the workflow is in. */
  emit(workflow: AnyWorkflow, revisionHistoryLimit: number | undefined): ApiObject {
    return workflow.places.emit(workflow, 'Graph', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: later(() => workflow.graphName),
        labels: {
          [labels.managedBy]: MANAGED_BY,
          [labels.workflow]: workflow.name,
          [labels.version]: later(() => this.version),
          [labels.content]: CONTENT_GRAPH,
        },
        annotations: {
          ...KEEP_OLD_VERSIONS,
          ...planDefaultsNote(workflow),
          ...(revisionHistoryLimit !== undefined && {
            [annotations.revisionHistoryLimit]: String(revisionHistoryLimit),
          }),
        },
      },
      immutable: true,
      data: later(() => this.#content.data),
      binaryData: later(() => this.#content.binaryData),
    });
  }

  /** That it fits no ConfigMap. */
  *problems(): Generator<Problem> {
    const { data } = this.#current;
    if ('message' in data) yield data;
  }

  get #current() {
    if (this.#compiled === undefined) {
      const graph = this.#compile();
      this.#compiled = { graph, version: contentHash(graph), data: encodeGraph(graph) };
    }
    return this.#compiled;
  }

  get #content(): GraphData {
    const { data } = this.#current;
    if ('message' in data) throw new InvalidError('Workflow', [data]);
    return data;
  }
}
