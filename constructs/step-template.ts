import type { Construct } from 'constructs';
import { annotations, labels, MANAGED_BY } from '../lib/graph/labels.ts';
import { decidingPart } from '../lib/pods/deciding-part.ts';
import { splitHoles, type SplitTemplate } from '../lib/pods/holes.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { mergeWithOrigins, type MergedTemplate } from '../lib/pods/merge.ts';
import { inheritSettings, type InheritedSettings } from '../lib/pods/settings/pod-settings.ts';
import { spotPart } from '../lib/pods/spot-part.ts';
import type { PodTemplate } from '../lib/pods/template.ts';
import { contentHash } from '../lib/values/hash.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import { CallSite } from './call-site.ts';
import { explainAtSynth } from './explain.ts';
import { grownPods, type GrownPod } from './grown-pods.ts';
import { later } from './later.ts';
import { layersOf, lowestLayers, policyLayer, policyNote, spotLayers, taskSpotLayers } from './layers.ts';
import { resourcesAfterOOM } from './retries.ts';
import { KEEP_OLD_VERSIONS } from './versions.ts';
import { checkObject } from './validate-manifests.ts';
import type { ExecutionSettings, Task } from './task.ts';
import { fillInputs } from './task-values.ts';
import type { Shape } from '../lib/values/shape.ts';
import type { WorkflowPlaces } from './workflow-places.ts';

/** The task that a step uses, and how. */
export interface TemplateUse {
  readonly task: Task<Shape, Shape>;
  /** What it gives for an input. */
  readonly given: (input: string) => unknown;
  /** What its attempts are, whatever the settings say. @default what they say */
  readonly runAs?: 'Job';
}

/** The workflow of the step. */
interface TemplateOwner {
  readonly name: string;
  readonly places: WorkflowPlaces;
}

/** The pod that a step's attempts start from, as layers until synth and as a PodTemplate then. */
export class StepTemplate {
  readonly #step: Construct;
  readonly #prefix: string;
  readonly #task: Task<Shape, Shape>;
  readonly #given: (input: string) => unknown;
  readonly #overrides: Layer[] = [];
  #inherited: InheritedSettings;
  #spot: readonly Layer[];
  #retries: ExecutionSettings['retries'];
  readonly #alwaysRunAs: 'Job' | undefined;
  #runAs: ExecutionSettings['runAs'];
  #compiled: (MergedTemplate & SplitTemplate & { readonly name: string; readonly spot?: unknown }) | undefined;

  #onSpot: PodTemplate | undefined;

