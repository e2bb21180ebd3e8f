import { Construct } from 'constructs';
import { singleTaskFile } from '../lib/pods/explanation.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { inheritSettings } from '../lib/pods/settings/pod-settings.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { checkValues } from '../lib/values/schema.ts';
import type { NoValues, Shape, ValuesIn } from '../lib/values/shape.ts';
import type { MergedTemplate } from '../lib/pods/merge.ts';
import { CallSite } from './call-site.ts';
import { explainAtSynth } from './explain.ts';
import { layersOf, mergedOrProblems, spotLayers, taskSpotLayers } from './layers.ts';
import { lockedAloneProblem } from './lock.ts';
import { claimName } from './names.ts';
import { reportProblems } from './problems.ts';
import { taskLayers } from './task-template.ts';
import type { ExecutionSettings, Task } from './task.ts';

export type SingleTaskProps<I extends Shape> = {
  readonly task: Task<I, Shape>;
  /** Name of the object; a DNS label. @default the construct's id */
  readonly name?: string;
  /** What is changed of the task for this use. @default nothing */
  readonly override?: ExecutionSettings;
} & (NoValues extends ValuesIn<I> ? { readonly inputs?: ValuesIn<I> } : { readonly inputs: ValuesIn<I> });

/** One task that Kubernetes runs by itself, with values for all of its inputs. */
export abstract class SingleTask<I extends Shape> extends Construct {
  readonly name: string;
  /** @internal */
  protected readonly inputs: JsonObject;
  readonly #task: Task<I, Shape>;
  readonly #site = new CallSite();

  protected constructor(scope: Construct, id: string, kind: string, props: SingleTaskProps<I>) {
    super(scope, id);
    this.name = props.name ?? id;
    this.#task = props.task;
    const { inputSchema } = props.task;
    const checked = checkValues(inputSchema, (props.inputs ?? {}) as JsonObject, 'refuse', 'inputs');
    this.inputs = checked.ok ? checked.values : {};
    const wrong = dnsLabelProblem(this.name);
    const problems: Problem[] = [
      ...claimName(this, kind, this.name),
      ...(wrong === undefined ? [] : [{ path: 'name', message: `${show(this.name)} ${wrong}` }]),
      ...(checked.ok ? [] : checked.problems),
      ...lockedAloneProblem(props.task.locks),
    ];
    reportProblems(this, () => problems);
  }

  /** @internal The pod of this use; nothing when its layers cannot be merged, which is reported. */
  protected podTemplate(kind: 'Job' | 'Pod', override: ExecutionSettings = {}): MergedTemplate | undefined {
    const { attemptTimeout } = override;
    const use = {
      kind: kind === 'Job' ? 'job' : 'pod',
      inputs: this.inputs,
      overrides: this.#overrides(override),
    } as const;
    const layers = taskLayers(this, this.#task, { ...use, ...(attemptTimeout && { attemptTimeout }) });
    explainAtSynth(this, () => [{ file: singleTaskFile(kind, this.name), layers }]);
    const { merged, problems } = mergedOrProblems(layers);
    reportProblems(this, () => problems);
    return merged;
  }

  /** What this use changes of the task's pod, as layers; Kubernetes repeats one and the same pod, on spot or not. */
  #overrides(override: ExecutionSettings): readonly Layer[] {
    const source = this.node.path;
    const inherited = inheritSettings(this.#task.execution);
    return [
      ...layersOf('step override', source, this.#site, override, inherited),
      ...(override.spot === undefined
        ? taskSpotLayers(this.#task)
        : spotLayers('step override', source, this.#site, inheritSettings(override, inherited))),
    ];
  }
}
