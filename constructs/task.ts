import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { z } from 'zod';
import type { PodSettings } from '../lib/pods/settings/pod-settings.ts';
import type { JobOverride } from '../lib/pods/job-template.ts';
import type { ValuedSettings } from '../lib/pods/settings/valued-settings.ts';
import type { Layer } from '../lib/pods/layer.ts';
import type { Problem } from '../lib/values/problems.ts';
import { Reference } from '../lib/values/reference.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import { toObjectSchema, type NoValues, type Shape } from '../lib/values/shape.ts';
import type { Cache } from './cache.ts';
import { CallSite } from './call-site.ts';
import type { Lock } from './lock.ts';
import { layersOf } from './layers.ts';
import { reportProblems } from './problems.ts';
import type { Retries } from './retries.ts';

/** What decides how a task is run, and what a step may override of it. */
export interface ExecutionSettings extends PodSettings {
  /** A number is that many retries without a wait. Failures of the platform have a budget of their own: `systemRetries`. @default 0 */
  readonly retries?: number | Retries;
  /** How often a failure of the platform is followed by another attempt: eviction, node lost, pod deleted, pending timeout. A single task's Job has none. @default 3 */
  readonly systemRetries?: number;
  /** For one attempt, from when it is asked for until its container starts: nodes, quota, images. Its end is a failure of the platform. A single task's Job has none. @default none */
  readonly pendingTimeout?: Duration;
  /** For one attempt, from the start of its container. @default none */
  readonly attemptTimeout?: Duration;
  /** For all attempts together with the waits between them. @default none */
  readonly timeout?: Duration;
  /** What an attempt is: a `Job` keeps its result even when the pod is deleted. @default 'Pod' */
  readonly runAs?: 'Pod' | 'Job';
  /** With `runAs: 'Job'`, and of a task alone: fields of the Job around the pod, such as `suspend` for Kueue, merged with what is inherited. @default one pod, one completion */
  readonly job?: JobOverride;
  /** The run goes on, and may succeed, when this fails. @default false */
  readonly continueOnFailure?: boolean;
  /** Whether a step takes the result of an equal one that ran before. A single task's Job never does. @default false */
  readonly cache?: Cache<never> | false;
}

/** Stands for a task, so that references to its inputs fit into its own settings and nowhere else. */
export type TaskScope = 'inputs of a task';

/** A task's inputs, as its settings may use them. */
export type TaskInputs<I extends Shape> = { readonly [Name in keyof I]: Reference<z.output<I[Name]>, TaskScope> };

/** A setting of a task, or a function of the task's inputs. */
export type FromInputs<T, I extends Shape> = T | ((inputs: TaskInputs<I>) => T);

/** The settings of a task's pod. What is an input is filled in when the task is used: at synth if it is known then, else when the step starts. */
export type TaskPodSettings<I extends Shape> = {
  readonly [Setting in keyof Omit<PodSettings, 'command' | 'args'>]: FromInputs<ValuedSettings<TaskScope>[Setting], I>;
};

/**
 * What tasks of all kinds have. Every setting of the pod, and `job`, may be a function of the task's inputs.
 *
 * @example
 * inputs: { memory: z.string(), gpu: z.string() },
 * resources: ({ memory }) => ({ limits: { memory } }),
 * nodeSelector: ({ gpu }) => ({ 'acme.example/gpu': gpu }),
 */
export interface TaskProps<I extends Shape = NoValues, O extends Shape = NoValues>
  extends Omit<ExecutionSettings, keyof PodSettings | 'job' | 'cache'>, TaskPodSettings<I> {
  /** Whether a step takes the result of an equal one that ran before. A single task's Job never does. @default false */
  readonly cache?: Cache<keyof I & string> | false;
  /** With `runAs: 'Job'`, and of a task alone: fields of the Job around the pod, such as `suspend` for Kueue. @default one pod, one completion */
  readonly job?: FromInputs<JobOverride<TaskScope>, I>;
  /** What each step of the task has while it runs, all of them or none. A step may add more by `lock`. @default none */
  readonly locks?: FromInputs<readonly Lock<TaskScope>[], I>;
  /** The task's name, for labels and messages; a DNS label. @default the construct's id */
  readonly name?: string;
  /** What it takes, as zod schemas. Each reaches the container as `INPUT_<NAME>`. @default nothing */
  readonly inputs?: I;
  /** What it gives, as zod schemas: the container writes them as one JSON object to `$WORKFLOW_OUTPUTS`. @default nothing */
  readonly outputs?: O;
}

/**
 * Something that can be done: typed inputs and outputs and the pod that does it. A task is a construct of its own,
 * shared by the workflows whose steps use it; by itself it synthesizes nothing.
 */
export abstract class Task<I extends Shape = NoValues, O extends Shape = NoValues> extends Construct {
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  readonly inputSchema: ObjectSchema;
  readonly outputSchema: ObjectSchema;
  readonly execution: ExecutionSettings;
  /** What each step of it has while it runs. */
  readonly locks: readonly Lock<TaskScope>[];
  readonly #site = new CallSite();

  protected constructor(scope: Construct, id: string, props: TaskProps<I, O>, settings: PodSettings) {
    super(scope, id);
    const { name = id, inputs = {} as I, outputs = {} as O, ...execution } = props;
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    const problems: Problem[] = [];
    this.inputSchema = toObjectSchema(inputs, 'input', 'inputs', problems);
    this.outputSchema = toObjectSchema(outputs, 'output', 'outputs', problems);
    const { locks = [], ...others } = this.#evaluate(execution) as ExecutionSettings & Pick<this, 'locks'>;
    this.locks = locks;
    this.execution = { ...others, ...settings };
    reportProblems(this, () => [...problems, ...this.problems()]);
  }

  // Nothing but settings that are functions of the inputs is a function.
  #evaluate(settings: object): ExecutionSettings {
    const references = Object.fromEntries(
      Object.entries(this.inputSchema.properties).map(([input, schema]) => [
        input,
        new Reference(this, { input }, schema),
      ]),
    );
    return Object.fromEntries(
      Object.entries(settings).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'function' ? (value as (inputs: object) => unknown)(references) : value,
      ]),
    );
  }

  /** What is wrong with the task; checked at synth. */
  protected abstract problems(): readonly Problem[];

  /** The task's part of a step's pod, low to high. */
  get layers(): readonly Layer[] {
    return layersOf('task', this.node.path, this.#site, this.execution);
  }
}