  constructor(step: Construct, workflow: TemplateOwner, name: string, { task, given, runAs }: TemplateUse) {
    this.#step = step;
    this.#prefix = `${workflow.name}-${name}`;
    this.#task = task;
    this.#given = given;
    this.#inherited = inheritSettings(task.execution);
    this.#spot = taskSpotLayers(task);
    this.#retries = task.execution.retries;
    this.#alwaysRunAs = runAs;
    this.#runAs = task.execution.runAs;
    this.#emit(workflow.places, name, {
      [labels.managedBy]: MANAGED_BY,
      [labels.workflow]: workflow.name,
      [labels.step]: name,
      [labels.task]: task.name,
    });
  }

  /** Adds a layer over all that there are. */
  override(settings: ExecutionSettings): void {
    const [source, site] = [this.#step.node.path, new CallSite()];
    this.#overrides.push(...layersOf('step override', source, site, settings, this.#inherited));
    this.#inherited = inheritSettings(settings, this.#inherited);
    this.#retries = settings.retries ?? this.#retries;
    this.#runAs = settings.runAs ?? this.#runAs;
    if (settings.spot !== undefined) this.#spot = spotLayers('step override', source, site, this.#inherited);
    this.#compiled = undefined;
    this.#onSpot = undefined;
  }

  /** Low to high; the cluster's policy last. With `spot`, they are those of an attempt on spot nodes, as the first one is. */
  get layers(): readonly Layer[] {
    return this.#layersWith(this.#spot);
  }

  /** The same without what sends it to spot nodes. */
  get layersAnywhere(): readonly Layer[] {
    return this.#layersWith([]);
  }

  /** What the task and the step say of spot nodes; `undefined` where they say nothing. */
  get spot(): InheritedSettings['spot'] {
    return this.#inherited.spot;
  }

  /** The template of an attempt on spot nodes. */
  get onSpot(): PodTemplate {
    this.#onSpot ??= splitHoles(mergeWithOrigins(this.layers)).template;
    return this.#onSpot;
  }

  #layersWith(spot: readonly Layer[]): readonly Layer[] {
    const policy = policyLayer(this.#step);
    return [
      ...lowestLayers(this.#step),
      ...fillInputs([...this.#task.layers, ...this.#overrides], this.#task, this.#given),
      ...spot,
      ...(policy ? [policy] : []),
    ];
  }

  /**
   * The template without what waits for values, that, where the fields came from, and the name of its object, which
   * carries a hash of the content; and what goes over it for an attempt on spot nodes.
   *
   * @throws InvalidError when the layers cannot be merged
   */
  get compiled() {
    if (this.#compiled === undefined) {
      const merged = mergeWithOrigins(this.#layersWith([]));
      const split = splitHoles(merged);
      const spot = this.#spot.length > 0 ? spotPart(split, splitHoles(mergeWithOrigins(this.layers))) : undefined;
      const name = `${this.#prefix}-${contentHash([split.template, this.#policy])}`;
      this.#compiled = { ...merged, ...split, name, ...(spot !== undefined && { spot }) };
    }
    return this.#compiled;
  }

  /**
   * What of the pod decides what the step gives, as its task and its overrides say it: as far as it is known at synth, and what
   * waits for values of the workflow. The task's inputs stand for themselves, and what the cluster adds does not count.
   *
   * @throws InvalidError when the layers cannot be merged
   */
  get content(): { readonly known: unknown; readonly values: unknown } {
    const layers = fillInputs([...this.#task.layers, ...this.#overrides], this.#task, (input) => `inputs.${input}`);
    const { template, holes } = splitHoles(mergeWithOrigins(layers));
    return { known: decidingPart(template), values: decidingPart(holes) };
  }

  /** Why the layers cannot be merged. */
  get problems(): readonly Problem[] {
    try {
      void this.compiled;
      return [];
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return error.problems.map((problem) => ({ ...problem, path: `podTemplate.${problem.path}` }));
    }
  }

  #grown(): readonly GrownPod[] {
    const resources = resourcesAfterOOM(this.#retries);
    if (resources.length === 0 || this.problems.length > 0) return [];
    const layer = { kind: 'step override', source: this.#step.node.path } as const;
    return grownPods(this.compiled.template, resources, (template) => this.#layersWith([{ ...layer, template }]));
  }

  // A plan or a run may override the pod later on: the policy goes with the template, to hold then too.
  get #policy(): string | undefined {
    return policyNote(this.#step, this.#alwaysRunAs ?? this.#runAs);
  }

  #emit(places: WorkflowPlaces, name: string, ownLabels: Readonly<Record<string, string>>): void {
    const policy = this.#policy;
    const template = places.emit(this.#step, 'Template', {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: {
        name: later(() => this.compiled.name),
        labels: ownLabels,
        annotations: { ...KEEP_OLD_VERSIONS, ...(policy !== undefined && { [annotations.policy]: policy }) },
      },
      template: later(() => this.compiled.template),
    });
    const origins = () => this.compiled.origins;
    checkObject(template, this.#step, { name: this.#prefix, origins, grown: () => this.#grown() });
    explainAtSynth(this.#step, () => [{ file: this.compiled.name, step: name, layers: this.layers }]);
  }
}
