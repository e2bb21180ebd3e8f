import { ApiObject, type ApiObjectProps } from 'cdk8s';
import type { Construct } from 'constructs';
import { namespaceOf } from './cluster.ts';
import { coverObject } from './validate-manifests.ts';

interface Made {
  readonly scope: Construct;
  readonly id: string;
  readonly props: ApiObjectProps;
}

/**
 * The namespaces that runs of a workflow are in: its own, and those of plans that are in another. A run finds its graph and its
 * templates in its namespace, so that they are written to each.
 */
export class WorkflowPlaces {
  readonly #workflow: Construct;
  readonly #made: Made[] = [];
  readonly #others = new Set<string>();
  /** Those of workflows that this one cannot do without. */
  readonly #used = new Set<WorkflowPlaces>();

  constructor(workflow: Construct) {
    this.#workflow = workflow;
  }

  /** Its own, which may not be known, and the others. */
  get namespaces(): readonly (string | undefined)[] {
    return [this.#own, ...this.#others];
  }

  /** Makes an object in the workflow's own namespace, which is returned, and in all others. */
  emit(scope: Construct, id: string, props: ApiObjectProps): ApiObject {
    const made = { scope, id, props };
    this.#made.push(made);
    for (const namespace of this.#others) copy(made, namespace);
    return new ApiObject(scope, id, props);
  }

  /** There are runs in this namespace. */
  add(namespace: string): void {
    if (namespace === this.#own || this.#others.has(namespace)) return;
    this.#others.add(namespace);
    for (const made of this.#made) copy(made, namespace);
    for (const used of this.#used) used.add(namespace);
  }

  /** Where runs of this workflow are, there is the other one too. */
  use(other: WorkflowPlaces): void {
    this.#used.add(other);
    for (const namespace of this.#others) other.add(namespace);
  }

  get #own(): string | undefined {
    return namespaceOf(this.#workflow);
  }
}

/** What is wrong with the object is told of the one that it is the same as. */
function copy({ scope, id, props }: Made, namespace: string): void {
  const object = new ApiObject(scope, `${id} in ${namespace}`, {
    ...props,
    metadata: { ...props.metadata, namespace },
  });
  coverObject(object);
}
