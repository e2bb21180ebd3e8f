import { fillReferences } from '../lib/pods/holes.ts';
import type { JobLayer } from '../lib/pods/job-template.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { JOB_TEMPLATE } from '../lib/pods/pod-schema.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import type { Shape } from '../lib/values/shape.ts';
import { layerWith } from './layers.ts';
import type { Task } from './task.ts';

/**
 * Layers with what a use of a task gives for its inputs, in place of the references to them: values, references to
 * what a workflow knows, or nothing, where an input is optional.
 */
export function fillInputs(
  layers: readonly Layer[],
  task: Task<Shape, Shape>,
  given: (input: string) => unknown,
): readonly Layer[] {
  if (Object.keys(task.inputs).length === 0) return layers;
  const value = valueIn(task, given);
  return layers.map((layer) => layerWith(layer, fillReferences(layer.template, value)));
}

/** The same of what is said of the Job around the pod. */
export function fillJobInputs(
  layers: readonly JobLayer[],
  task: Task<Shape, Shape>,
  given: (input: string) => unknown,
): readonly JobLayer[] {
  const value = valueIn(task, given);
  return layers.map((layer) => ({ ...layer, job: fillReferences(layer.job, value, JOB_TEMPLATE) }));
}

/** What takes the place of a reference to an input of a task, by what the use of the task gives for it. */
export function valueIn(task: Task<Shape, Shape>, given: (input: string) => unknown) {
  return (reference: AnyReference) => {
    if (reference.owner !== task || !('input' in reference.origin)) return reference;
    const found = given(reference.origin.input);
    const { fallback } = reference;
    if (found === undefined) return fallback;
    return found instanceof Reference && found.fallback === undefined && fallback !== undefined
      ? (found as Reference<unknown>).or(fallback)
      : found;
  };
}
